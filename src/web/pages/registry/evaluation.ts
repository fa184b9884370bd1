import { html } from 'hono/html'
import { z } from 'zod'
import { count, figure, interval, signed } from '../../../format/numbers.ts'
import { METRIC_TABLE } from '../../../project/schema/metric.ts'
import type { EvaluationRecord } from '../../../registry/evaluations.ts'
import { moment } from '../../moment.ts'
import { stateMark } from '../../state-mark.ts'
import { column, table } from '../../table.ts'

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
  const plain = { class: 'number' }
  const figures = table(
    `Figures of version ${version}`,
    shown,
    [
      column('Figure', ({ words }) => words),
      { heading: 'Value', cell: ({ value }) => figure(value), ...plain },
      { heading: '95 % interval', cell: ({ metric }) => interval(intervals[metric]), ...plain },
      ...(against === null
        ? []
        : [
            {
              heading: `Against version ${against.version}`,
              cell: ({ metric }: (typeof shown)[number]) =>
                html`${signed(against.difference[metric]?.value)} <span class="quiet small">${interval(against.difference[metric])}</span>`,
              ...plain,
            },
          ]),
    ],
    { class: 'narrow', scroll: `Evaluation ${id}` },
  )
  return html`${head}
${figures}
${requirements.map((each) => html`<p class="small">${stateMark(each.passed ? 'published' : 'failed', each.passed ? 'met' : 'not met')} ${each.message}</p>`)}
${notes.map((note) => html`<p class="small quiet">${note}</p>`)}`
}
