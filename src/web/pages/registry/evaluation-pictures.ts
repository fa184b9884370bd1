import { html } from 'hono/html'
import { calibrationChart } from '../../../charts/evaluation/calibration-chart.ts'
import { classHistogram } from '../../../charts/evaluation/class-histogram.ts'
import { type PartFigure, partsChart } from '../../../charts/evaluation/parts-chart.ts'
import {
  baseRate,
  type Decided,
  foundAt,
  gains,
  lift,
  precisionRecall,
  type RankedSide,
  roc,
  type Sides,
} from '../../../charts/evaluation/ranking-charts.ts'
import { overTime } from '../../../charts/over-time.ts'
import { bracketed, count, figure } from '../../../format/numbers.ts'
import { percent } from '../../../format/shares.ts'
import { type Metric, wordsOf } from '../../../project/schema/metric.ts'
import type { Html } from '../../layout.ts'
import { picture } from '../model/picture.ts'
import type { Evaluation } from './evaluation-record.ts'

/** What an evaluation is compared with: the champion of its day, or the evaluation of another version. */
export interface Compared {
  name: string
  metrics: Evaluation['metrics']
  curves: NonNullable<NonNullable<Evaluation['curves']>['version']> | null
  /** Its figures by as-of and by value of a segment. */
  asOf: (asOf: string) => Evaluation['by_as_of'][number]['metrics'] | undefined
  segment: (segment: string, value: string) => Evaluation['by_as_of'][number]['metrics'] | undefined
}

/** The most values of a segment that a picture shows. */
const MOST = 20
/** The share of rows that sentences speak of. */
const TOP = 0.1

/** Every picture of an evaluation, each with a sentence. Empty for records from before curves were kept. */
export async function evaluationPictures(own: Evaluation, other: Compared | undefined): Promise<Html[]> {
  const curves = own.curves?.version
  if (curves == null) return []
  const name = `version ${own.version}`
  const beside = other?.curves == null ? undefined : { ...other, curves: other.curves }
  const pictures = [
    ...(curves.ranking === null
      ? []
      : ranked(
          own,
          [
            { name, ranking: curves.ranking },
            ...(beside?.curves.ranking == null
              ? []
              : [{ name: beside.name, ranking: beside.curves.ranking }]),
          ],
          other,
        )),
    calibrated(own, [
      { name, tenths: curves.tenths },
      ...(beside === undefined ? [] : [{ name: beside.name, tenths: beside.curves.tenths }]),
    ]),
    scores(curves.histogram),
    byAsOf(own, other),
    ...[...new Set(own.by_segment.map(({ segment }) => segment))].map((segment) =>
      bySegment(own, segment, other),
    ),
  ]
  return Promise.all(pictures)
}

function ranked(own: Evaluation, sides: Sides<RankedSide>, other: Compared | undefined) {
  const { metrics, intervals } = own
  const [{ ranking }] = sides
  const decided = decidedAt(own)
  const [base, found] = [baseRate(ranking), foundAt(ranking, TOP)]
  const rival = sides[1]
  const against = (metric: Metric) =>
    other?.metrics[metric] === undefined ? '' : `; ${other.name}: ${figure(other.metrics[metric])}`
  const first = `${figure(metrics.auc)}${bracketed(intervals.auc)}`
  const texts = {
    roc: `ROC AUC ${first}${against('auc')}; a random order has 0.5.${
      decided === undefined
        ? ''
        : ` The threshold ${figure(decided.threshold)} finds ${percent(decided.found)} of the positives and flags ${percent(decided.flagged)} of the negatives.`
    }`,
    precision: `Average precision ${figure(metrics.average_precision)}${bracketed(intervals.average_precision)}${against('average_precision')}; a random order has ${figure(base)}, the share of positives.`,
    gains: `The highest-scored ${percent(TOP)} of the rows hold ${percent(found)} of the positives${rival === undefined ? '' : `; ${rival.name}: ${percent(foundAt(rival.ranking, TOP))}`}.`,
    lift: `The highest-scored ${percent(TOP)} of the rows hold ${figure(found / TOP)} times as many positives as a random order${rival === undefined ? '' : `; ${rival.name}: ${figure(foundAt(rival.ranking, TOP) / TOP)}`}.`,
  }
  return [
    picture(roc(sides, texts.roc, decided), { title: 'ROC', sentence: html`${texts.roc}` }),
    picture(precisionRecall(sides, texts.precision, decided), {
      title: 'Precision and recall',
      sentence: html`${texts.precision}`,
    }),
    picture(gains(sides, texts.gains), { title: 'Gains', sentence: html`${texts.gains}` }),
    picture(lift(sides, texts.lift), { title: 'Lift', sentence: html`${texts.lift}` }),
  ]
}

function decidedAt({ confusion }: Evaluation): Decided | undefined {
  if (confusion === null) return undefined
  const { threshold, true_positive, false_positive, true_negative, false_negative } = confusion
  const [positives, negatives] = [true_positive + false_negative, true_negative + false_positive]
  const flagged = true_positive + false_positive
  if (positives === 0 || negatives === 0 || flagged === 0) return undefined
  return {
    threshold,
    found: true_positive / positives,
    flagged: false_positive / negatives,
    precision: true_positive / flagged,
  }
}

