import type { Hono } from 'hono'
import { html } from 'hono/html'
import { Temporal } from 'temporal-polyfill'
import { isAsOf } from '../../project/time/asof.ts'
import { withQuery } from '../addresses.ts'
import { moment } from '../moment.ts'
import { page } from '../page.ts'
import type { PageContext } from '../page-context.ts'
import { attention } from './overview/attention.ts'
import { calendar } from './overview/calendar.ts'
import { loadOverview } from './overview/load.ts'
import { readinessCard } from './overview/readiness-card.ts'
import { verdicts } from './overview/verdict.ts'

const DAYS = 28
/** A square is a link of 100 bytes: 20 models and their views over a quarter are 400 kB. */
const MOST_DAYS = 91
const CHOICES = [14, 28, 91]

/** `/?days=28&until=2026-11-22`: can last night be trusted, what is late or open, and earlier nights. */
export function mountOverview(app: Hono, pageContext: PageContext): void {
  app.get('/', async (context) => {
    const days = daysOf(context.req.query('days'))
    const until = dateOf(context.req.query('until'))
    const overview = await loadOverview(pageContext, days, until)
    const { project, dates, now } = overview
    return page(
      context,
      project.name,
      html`${attention(overview)}
${verdicts(overview)}
${readinessCard(overview)}
<section class="card" aria-labelledby="nights"><h2 id="nights">Nights</h2>
${calendar(overview)}
${pager(dates, days, until)}</section>`,
      {
        section: 'Overview',
        foot: html`Times are in ${project.timezone}. This page is as of ${moment(now, project.timezone)}.`,
      },
    )
  })
}

function pager(dates: string[], days: number, until: string | undefined) {
  const [first = '', last = ''] = [dates[0], dates.at(-1)]
  const shifted = (by: number) => Temporal.PlainDate.from(last).add({ days: by }).toString()
  const chosen = days === DAYS ? undefined : days
  return html`<nav class="pager" aria-label="Which nights"><span><a href="${withQuery('/', { days: chosen, until: shifted(-days) })}">Earlier</a> <span class="quiet">${first} to ${last}</span> ${
    until === undefined
      ? ''
      : html`<a href="${withQuery('/', { days: chosen, until: shifted(days) })}">Later</a> <a href="${withQuery('/', { days: chosen })}">Now</a>`
  }</span><span>Days: ${CHOICES.map((each) => (each === days ? html`<strong aria-current="true">${each}</strong> ` : html`<a href="${withQuery('/', { days: each, until })}">${each}</a> `))}</span></nav>`
}

function daysOf(text: string | undefined): number {
  const days = Number(text)
  return Number.isInteger(days) && days >= 1 ? Math.min(days, MOST_DAYS) : DAYS
}

/** A valid date; anything else counts as absent. */
function dateOf(text: string | undefined): string | undefined {
  return text !== undefined && isAsOf(text) && !text.includes('T') ? text : undefined
}
