import { html } from 'hono/html'
import { z } from 'zod'
import { count } from '../../../format/numbers.ts'
import type { Certificate } from '../../../monitoring/parity/record.ts'
import type { Project } from '../../../project/project.ts'
import { moment } from '../../moment.ts'
import { stateMark } from '../../state-mark.ts'

/** The parts of a certificate's report that the page shows; all are optional, because old reports may lack them. */
const Report = z.object({
  values: z.number().optional(),
  rounding: z.number().optional(),
  late: z.number().optional(),
  failure: z.object({ message: z.string() }).optional(),
  by_column: z
    .array(
      z.object({
        column: z.string(),
        differing: z.number(),
        examples: z
          .array(
            z.object({ entity: z.string(), published: z.string().nullable(), other: z.string().nullable() }),
          )
          .default([]),
      }),
    )
    .default([]),
})

/** Whether the training path computes the same values as serving; `withRows`: with a row that differs of each column. */
export function parity(certificate: Certificate | undefined, { timezone }: Project, withRows: boolean) {
  const head = html`<h2 id="parity">Serving and training</h2>`
  if (certificate === undefined) {
    return html`<section class="card" aria-labelledby="parity">${head}<p class="quiet">Not compared yet: the training path recomputes the features once no nightly work is open.</p></section>`
  }
  const parsed = Report.safeParse(certificate.report)
  const report = parsed.success ? parsed.data : undefined
  const { differing } = certificate
  const columns = (report?.by_column ?? []).filter((column) => column.differing > 0)
  const figures = html`${count(report?.values ?? 0)} values compared, ${count(differing ?? 0)} differ${(report?.rounding ?? 0) > 0 ? `, ${count(report?.rounding ?? 0)} by rounding alone` : ''}${(report?.late ?? 0) > 0 ? `, ${count(report?.late ?? 0)} because of late rows` : ''}`
  return html`<section class="card" aria-labelledby="parity">${head}
<p>${
    differing === null
      ? stateMark('expected', 'could not be compared')
      : stateMark(differing === 0 ? 'published' : 'failed', differing === 0 ? 'identical' : 'different')
  } ${differing === null ? (report?.failure?.message ?? '') : figures}</p>
${columns.map(
  ({ column, differing: own, examples }) =>
    html`<p class="small"><strong>${column}</strong>: ${count(own)} differ${examples[0] === undefined || !withRows ? '' : html`; ${examples[0].entity}: ${examples[0].published ?? 'null'} served, ${examples[0].other ?? 'null'} by training`}</p>`,
)}
<p class="small quiet">Checked ${moment(certificate.checked_at, timezone)}</p></section>`
}
