import type { Drift } from '../../src/pipeline/drift/drift-figures.ts'
import { NO_FIGURES } from '../../src/pipeline/drift/measures.ts'
import type { Metrics } from '../../src/pipeline/evaluation/metrics.ts'
import type { OutcomeFacts } from '../../src/pipeline/outcomes/outcome-facts.ts'
import type { ColumnProfile, Profile } from '../../src/pipeline/profile/profile.ts'
import { CATEGORIES, NUMBERS } from './files.ts'

/** Documents as large as real ones; nights share a few of them, since only their size and shape cost time. */
const ROWS = 100_000
const EDGES = 99

/** A profile of fifteen features and the score, on as many edges as a baseline has at most. */
export function profileOf(random: () => number): Profile {
  const columns = [...NUMBERS.map((name) => number(name, false, random)), number('probability', true, random)]
  return {
    rows: ROWS,
    entities: ROWS,
    columns: [...columns, ...CATEGORIES.map((name) => category(name, random))],
    left_out: [],
  }
}

function number(column: string, score: boolean, random: () => number): ColumnProfile {
  const mean = score ? 0.3 : 10 + 90 * random()
  const sd = score ? 0.15 : mean / 4
  const edges = Array.from({ length: EDGES }, (_, index) => mean + (sd * (index - EDGES / 2)) / 25)
  const weights = edges.map(() => 0.5 + random())
  const total = weights.reduce((sum, each) => sum + each, 1)
  const counts = [...weights, 1].map((weight) => Math.round((ROWS * weight) / total))
  const quantile = (share: number) => mean + sd * (share - 0.5) * 4
  return {
    kind: 'number',
    column,
    type: 'FLOAT',
    score,
    rows: ROWS,
    nulls: Math.round(ROWS * 0.01 * random()),
    distinct: 5000,
    infinite: 0,
    min: mean - 3 * sd,
    max: mean + 3 * sd,
    mean,
    sd,
    quantiles: [0.01, 0.05, 0.1, 0.25, 0.5, 0.75, 0.9, 0.95, 0.99].map(quantile),
    edges,
    counts,
  }
}

function category(column: string, random: () => number): ColumnProfile {
  const values = Array.from({ length: 12 }, (_, index) => `${column} number ${index + 1}`)
  return {
    kind: 'category',
    column,
    type: 'VARCHAR',
    score: false,
    rows: ROWS,
    nulls: 0,
    distinct: values.length,
    values,
    counts: values.map(() => Math.round((ROWS / values.length) * (0.8 + 0.4 * random()))),
    other: 0,
    unseen: Math.round(50 * random()),
    unseen_values: [{ value: 'something new', count: 17 }],
  }
}

/** The figures of one column, without what the SQL of the ledger keeps beside them. */
export function driftFigures(
  profile: ColumnProfile,
  random: () => number,
): Omit<Drift, 'column' | 'score' | 'drifted'> {
  const numeric = profile.kind === 'number'
  return {
    ...NO_FIGURES,
    rows: ROWS,
    psi: 0.02 * random(),
    jensen_shannon: 0.02 * random(),
    wasserstein: numeric ? 0.05 * random() : null,
    ks: numeric ? 0.03 * random() : null,
    null_rate: profile.nulls / ROWS,
    unseen_rate: numeric ? null : 0.0002,
    reference: { rows: 40_000, null_rate: 0.005, mean: numeric ? profile.mean : null },
    mean: numeric ? profile.mean : null,
    statistic: numeric ? 'psi' : 'jensen_shannon',
    threshold: 0.1,
    threshold_from: 'min_effect',
    p: random(),
    fired: [],
    note: null,
  }
}

export function outcomeOf(random: () => number): OutcomeFacts {
  const metrics: Metrics = {
    auc: 0.75 + 0.03 * random(),
    average_precision: 0.3 + 0.05 * random(),
    log_loss: 0.2,
    brier: 0.06,
    ece: 0.01,
    precision_at_k: 0.4,
    lift_at_k: 6,
  }
  const intervals = Object.fromEntries(
    Object.entries(metrics).map(([name, value]) => [
      name,
      { low: (value ?? 0) * 0.97, high: (value ?? 0) * 1.03 },
    ]),
  )
  const measured = { rows: ROWS, positives: 4_000, metrics, intervals }
  return {
    ...measured,
    kind: 'classification',
    scored: ROWS,
    unlabelled: 120,
    realized: { value: 0.04, low: 0.038, high: 0.042 },
    predicted: 0.041,
    calibration: Array.from({ length: 10 }, (_, index) => ({
      from: index / 10,
      to: (index + 1) / 10,
      rows: 10_000,
      mean_score: index / 10 + 0.05,
      realized: index / 10 + 0.04,
    })),
    by_segment: ['basic', 'plus', 'pro', 'business'].map((value) => ({
      ...measured,
      segment: 'plan',
      value,
    })),
    treated: { known: true, rows: 5_000, measured_on: 'untreated', biased: false, note: null },
    business: [
      { name: 'contacted', value: 5_000, target: 4_500, error: null },
      { name: 'saved', value: 700 * random(), target: 500, error: null },
    ],
    inputs: [],
    notes: [],
  }
}

/** `mulberry32`: the same history each time. */
export function randomFrom(seed: number): () => number {
  let state = seed
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296
  }
}
