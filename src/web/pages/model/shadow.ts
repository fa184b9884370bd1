import { html } from 'hono/html'
import { count, figure } from '../../../format/numbers.ts'
import { percent } from '../../../format/shares.ts'
import { type JudgedNight, realizedText, rivalText } from '../../../monitoring/shadow/counted-nights.ts'
import type { ShadowStanding } from '../../../monitoring/shadow/shadow-standing.ts'
import { moment } from '../../moment.ts'
import { stateMark } from '../../state-mark.ts'

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
<p>${stateMark(face, `${counted} of ${required} nights count`)} since ${moment(started_at, timezone)}${state === 'ended' ? html` until ${moment(stopped_at, timezone)}` : ''}</p>
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
${nightsTable(standing.nights)}${movers(standing.nights)}`
}

function nightsTable(nights: JudgedNight[]) {
  if (nights.length === 0) return html`<p class="quiet">No night yet.</p>`
  const rows = nights
    .slice(-NIGHTS)
    .toReversed()
    .map(
      ({ partition, figures, realized, counts, why }) =>
        html`<tr><th scope="row">${partition}</th><td class="number" data-label="Rows">${figures === null ? '' : count(figures.rows.both)}</td><td class="number" data-label="Rank correlation">${figure(figures?.rank_correlation)}</td><td class="number" data-label="Same among the highest">${percent(figures?.top.overlap)}</td><td class="number" data-label="Decisions change">${percent(figures?.flips?.rate)}</td><td data-label="Realized">${realizedText(realized)}</td><td data-label="Counts">${counts ? 'yes' : `no: ${why}`}</td></tr>`,
    )
  return html`<details><summary>Nights</summary><div class="scroll"><table class="stack"><thead><tr><th scope="col">Night</th><th scope="col" class="number">Rows</th><th scope="col" class="number">Rank correlation</th><th scope="col" class="number">Same among the highest</th><th scope="col" class="number">Decisions change</th><th scope="col">Realized</th><th scope="col">Counts</th></tr></thead><tbody>${rows}</tbody></table></div></details>`
}

/** The rows that moved most on the newest compared night. */
function movers(nights: JudgedNight[]) {
  const newest = nights.findLast(({ figures }) => (figures?.movers.length ?? 0) > 0)
  if (newest?.figures == null) return ''
  const rows = newest.figures.movers.slice(0, MOVERS).map(
    ({ entity, champion, challenger, features }) =>
      html`<tr><th scope="row">${Object.values(entity).join(', ')}</th><td class="number" data-label="Now">${figure(champion)}</td><td class="number" data-label="In shadow">${figure(challenger)}</td><td data-label="Features">${Object.entries(
        features,
      )
        .map(([name, value]) => `${name} ${value ?? 'null'}`)
        .join(', ')}</td></tr>`,
  )
  return html`<details><summary>What moved most on ${newest.partition}</summary><div class="scroll"><table class="stack"><thead><tr><th scope="col">Entity</th><th scope="col" class="number">Now</th><th scope="col" class="number">In shadow</th><th scope="col">Features</th></tr></thead><tbody>${rows}</tbody></table></div></details>`
}
