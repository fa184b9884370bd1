import { join } from 'node:path'
import { checkLeaks, type LeakFacts } from '../../../src/pipeline/leaks/check-leaks.ts'
import { parseAsOf } from '../../../src/project/time/asof.ts'
import { type CaseView, duration, makeView, writeParquet } from '../feature-case.ts'

/** Purchases of 200 customers over 180 days, at any second of the day, as a table that cases build on. */
export const PURCHASES = `SELECT i % 200 AS id,
    TIMESTAMP '2026-01-01' + to_seconds((hash(i) % 15552000)::BIGINT) AS happened,
    (hash(i, 1) % 100)::DOUBLE AS amount
  FROM range(6000) t(i)`

/** Whether a customer buys for more than 60 within 30 days: the purchases before say next to nothing of it. */
const LABELS = `SELECT id, (coalesce(max(amount) FILTER (happened >= $as_of), 0) > 60)::INTEGER AS buys FROM purchases GROUP BY id`

export interface LeakCase extends CaseView {
  /** Empty: those that the check chooses itself, which takes three times as long. Default: one within the data. */
  asOfs?: string[]
  labels?: string
  timezone?: string
}

export async function writePurchases(root: string): Promise<void> {
  await writeParquet(join(root, 'data/purchases/all.parquet'), PURCHASES)
}

export const purchases = { kind: 'events', path: 'data/purchases/*.parquet', event_time: 'happened' } as const

export function leaksOf(
  root: string,
  { asOfs = ['2026-04-10'], labels = LABELS, timezone = 'UTC', ...view }: LeakCase,
): Promise<LeakFacts> {
  return checkLeaks({
    root,
    model: 'm',
    view: makeView(root, view),
    labels: {
      sql: labels,
      sqlFile: join(root, 'models/m/labels.sql'),
      horizon: duration('30d'),
      lag: duration('0d'),
    },
    asOfs: asOfs.map((asOf) => parseAsOf(asOf, timezone)),
    timezone,
    now: '2026-11-01T00:00:00Z',
    threads: 2,
    release: 'test',
  })
}

/** The findings in short: kind, source, column. */
export function named({ leaks }: LeakFacts): string[] {
  return leaks.map(({ kind, severity, source, column }) =>
    [severity === 'warning' ? `(${kind})` : kind, ...(source === null ? [] : [source]), column ?? '-'].join(
      ' ',
    ),
  )
}
