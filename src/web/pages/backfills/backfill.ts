import { html } from 'hono/html'
import { localTimes } from '../../../format/clock-time.ts'
import { duration } from '../../../format/elapsed.ts'
import { count, figure, rounded } from '../../../format/numbers.ts'
import type { BackfillNight } from '../../../jobs/backfills/backfill-nights.ts'
import { backfillHref, modelHref, nightHref, runHref, withQuery } from '../../addresses.ts'
import type { Html } from '../../layout.ts'
import { moment } from '../../moment.ts'
import type { Viewer } from '../../page-context.ts'
import { pager } from '../../pager.ts'
import { stateMark } from '../../state-mark.ts'
import { column, table } from '../../table.ts'
import { fact } from '../night/summary.ts'
import { changes } from './changes.ts'
import { grid } from './grid.ts'
import type { BackfillView } from './load.ts'
import { backfillMark, faceOfNight, spanOf } from './state.ts'

/** How far a backfill is, what can be done about it, its nights as squares, and those that need somebody. */
export function backfillBody(view: BackfillView, viewer: Viewer | null) {
  const { backfill, page, isMore } = view
  return html`<div class="columns"><div>${summary(view)}</div><div>${changes(view, viewer)}</div></div>
${stuck(view)}
${grid(view)}
${pager(page, isMore, (number) => withQuery(backfillHref(backfill.id), { page: number }), ['Earlier nights', 'Later nights'])}`
}

function summary(view: BackfillView) {
  const { backfill, project } = view
  const { timezone } = project
  const { id, model, published, nights, failed, held, skipped, active, left } = backfill
  const { by, started_at, ended_at, changed_by, changed_at, max_active } = backfill
  const isOpen = backfill.state === 'running' || backfill.state === 'paused'
  const over = nights - active - left
  const counts: [number, string][] = [
    [failed, 'failed'],
    [held, 'held'],
    [skipped, 'left as they were'],
    [active, 'under way'],
    [left, 'not started'],
  ]
  const rest = counts.flatMap(([number, words]) => (number === 0 ? [] : `${count(number)} ${words}`))
  return html`<section class="card first" aria-labelledby="how"><h2 id="how" class="sr">How far it is</h2>
<p>${backfillMark(backfill)} <strong>${count(published)} of ${count(nights)} nights published</strong>${rest.length === 0 ? '' : `, ${rest.join(', ')}`}</p>
<progress max="${nights}" value="${over}" aria-label="Nights that have ended">${over} of ${nights}</progress>
<dl class="facts">
${fact('Model', html`<a href="${modelHref(model)}">${model}</a>`)}
${fact('Nights', spanOf(backfill))}
${fact('Rate', rate(view))}
${isOpen ? fact('Time left', timeLeft(view)) : ''}
${fact('At a time', `${max_active} at most`)}
${fact('Begun', html`${moment(started_at, timezone)}${by === null ? '' : ` by ${by}`}`)}
${changed_at === null ? '' : fact(changeOf(backfill), html`${moment(changed_at, timezone)}${changed_by === null ? '' : ` by ${changed_by}`}`)}
${ended_at === null ? '' : fact('Ended', moment(ended_at, timezone))}
</dl>
${isOpen ? html`<p class="small"><a href="${backfillHref(id)}">Look again</a></p>` : ''}</section>`
}

function changeOf({ state }: BackfillView['backfill']): string {
  switch (state) {
    case 'paused':
      return 'Paused'
    case 'cancelled':
      return 'Cancelled'
    default:
      return 'Continued'
  }
}

/** Of its last nights, in nights an hour. */
function rate({ pace }: BackfillView): string {
  if (pace === undefined) return 'not known before a night has ended'
  const { nights, seconds } = pace
  const of = nights === 1 ? 'its only night so far' : `its last ${nights} nights`
  const perHour = (3600 * nights) / seconds
  return `${perHour < 10 ? figure(rounded(perHour, 2)) : count(Math.round(perHour))} nights an hour, by ${of}`
}

function timeLeft({ pace, backfill: { active, left, state } }: BackfillView): Html | string {
  const open = active + left
  if (open === 0) return 'none'
  if (pace === undefined) return 'not known before a night has ended'
  const text = `about ${duration((1000 * open * pace.seconds) / pace.nights)}`
  return state === 'paused' ? `${text} once it goes on` : text
}

/** What failed or is held, with the cause and the way there. */
function stuck({ stuck: nights, backfill, project }: BackfillView) {
  if (nights.length === 0) return ''
  const { models, timezone } = project
  const { model, failed, held } = backfill
  const href = ({ partition }: BackfillNight) => nightHref({ kind: 'scores', name: model, partition }, models)
  const shown = table('Nights that failed or are held', nights, [
    column('Night', (night: BackfillNight) => html`<a href="${href(night)}">${night.partition}</a>`),
    column('State', ({ state, run_state }) => stateMark(...faceOfNight(state, run_state))),
    column('Cause', ({ failure, reason }) => cause(failure, reason, timezone)),
    column('Run', ({ run }) => (run === null ? '' : html`<a href="${runHref(run)}">${run}</a>`)),
  ])
  const more = failed + held - nights.length
  return html`<section class="card" aria-labelledby="stuck"><h2 id="stuck">Failed and held nights</h2>${shown}
${more > 0 ? html`<p class="small">and ${more} more: <a href="${withQuery('/runs', { name: model, kind: 'scores', group: 1 })}">failures by message</a></p>` : ''}</section>`
}

function cause(failure: BackfillNight['failure'], reason: string | null, timezone: string) {
  if (failure === null) return reason ?? 'its features failed or are held: see the night'
  return html`<strong>${failure.class}</strong>: ${localTimes(failure.message, timezone)}`
}
