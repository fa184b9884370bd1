import { z } from 'zod'
import { METRICS, type Metric } from '../../../project/schema/metric.ts'
import type { EvaluationRecord } from '../../../registry/evaluations.ts'

const Numbers = z.array(z.number())
const Bound = z.number().nullable()
const Interval = z.object({ low: Bound, high: Bound })
const Figures = z.record(z.string(), z.number().nullable())
const Curves = z.object({
  ranking: z.object({ score: Numbers, rows: Numbers, positives: Numbers }).nullable(),
  tenths: z.array(
    z.object({ rows: z.number(), mean_score: z.number(), realized: z.number(), low: Bound, high: Bound }),
  ),
  histogram: z.object({
    from: z.number(),
    to: z.number(),
    series: z.array(
      z.object({
        name: z.enum(['positives', 'negatives', 'scores', 'labels']),
        mean: z.number().nullable(),
        counts: Numbers,
      }),
    ),
  }),
})
const part = {
  rows: z.number(),
  metrics: Figures.default({}),
  intervals: z.record(z.string(), Interval).default({}),
  champion: Figures.nullable().default(null),
}

/** The output of `evaluate --json`; old records lack parts of it. */
const Report = z.looseObject({
  kind: z.enum(['classification', 'regression']).optional(),
  rows: z.number().optional(),
  entities: z.number().optional(),
  positives: z.number().nullable().default(null),
  as_of: z.array(z.string()).default([]),
  k: z.number().optional(),
  intervals: z.record(z.string(), Interval).default({}),
  confusion: z
    .object({
      threshold: z.number(),
      true_positive: z.number(),
      false_positive: z.number(),
      true_negative: z.number(),
      false_negative: z.number(),
    })
    .nullable()
    .default(null),
  curves: z.object({ version: Curves.nullable(), champion: Curves.nullable() }).optional(),
  by_as_of: z.array(z.object({ ...part, as_of: z.string() })).default([]),
  by_segment: z.array(z.object({ ...part, segment: z.string(), value: z.string() })).default([]),
  requirements: z.array(z.object({ passed: z.boolean(), message: z.string() })).default([]),
  notes: z.array(z.string()).default([]),
  against_champion: z
    .object({
      version: z.number(),
      metrics: Figures.default({}),
      difference: z.record(z.string(), Interval.extend({ value: Bound })).default({}),
    })
    .nullable()
    .default(null),
})

/** An evaluation as pages show it. */
export type Evaluation = Omit<EvaluationRecord, 'report'> &
  z.output<typeof Report> & { metrics: Partial<Record<Metric, number>> }

/** Reads what was recorded; parts that an old record lacks are empty. */
export function readEvaluation({ report, ...record }: EvaluationRecord): Evaluation {
  const parsed = Report.safeParse(report)
  const found = parsed.success ? parsed.data : Report.parse({})
  const metrics = Object.fromEntries(
    METRICS.flatMap((metric) => {
      const value = found[metric]
      return typeof value === 'number' ? [[metric, value]] : []
    }),
  )
  return { ...found, ...record, metrics }
}