function calibrated(own: Evaluation, sides: Parameters<typeof calibrationChart>[0]) {
  const classes = own.kind === 'classification'
  const show = (value: number) => (classes ? percent(value) : figure(value))
  const [{ tenths }] = sides
  const off = tenths.filter(
    ({ mean_score, low, high }) => low !== null && high !== null && (mean_score < low || mean_score > high),
  )
  const widest = tenths.reduce((worst, each) =>
    Math.abs(each.realized - each.mean_score) > Math.abs(worst.realized - worst.mean_score) ? each : worst,
  )
  const text = `Of ${tenths.length} groups of rows by score, ${off.length === 0 ? 'none lies' : `${off.length} ${off.length === 1 ? 'lies' : 'lie'}`} outside the 95 % interval of what came true. Along the dotted line, what came true is what was predicted. The largest gap: predicted ${show(widest.mean_score)}, came true ${show(widest.realized)}.${own.metrics.ece === undefined ? '' : ` Calibration error ${figure(own.metrics.ece)}${bracketed(own.intervals.ece)}.`}`
  return picture(calibrationChart(sides, { unit: classes ? 'share' : 'figure', description: text }), {
    title: 'Calibration',
    sentence: html`${text}`,
  })
}

function scores(histogram: Parameters<typeof classHistogram>[0]) {
  const means = histogram.series.map(({ name, mean }) => `${name} ${figure(mean, 'none')}`).toReversed()
  const classes = histogram.series.some(({ name }) => name === 'positives')
  const text = `${classes ? 'Mean score: ' : 'Means: '}${means.join(', ')}. ${classes ? 'Each class is drawn as shares of its own rows.' : 'Labels are what came true.'}`
  return picture(classHistogram(histogram, text), {
    title: classes ? 'Scores by class' : 'Scores and labels',
    sentence: html`${text}`,
  })
}

function metricOf({ kind }: Evaluation): Metric {
  return kind === 'regression' ? 'rmse' : 'auc'
}

function byAsOf(own: Evaluation, other: Compared | undefined) {
  const metric = metricOf(own)
  const parts = own.by_as_of
  const at = (bound: 'low' | 'high') => parts.map(({ intervals }) => intervals[metric]?.[bound] ?? null)
  const rivals = parts.map(({ as_of }) => other?.asOf(as_of)?.[metric] ?? null)
  const chart = overTime({
    title: `${wordsOf(metric)} by as-of`,
    nights: { labels: parts.map(({ as_of }) => as_of), marks: [] },
    unit: 'figure',
    tracks: [
      {
        name: `version ${own.version}`,
        as: 'line',
        colour: 'tonight',
        values: parts.map(({ metrics }) => metrics[metric] ?? null),
        band: { low: at('low'), high: at('high') },
      },
      ...(other === undefined || rivals.every((value) => value === null)
        ? []
        : [{ name: other.name, as: 'dashed' as const, colour: 'estimate' as const, values: rivals }]),
    ],
  })
  return picture(chart, {
    title: `${wordsOf(metric)} by as-of`,
    sentence: html`${rangeText(
      metric,
      parts.map(({ as_of, metrics }) => ({ name: as_of, value: metrics[metric] ?? null })),
    )}`,
    empty: parts.every(({ metrics }) => metrics[metric] == null),
  })
}

function bySegment(own: Evaluation, segment: string, other: Compared | undefined) {
  const metric = metricOf(own)
  const all = own.by_segment.filter((each) => each.segment === segment)
  const largest = all.toSorted((a, b) => b.rows - a.rows).slice(0, MOST)
  const parts: PartFigure[] = largest.map(({ value, rows, metrics, intervals }) => ({
    name: value,
    rows,
    value: metrics[metric] ?? null,
    low: intervals[metric]?.low ?? null,
    high: intervals[metric]?.high ?? null,
    other: other?.segment(segment, value)?.[metric] ?? null,
  }))
  const left = all.length - parts.length
  const text = `${rangeText(metric, parts)}${left === 0 ? '' : ` Shown are the ${parts.length} largest of ${count(all.length)} values.`}`
  const chart = partsChart({
    title: segment,
    description: text,
    metric: wordsOf(metric),
    parts,
    whole: own.metrics[metric] ?? null,
    sides: [
      `version ${own.version}`,
      ...(parts.some((part) => part.other !== null) && other !== undefined ? [other.name] : []),
    ] as [string, string?],
  })
  return picture(chart, {
    title: `${wordsOf(metric)} by ${segment}`,
    sentence: html`${text}`,
    empty: parts.every(({ value }) => value === null),
  })
}

/** `ROC AUC from 0.71 (north) to 0.8 (south).` */
function rangeText(metric: Metric, parts: { name: string; value: number | null }[]): string {
  const known = parts.flatMap(({ name, value }) => (value === null ? [] : [{ name, value }]))
  const ordered = known.toSorted((a, b) => a.value - b.value)
  const [low, high] = [ordered[0], ordered.at(-1)]
  if (low === undefined || high === undefined) return `${wordsOf(metric)} cannot be computed for any of them.`
  if (ordered.length === 1) return `${wordsOf(metric)} ${figure(low.value)} (${low.name}).`
  return `${wordsOf(metric)} from ${figure(low.value)} (${low.name}) to ${figure(high.value)} (${high.name}).`
}
