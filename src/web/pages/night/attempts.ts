import { html } from 'hono/html'
import { localTimes } from '../../../format/clock-time.ts'
import { duration } from '../../../format/elapsed.ts'
import { usageText } from '../../../format/sizes.ts'
import type { Face } from '../../../ledger/nights/faces.ts'
import type { Attempt } from '../../../ledger/nights/run-records.ts'
import { withParts } from '../../../pipeline/engine/step-parts.ts'
import type { Project } from '../../../project/project.ts'
import { moment } from '../../moment.ts'
import { stateMark } from '../../state-mark.ts'
import { column, table } from '../../table.ts'

/**
 * Attempts with their steps, the newest first: where time was spent, and what failed. `withStacks`: with the stack trace of
 * a bug, which is for operators alone, since it shows paths and texts of the program.
 */
export function attempts(all: Attempt[], { timezone }: Project, withStacks = false) {
  if (all.length === 0) return ''
  const longest = Math.max(1, ...all.flatMap(({ steps }) => steps.map(({ ms }) => ms)))
  return html`<section class="card" aria-labelledby="steps"><h2 id="steps">Steps</h2>
${all.toReversed().map((attempt) => one(attempt, { longest, timezone, withStacks }))}</section>`
}

function one(
  { number, outcome, started_at, ended_at, worker, failure, steps, usage }: Attempt,
  { longest, timezone, withStacks }: { longest: number; timezone: string; withStacks: boolean },
) {
  const took = ended_at === null ? '' : `, ${duration(Date.parse(ended_at) - Date.parse(started_at))}`
  return html`<h3>Attempt ${number} ${stateMark(faceOfOutcome(outcome), outcome ?? 'running')}</h3>
<p class="small quiet">${moment(started_at, timezone)}${took}, by <span class="mono">${worker}</span>${usage === null ? '' : `; ${usageText(usage)}`}</p>
${failure === null ? '' : html`<p class="error"><strong>${failure.class}</strong>: ${localTimes(failure.message, timezone)}</p>`}
${withStacks && failure?.stack !== undefined ? html`<details><summary>Stack trace of attempt ${number}</summary><pre>${failure.stack}</pre></details>` : ''}
${
  steps.length === 0
    ? ''
    : table(
        `Steps of attempt ${number} and how long they took`,
        withParts(steps).flatMap(({ parts, ...step }) => [
          { ...step, isPart: false },
          ...parts.map((part) => ({ ...part, isPart: true })),
        ]),
        [
          {
            ...column('Step', ({ step }) => step),
            cellClass: ({ isPart }) => (isPart ? 'part' : ''),
          },
          { heading: 'Time', cell: ({ ms }) => duration(ms), class: 'number' },
          {
            heading: html`<span class="sr">Share of the longest</span>`,
            cell: ({ ms }) =>
              html`<svg viewBox="0 0 100 4" preserveAspectRatio="none" aria-hidden="true"><rect width="${Math.max(0.5, (100 * ms) / longest)}" height="4" rx="1"/></svg>`,
            cellClass: () => 'bar',
          },
        ],
        { class: 'bars' },
      )
}`
}

/** The status style of an attempt's outcome. */
function faceOfOutcome(outcome: string | null): Face {
  switch (outcome) {
    case null:
      return 'running'
    case 'published':
    case 'held':
    case 'waiting':
      return outcome
    case 'cancelled':
      return 'skipped'
    default:
      return 'failed'
  }
}
