import { html } from 'hono/html'
import { messageText } from '../../../format/message-text.ts'
import { count, figure } from '../../../format/numbers.ts'
import { percent } from '../../../format/shares.ts'
import {
  countText,
  type JudgedNight,
  realizedText,
  rivalText,
} from '../../../monitoring/shadow/counted-nights.ts'
import type { ShadowStanding } from '../../../monitoring/shadow/shadow-standing.ts'
import { moment } from '../../moment.ts'
import { stateMark } from '../../state-mark.ts'
import { column, labelled, number, table } from '../../table.ts'

/** Nights and movers that are shown of each version. */
const NIGHTS = 14
const MOVERS = 5

/** How the versions in shadow compare with what they would replace. Nothing if none is or was in shadow. */
export function shadowSection({ standings, timezone }: { standings: ShadowStanding[]; timezone: string }) {
  const scoring = standings.filter(({ state }) => state === 'scoring')
  const shown = scoring.length > 0 ? scoring : standings.slice(0, 1)
  return shown.length === 0
    ? ''
    : html`<section class="card" aria-labelledby="shadow"><h2 id="shadow">In shadow</h2>
${shown.map((standing) => versionInShadow(standing, timezone))}</section>`
}

function versionInShadow(standing: ShadowStanding, timezone: string) {
  const { version, state, counted, required, against, window, breaches, started_at, stopped_at } = standing
  const enough = counted >= required
  const face = breaches.length > 0 ? 'failed' : enough ? 'published' : 'waiting'
  return html`<h3>Version ${version} beside ${rivalText(against)}</h3>
<p>${stateMark(face, countText({ counted, required }))} since ${moment(started_at, timezone)}${state === 'ended' ? html` until ${moment(stopped_at, timezone)}` : ''}</p>
${breaches.map((breach) => html`<p class="error">Not met: ${breach}</p>`)}
${
  window === undefined
    ? ''
    : html`<dl class="facts">
<dt>Rank correlation</dt><dd>${figure(window.rank_correlation.mean, 'none')}, at worst ${figure(window.rank_correlation.worst, 'none')}</dd>
<dt>Same among the highest</dt><dd>${percent(window.top_overlap.mean)}, at worst ${percent(window.top_overlap.worst)}</dd>
${window.flips.mean === null ? '' : html`<dt>Decisions change</dt><dd>${percent(window.flips.mean)}, at worst ${percent(window.flips.worst)}: ${count(window.flips.to_positive)} to positive, ${count(window.flips.to_negative)} to negative</dd>`}
<dt>Distance</dt><dd>${figure(window.distance.mean, 'none')}, at worst ${figure(window.distance.worst, 'none')}</dd>
<dt>Mean score</dt><dd>${figure(window.challenger_mean)} instead of ${figure(window.champion_mean)}</dd>
</dl>`
}
${nightsTable(standing.nights, version, timezone)}${movers(standing.nights, version)}`
}

function nightsTable(nights: JudgedNight[], version: number, timezone: string) {
  if (nights.length === 0) return html`<p class="quiet">No night yet.</p>`
  const shown = table(
    `Nights of version ${version} in shadow, the newest first`,
    nights.slice(-NIGHTS).toReversed(),
    [
      column('Night', ({ partition }) => partition),
      number('Rows', ({ figures }) => (figures === null ? '' : count(figures.rows.both))),
      number('Rank correlation', ({ figures }) => figure(figures?.rank_correlation)),
      number('Same among the highest', ({ figures }) => percent(figures?.top.overlap)),
      number('Decisions change', ({ figures }) => percent(figures?.flips?.rate)),
      labelled('Realized', ({ realized }) => realizedText(realized)),
      labelled('Counts', ({ counts, why }) => (counts ? 'yes' : `no: ${messageText(why ?? '', timezone)}`)),
    ],
    { scroll: `Nights of version ${version} in shadow` },
  )
  return html`<details><summary>Nights</summary>${shown}</details>`
}

/** The rows that moved most on the newest compared night. */
function movers(nights: JudgedNight[], version: number) {
  const newest = nights.findLast(({ figures }) => (figures?.movers.length ?? 0) > 0)
  if (newest?.figures == null) return ''
  const name = `Entities that version ${version} moved most on ${newest.partition}`
  const shown = table(
    name,
    newest.figures.movers.slice(0, MOVERS),
    [
      column('Entity', ({ entity }) => Object.values(entity).join(', ')),
      number('Now', ({ champion }) => figure(champion)),
      number('In shadow', ({ challenger }) => figure(challenger)),
      labelled('Features', ({ features }) =>
        Object.entries(features)
          .map(([feature, value]) => `${feature} ${value ?? 'null'}`)
          .join(', '),
      ),
    ],
    { scroll: name },
  )
  return html`<details><summary>What moved most on ${newest.partition}</summary>${shown}</details>`
}
