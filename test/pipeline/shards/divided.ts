import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import type { FeatureFacts } from '../../../src/pipeline/engine/facts.ts'
import type * as Failures from '../../../src/pipeline/engine/failure.ts'
import type * as Features from '../../../src/pipeline/features/compute-features.ts'
import type * as Shards from '../../../src/pipeline/shards/compute-shard.ts'
import type * as Divisions from '../../../src/pipeline/shards/divide-features.ts'
import type * as Joins from '../../../src/pipeline/shards/join-features.ts'
import type { Source } from '../../../src/project/project.ts'
import { parseAsOf } from '../../../src/project/time/asof.ts'
import { built } from '../../faults/built.ts'
import { type CaseView, makeFolder, makeView, writeParquet } from '../feature-case.ts'

// Of the program that may lack a guard.
const { Failure } = await built<typeof Failures>('pipeline/engine/failure.ts')
const { computeShard } = await built<typeof Shards>('pipeline/shards/compute-shard.ts')
export const { computeFeatures } = await built<typeof Features>('pipeline/features/compute-features.ts')
export const { divideFeatures } = await built<typeof Divisions>('pipeline/shards/divide-features.ts')
export const { joinFeatures } = await built<typeof Joins>('pipeline/shards/join-features.ts')

export const AS_OF = '2026-03-03'
const BUCKETS = 5

/** Plain data, as from a queue. */
function copied<T>(value: T): T {
  return JSON.parse(JSON.stringify(value))
}

export function request(root: string, view: CaseView, shards: number): Features.FeatureRequest {
  const folder = makeFolder()
  mkdirSync(join(folder, 'parts'))
  mkdirSync(join(folder, 'tmp'))
  return {
    root,
    view: { ...makeView(root, view), perEntity: true, shards, minShard: 1 },
    asOf: parseAsOf(AS_OF, 'UTC'),
    knownAt: '2026-03-03T02:00:00Z',
    timezone: 'UTC',
    out: join(folder, 'features.parquet'),
    temp: join(folder, 'tmp'),
    threads: 2,
    metadata: { run: 'test' },
  }
}

export async function divide(asked: Features.FeatureRequest): Promise<Divisions.Division> {
  const division = await divideFeatures(asked)
  if (division === undefined) throw new Error('the night is not divided')
  return copied(division)
}

/** Computes the shards of a night, one after the other. */
export async function partsOf(
  asked: Features.FeatureRequest,
  division: Divisions.Division,
): Promise<Shards.FeaturePart[]> {
  const { groups, snapshots, pinned, bucketed, entityTypes, viewHash } = division
  const parts: Shards.FeaturePart[] = []
  for (const [index, { buckets }] of groups.entries()) {
    const shard = index + 1
    const part = await computeShard({
      ...asked,
      share: { buckets, snapshots },
      pinned,
      bucketed,
      entityTypes,
      viewHash,
      shard,
      shards: groups.length,
      out: join(asked.out, '..', 'parts', `${shard}.parquet`),
      entities: join(asked.out, '..', 'parts', `${shard}-entities.parquet`),
    })
    parts.push(copied(part))
  }
  return parts
}

/** The Failure with which something ends. */
export async function failureOf(work: Promise<unknown>): Promise<Failures.Failure> {
  const error: unknown = await work.then(
    () => undefined,
    (reason: unknown) => reason,
  )
  if (error instanceof Failure) return error
  throw new Error(`expected a Failure, got: ${error}`)
}

/** The night in shards, and at once. */
export async function both(
  root: string,
  view: CaseView,
  shards: number,
): Promise<{
  whole: FeatureFacts
  joined: FeatureFacts
  parts: Shards.FeaturePart[]
  division: Divisions.Division
}> {
  const whole = await computeFeatures(request(root, view, 1))
  const asked = request(root, view, shards)
  const division = await divide(asked)
  const parts = await partsOf(asked, division)
  return { whole, joined: await joinFeatures({ ...asked, parts, division }), parts, division }
}

/** The rows of a source, `b` among them, each written under the bucket of its own `b`. */
export async function writeBuckets(
  root: string,
  name: string,
  rows: string,
  { buckets = BUCKETS, day = '' }: { buckets?: number; day?: string } = {},
): Promise<void> {
  for (let bucket = 0; bucket < buckets; bucket++)
    await writeParquet(
      join(root, `lake/${name}${day === '' ? '' : `/day=${day}`}/bucket=${bucket}/${name}.parquet`),
      `SELECT * EXCLUDE (b) FROM (${rows}) WHERE b = ${bucket} ORDER BY ALL`,
    )
}

/** A lake of 100 entities in five buckets: calls of two days, a history of customers, copies of balances, and rates. */
export async function writeLake(root: string): Promise<void> {
  for (const day of ['2026-03-01', '2026-03-02'])
    await writeBuckets(
      root,
      'calls',
      `SELECT (i % 100)::INTEGER AS id, TIMESTAMP '${day} 00:00:00' + INTERVAL (i) MINUTE AS t, (i % 13)::DOUBLE / 7 AS seconds, i % 100 % ${BUCKETS} AS b FROM range(700) r(i)`,
      { day },
    )
  // Two states of each: the later one is after the cut for every third.
  await writeBuckets(
    root,
    'customers',
    `SELECT i::BIGINT AS id, TIMESTAMP '2026-01-01' AS since, 'old' AS plan, i % ${BUCKETS} AS b FROM range(100) r(i)
     UNION ALL SELECT i, CASE WHEN i % 3 = 0 THEN TIMESTAMP '2026-04-01' ELSE TIMESTAMP '2026-02-01' END, 'new', i % ${BUCKETS} FROM range(100) r(i)`,
  )
  // The last copy before the cut is of another hour in each bucket, and its newest in bucket 3 alone.
  await writeBuckets(
    root,
    'balances',
    `SELECT i::BIGINT AS id, TIMESTAMP '2026-03-02 08:00:00' + INTERVAL (i % ${BUCKETS} % 4) HOUR AS copied, i AS balance, i % ${BUCKETS} AS b FROM range(100) r(i)`,
  )
  await writeParquet(
    join(root, 'lake/rates.parquet'),
    `SELECT * FROM (VALUES ('old', 2), ('new', 3)) v(plan, rate)`,
  )
}

const calls = {
  kind: 'events',
  path: 'lake/calls/day=*/bucket=*/*.parquet',
  event_time: 't',
  buckets: 'bucket',
} satisfies Source
const customers = {
  kind: 'history' as const,
  path: 'lake/customers/bucket=*/*.parquet',
  key: ['id'],
  valid_from: 'since',
  buckets: 'bucket',
} satisfies Source
const balances = {
  kind: 'snapshots',
  path: 'lake/balances/bucket=*/*.parquet',
  snapshot_at: 'copied',
  buckets: 'bucket',
} satisfies Source
const rates = { kind: 'static', path: 'lake/rates.parquet' } as const

export const LAKE: CaseView = {
  sources: { calls, customers, balances, rates },
  sql: `SELECT c.id, c.plan, r.rate, coalesce(k.n, 0) AS n, k.seconds, k.last, b.balance
FROM customers c JOIN rates r ON r.plan = c.plan
LEFT JOIN (SELECT id, count(*) AS n, sum(seconds)::FLOAT AS seconds, max(t) AS last FROM calls WHERE t >= $as_of - INTERVAL 30 DAY GROUP BY id) k ON k.id = c.id
LEFT JOIN balances b ON b.id = c.id
`,
}
