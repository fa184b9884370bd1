import { html } from 'hono/html'
import { count, figure, interval, signed } from '../../../format/numbers.ts'
import { highestRows } from '../../../format/shares.ts'
import { GROWTH, STEP } from '../../../pipeline/evaluation/curves.ts'
import { METRIC_TABLE } from '../../../project/schema/metric.ts'
import { moment } from '../../moment.ts'
import { stateMark } from '../../state-mark.ts'
import { column, table } from '../../table.ts'
import { type Compared, evaluationPictures } from './evaluation-pictures.ts'
import type { Evaluation } from './evaluation-record.ts'

/** The champion of an evaluation's day on the same rows; undefined if no other version was, or it could not score them. */
export function championOf(own: Evaluation): Compared | undefined {
  const { against_champion: against, curves, by_as_of, by_segment } = own
  if (against === null || against.version === own.version) return undefined
  return {
    name: championName(against),
    metrics: numbersOf(against.metrics),
    curves: curves?.champion ?? null,
    asOf: (asOf) => by_as_of.find((part) => part.as_of === asOf)?.champion ?? undefined,
    segment: (segment, value) =>
      by_segment.find((part) => part.segment === segment && part.value === value)?.champion ?? undefined,
  }
}

function championName({ version }: { version: number }): string {
  return `champion version ${version}`
}

/** The evaluation of another version on the same holdout. */
export function evaluationAsRival(other: Evaluation): Compared {
  return {
    name: `version ${other.version}`,
    metrics: other.metrics,
    curves: other.curves?.version ?? null,
    asOf: (asOf) => other.by_as_of.find((part) => part.as_of === asOf)?.metrics,
    segment: (segment, value) =>
      other.by_segment.find((part) => part.segment === segment && part.value === value)?.metrics,
  }
}

function numbersOf(metrics: Record<string, number | null>): Compared['metrics'] {
  return Object.fromEntries(Object.entries(metrics).filter(([, value]) => value !== null))
}

/** All of an evaluation: its verdict, figures, requirements and pictures, beside what it is compared with. */
export async function evaluationBody(own: Evaluation, other: Compared | undefined, timezone: string) {
  const pictures = await evaluationPictures(own, other)
  const none =
    own.curves === undefined
      ? 'the evaluation was recorded before they were kept. Evaluate the version again to get them.'
      : 'a score is not a finite number.'
  return html`<section class="card" aria-labelledby="figures"><h2 id="figures">Figures</h2>
${evaluationFigures(own, other, timezone)}</section>
${
  pictures.length === 0
    ? html`<section class="card"><p>There are no pictures: ${none}</p></section>`
    : html`<div class="charts">${pictures}</div>
<p class="small quiet">Curves are drawn from a few hundred points: a share is within ${STEP * 100} percentage point of the exact one, a precision within ${GROWTH * 100}. Figures are exact. Intervals of figures resample entities; those of calibration take rows for independent.</p>`
}`
}

/** Verdict, figures, requirements and notes, without pictures. */
export function evaluationFigures(own: Evaluation, other: Compared | undefined, timezone: string) {
  return html`${summary(own, timezone)}
${figuresTable(own, other)}
${own.requirements.map((each) => html`<p class="small">${stateMark(each.passed ? 'published' : 'failed', each.passed ? 'met' : 'not met')} ${each.message}</p>`)}
${own.requirements.length === 0 ? html`<p class="small quiet">No requirements: evaluation.require in model.yaml sets what a version must reach.</p>` : ''}
${own.notes.map((note) => html`<p class="small quiet">${note}</p>`)}`
}

/** `passed: on the holdout of a1b2, 12,000 rows of 4,000 entities, 310 positives, as of ...`. */
function summary(own: Evaluation, timezone: string) {
  const { passed, at, by, dataset, rows, entities, positives, as_of } = own
  const sample = [
    ...(rows === undefined ? [] : [`${count(rows)} rows`]),
    ...(entities === undefined ? [] : [`${count(entities)} entities`]),
    ...(positives === null ? [] : [`${count(positives)} positives`]),
    ...(as_of.length === 0
      ? []
      : [
          `as of ${as_of.length > 3 ? `${as_of[0]} to ${as_of.at(-1)}, ${as_of.length} dates` : as_of.join(', ')}`,
        ]),
  ]
  return html`<p>${stateMark(passed ? 'published' : 'failed', passed ? 'passed' : 'not passed')} <span class="small quiet">${moment(at, timezone)}${by === null ? '' : ` by ${by}`}, on the holdout of <code>${dataset}</code>${sample.length === 0 ? '' : `: ${sample.join(', ')}`}</span></p>`
}

function figuresTable(own: Evaluation, other: Compared | undefined) {
  const { metrics, intervals, against_champion: against } = own
  const shown = METRIC_TABLE.filter(({ key }) => metrics[key] !== undefined)
  const plain = { class: 'number' }
  const paired = against !== null && other?.name === championName(against)
  type Row = (typeof shown)[number]
  return table(
    `Figures of version ${own.version}`,
    shown,
    [
      column<Row>(
        'Figure',
        ({ key, words, better }) =>
          html`${words} <span class="quiet small nowrap">${better} is better</span>${key.endsWith('_at_k') && own.k !== undefined ? html` <span class="quiet small nowrap">k: ${highestRows(own.k)}</span>` : ''}`,
      ),
      { heading: `Version ${own.version}`, cell: ({ key }) => figure(metrics[key]), ...plain },
      { heading: '95 % interval', cell: ({ key }) => interval(intervals[key]), ...plain },
      ...(other === undefined
        ? []
        : [
            {
              heading: capitalized(other.name),
              cell: ({ key }: Row) => figure(other.metrics[key], 'none'),
              ...plain,
            },
          ]),
      ...(paired
        ? [
            {
              heading: 'Difference (95 % interval)',
              cell: ({ key }: Row) =>
                html`${signed(against.difference[key]?.value)} <span class="quiet small">${interval(against.difference[key])}</span>`,
              ...plain,
            },
          ]
        : []),
    ],
    { class: '', scroll: `Figures of version ${own.version}` },
  )
}

function capitalized(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1)
}
