import type { Hono } from 'hono'
import { html } from 'hono/html'
import { Temporal } from 'temporal-polyfill'
import { isAsOf } from '../../project/time/asof.ts'
import { unreadable } from '../filters.ts'
import { moment } from '../moment.ts'
import { page } from '../page.ts'
import type { PageContext } from '../page-context.ts'
import { type Terminal, terminalFor } from '../terminal.ts'
import { attention } from './overview/attention.ts'
import { calendar } from './overview/calendar.ts'
import {
  type Choice,
  chosen,
  MOST_CARDS,
  overviewHref,
  readModels,
  tally,
  worst,
} from './overview/choose-models.ts'
import { lastNights } from './overview/last-nights.ts'
import { loadNights, loadOverview, type Overview } from './overview/load.ts'
import { modelRows } from './overview/model-rows.ts'
import { readinessCard } from './overview/readiness-card.ts'
import { verdictCards } from './overview/verdict.ts'

const DAYS = 28
/** A square is a link of 100 bytes: 20 models and their views over a quarter are 400 kB. */
const MOST_DAYS = 91
const CHOICES = [14, 28, 91]

/** `/?days=28&until=2026-11-22&verdict=no&text=churn`: which lists can be used, what is late or open, and earlier nights. */
export function mountOverview(app: Hono, pageContext: PageContext): void {
  app.get('/', async (context) => {
    const days = daysOf(context.req.query('days'))
    const until = dateOf(context.req.query('until'))
    const { problems, ...models } = readModels(context.req.query())
    const overview = await loadOverview(pageContext, days, until)
    const { project, now } = overview
    const choice: Choice = { ...models, days: days === DAYS ? undefined : days, until }
    const terminal = terminalFor(context.get('viewer'), project)
    const body =
      problems.length > 0
        ? html`${tally(overview, choice)}${unreadable(problems, { href: '/', text: 'All models' })}`
        : html`${tally(overview, choice)}
${attention(overview)}
${await shown(pageContext, overview, choice, terminal)}`
    return page(context, project.name, body, {
      section: 'Overview',
      foot: html`Times are in ${project.timezone}. This page is as of ${moment(now, project.timezone)}.`,
      status: problems.length > 0 ? 400 : 200,
    })
  })
}

/** The models that are asked for: verdicts, nights and readiness. */
async function shown(pageContext: PageContext, overview: Overview, choice: Choice, terminal: Terminal) {
  if (overview.models.length === 0) {
    return html`<p class="card">No model yet.${terminal(' A project with one is created by ', 'init DIR')}</p>`
  }
  const asked = chosen(overview, choice)
  if (asked.models.length === 0) return html`<p class="card">No model matches.</p>`
  const isMany = asked.models.length > MOST_CARDS
  const listed = worst(asked)
  const rest = asked.models.length - listed.models.length
  const [first, ...more] = asked.models
  const only = first === undefined || more.length > 0 ? undefined : overview.project.models[first.name]
  return html`<div class="verdicts">
<section${isMany ? html` class="card"` : ''} aria-labelledby="trust"><h2 id="trust">Which list may I use?</h2>${isMany ? modelRows(listed) : verdictCards(listed, terminal)}
${rest === 0 ? '' : html`<p class="small">The worst ${listed.models.length} of ${asked.models.length} models; the filter finds the others.</p>`}</section>
<section class="card${isMany ? ' nights' : ''}" aria-labelledby="nights"><h2 id="nights">Nights</h2>
${calendar(listed, await loadNights(pageContext, listed))}
${pager(asked.dates, choice)}</section>
</div>
${only === undefined ? '' : await lastNights(pageContext, only)}
${readinessCard(asked, terminal)}`
}

function pager(dates: string[], choice: Choice) {
  const [first = '', last = ''] = [dates[0], dates.at(-1)]
  const { days = DAYS, until } = choice
  const shifted = (by: number) => Temporal.PlainDate.from(last).add({ days: by }).toString()
  const at = (other: Partial<Choice>) => overviewHref({ ...choice, ...other })
  return html`<nav class="pager" aria-label="Which nights"><span><a href="${at({ until: shifted(-days) })}">Earlier</a> <span class="quiet">${first} to ${last}</span> ${
    until === undefined
      ? ''
      : html`<a href="${at({ until: shifted(days) })}">Later</a> <a href="${at({ until: undefined })}">Now</a>`
  }</span><span>Days: ${CHOICES.map((each) => (each === days ? html`<strong aria-current="true">${each}</strong> ` : html`<a href="${at({ days: each })}">${each}</a> `))}</span></nav>`
}

function daysOf(text: string | undefined): number {
  const days = Number(text)
  return Number.isInteger(days) && days >= 1 ? Math.min(days, MOST_DAYS) : DAYS
}

/** A valid date; anything else counts as absent. */
function dateOf(text: string | undefined): string | undefined {
  return text !== undefined && isAsOf(text) && !text.includes('T') ? text : undefined
}
