import { join } from 'node:path'
import type { TemporaryProject } from './cdnow.ts'
import { generatedProject, smallModel, writeParquet } from './generated.ts'

const BUCKETS = 8

/** view.yaml of events in buckets of the customer, computed in so many shards. */
export function viewFile({ shards }: { shards: number }): string {
  return `view: activity
entity: customer_id
owner: data@example.com
per_entity: ${shards > 1}
shards: ${shards}
min_shard: 1KB
sources:
  events: { path: data/events/bucket=*/*.parquet, kind: events, event_time: happened_at${shards > 1 ? ', buckets: bucket' : ''} }
  weights: { path: data/weights.parquet, kind: static }
`
}

export const SQL = `SELECT e.customer_id, sum(e.amount * w.weight)::FLOAT AS spend, count(*)::FLOAT AS orders
FROM events e JOIN weights w ON w.day = dayofweek(e.happened_at) GROUP BY e.customer_id
`

/** A project as `generatedProject`, whose events lie in eight buckets of the customer, with a small table beside them. */
export async function divisibleProject(
  { customers, shards = 1 }: { customers: number; shards?: number },
  model: Uint8Array = smallModel(),
): Promise<TemporaryProject> {
  const project = await generatedProject({ customers: 1, sql: SQL }, model)
  await project.write('features/activity/view.yaml', viewFile({ shards }))
  for (let bucket = 0; bucket < BUCKETS; bucket++)
    await writeParquet(
      join(project.root, `data/events/bucket=${bucket}/events.parquet`),
      `SELECT i AS customer_id, TIMESTAMP '2026-03-01 12:00:00' AS happened_at, (i % 7)::DOUBLE AS amount FROM range(${customers}) t(i) WHERE i % ${BUCKETS} = ${bucket}`,
    )
  await writeParquet(
    join(project.root, 'data/weights.parquet'),
    `SELECT day, day + 1 AS weight FROM range(7) t(day)`,
  )
  return project
}
