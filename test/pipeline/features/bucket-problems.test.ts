import { join } from 'node:path'
import { beforeEach, expect, test } from 'vitest'
import { describeView } from '../../../src/pipeline/features/compute-features.ts'
import type { Source } from '../../../src/project/project.ts'
import { makeFolder, makeView, writeParquet } from '../feature-case.ts'

let root: string
beforeEach(async () => {
  root = makeFolder()
  for (const bucket of [0, 1])
    await writeParquet(
      join(root, `lake/calls/bucket=${bucket}/calls.parquet`),
      `SELECT ${bucket} AS id, TIMESTAMP '2026-03-01' AS t, 'a' AS line`,
    )
  await writeParquet(
    join(root, 'lake/people/bucket=0/people.parquet'),
    `SELECT 'x' AS id, 'a' AS name, 1.5::DOUBLE AS weight`,
  )
})

const events = (more: Partial<Source<'events'>>): Source => ({
  kind: 'events',
  path: 'lake/calls/bucket=*/*.parquet',
  event_time: 't',
  buckets: 'bucket',
  ...more,
})

async function problems(sources: Record<string, Source>, sql: string, entity = ['id']): Promise<string[]> {
  const view = { ...makeView(root, { sql, sources, entity }), perEntity: true, shards: 2 }
  const { problems: found } = await describeView({ root, view, timezone: 'UTC' })
  return found
    .filter(({ severity }) => severity === 'error')
    .map(
      ({ file, line, message }) =>
        `${[file, line].filter((part) => part !== undefined).join(':')} ${message}`,
    )
}

const SQL = 'SELECT id, count(*) AS n FROM calls GROUP BY id\n'

test('buckets that fit are let through', async () => {
  expect(await problems({ calls: events({}) }, SQL)).toEqual([])
  expect(await problems({ calls: events({ buckets: 'BUCKET' }) }, SQL)).toEqual([])
})

test('a key that the folders do not have is named, with those that they have', async () => {
  expect(
    await problems({ calls: events({ path: 'lake/calls/**/*.parquet', buckets: 'buckt' }) }, SQL),
  ).toEqual([
    'features/view/view.yaml sources.calls.buckets: expected a key of its folders, got: buckt; they have: bucket; did you mean bucket?',
  ])
})

test('a source without a column of the entity, and one in which it may be written in several ways', async () => {
  expect(await problems({ calls: events({}) }, SQL.replaceAll('id', 'line'), ['id'])).toContainEqual(
    expect.stringContaining('entity: expected a column of features.sql, got: id'),
  )
  expect(
    await problems({ calls: events({}) }, 'SELECT line AS person, count(*) AS n FROM calls GROUP BY line\n', [
      'person',
    ]),
  ).toContainEqual(
    expect.stringContaining(
      'sources.calls has buckets, and no column person of the entity: its columns are: id, t, line, bucket. Name it so by select',
    ),
  )
  const people: Source = { kind: 'static', path: 'lake/people/bucket=*/*.parquet', buckets: 'bucket' }
  expect(await problems({ people }, 'SELECT weight, name FROM people\n', ['weight'])).toEqual([
    expect.stringContaining(
      'sources.people.weight is DOUBLE, and an entity in buckets has to be a whole number',
    ),
  ])
  const both =
    'SELECT id, c.n FROM people JOIN (SELECT id::VARCHAR AS id, count(*) AS n FROM calls GROUP BY ALL) c USING (id)\n'
  expect(await problems({ calls: events({}), people }, both)).toEqual([
    expect.stringMatching(
      /view.yaml id is INTEGER in calls and VARCHAR in people: sources in buckets have to have/,
    ),
    expect.stringMatching(
      /features.sql:1 per_entity of view.yaml: features.sql groups by columns without the entity/,
    ),
  ])
})

test('SQL that mixes entities is refused with its line', async () => {
  const sql = `SELECT id,\n  count(*) / sum(count(*)) OVER () AS share\nFROM calls GROUP BY id\n`
  expect(await problems({ calls: events({}) }, sql)).toEqual([
    expect.stringMatching(
      /^features\/view\/features.sql:2 per_entity .* window over rows of several entities/,
    ),
  ])
})
