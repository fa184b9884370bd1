import { html } from 'hono/html'
import { z } from 'zod'
import { count, figure, interval, signed } from '../../../format/numbers.ts'
import { METRIC_TABLE } from '../../../project/schema/metric.ts'
import type { EvaluationRecord } from '../../../registry/evaluations.ts'
import { moment } from '../../moment.ts'
import { stateMark } from '../../state-mark.ts'

const Interval = z.object({ low: z.number().nullable(), high: z.number().nullable() })
const Requirements = z.array(z.object({ passed: z.boolean(), message: z.string() }))
/** The output of `evaluate --json`; old reports may lack any part. */
const Report = z.looseObject({
  rows: z.number().optional(),
  intervals: z.record(z.string(), Interval).default({}),
  requirements: Requirements.default([]),
  notes: z.array(z.string()).default([]),
  against_champion: z
    .object({
      version: z.number(),
      difference: z.record(z.string(), Interval.extend({ value: z.number().nullable() })).default({}),
    })
    .nullable()
    .default(null),
})

/** One evaluation: each figure with its interval, the comparison with the champion of that day, and the requirements. */
export function evaluation(
  { id, version, dataset, at, by, passed, report }: EvaluationRecord,
  timezone: string,
) {
  const parsed = Report.safeParse(report)
  const head = html`<h3>Version ${version} ${stateMark(passed ? 'published' : 'failed', passed ? 'passed' : 'not passed')}</h3>
<p class="small quiet">${moment(at, timezone)}${by === null ? '' : ` by ${by}`}, on the holdout of <code>${dataset}</code>${parsed.success && parsed.data.rows !== undefined ? `, ${count(parsed.data.rows)} rows` : ''}</p>`
  if (!parsed.success) return head
  const { intervals, requirements, notes, against_champion: against } = parsed.data
  const shown = METRIC_TABLE.flatMap(({ key: metric, words }) => {
    const value = parsed.data[metric]
    return typeof value === 'number' ? [{ metric, words, value }] : []
  })
  return html`${head}
<div class="scroll" tabindex="0" role="region" aria-label="Evaluation ${id}"><table class="narrow"><caption class="sr">Figures of version ${version}</caption><thead><tr><th scope="col">Figure</th><th scope="col" class="number">Value</th><th scope="col" class="number">95 % interval</th>${against === null ? '' : html`<th scope="col" class="number">Against version ${against.version}</th>`}</tr></thead>
<tbody>${shown.map(
    ({ metric, words, value }) =>
      html`<tr><th scope="row">${words}</th><td class="number">${figure(value)}</td><td class="number">${interval(intervals[metric])}</td>${against === null ? '' : html`<td class="number">${signed(against.difference[metric]?.value)} <span class="quiet small">${interval(against.difference[metric])}</span></td>`}</tr>`,
  )}</tbody></table></div>
${requirements.map((each) => html`<p class="small">${stateMark(each.passed ? 'published' : 'failed', each.passed ? 'met' : 'not met')} ${each.message}</p>`)}
${notes.map((note) => html`<p class="small quiet">${note}</p>`)}`
}
