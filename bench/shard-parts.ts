import { mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { computeFeatures, type FeatureRequest } from '../src/pipeline/features/compute-features.ts'
import { computeShard, type FeaturePart } from '../src/pipeline/shards/compute-shard.ts'
import { divideFeatures } from '../src/pipeline/shards/divide-features.ts'
import { joinFeatures } from '../src/pipeline/shards/join-features.ts'
import { openProject } from '../src/project/files/load-project.ts'
import { parseAsOf } from '../src/project/time/asof.ts'
import { AS_OF } from './data.ts'

/**
 * Processor seconds of the parts of a night's features in shards, in this process, over the data that `npm run bench:shards --
 * --features` has left: at once, the division, each shard, the join.
 */
const { values } = parseArgs({
  options: { rows: { type: 'string', default: '1000000' }, shards: { type: 'string', default: '4' } },
})
const root = fileURLToPath(new URL(`../.nightshift/bench/shards-${values.rows}`, import.meta.url))
const folder = mkdtempSync(join(tmpdir(), 'nightshift-bench-'))
for (const name of ['tmp', 'parts']) mkdirSync(join(folder, name))
const view = openProject(root).views.usage
if (view === undefined) throw new Error('run npm run bench:shards -- --features first')
const request: FeatureRequest = {
  root,
  view: { ...view, shards: Number(values.shards), minShard: 1 },
  asOf: parseAsOf(AS_OF, 'UTC'),
  knownAt: new Date().toISOString(),
  timezone: 'UTC',
  out: join(folder, 'features.parquet'),
  temp: join(folder, 'tmp'),
  threads: 2,
  metadata: { run: 'bench' },
}

async function timed<T>(name: string, act: () => Promise<T>): Promise<T> {
  const before = process.cpuUsage()
  const result = await act()
  const { user, system } = process.cpuUsage(before)
  const steps =
    typeof result === 'object' && result !== null && 'steps' in result ? JSON.stringify(result.steps) : ''
  console.log(`${name}: processor ${((user + system) / 1e6).toFixed(2)} s ${steps}`)
  return result
}

try {
  await timed('at once', () => computeFeatures(request))
  const again = await timed('at once, again', () => computeFeatures(request))
  const division = await timed('division', () => divideFeatures(request))
  if (division === undefined) throw new Error('the night is not divided')
  const { pinned, snapshots, bucketed, entityTypes, viewHash, groups } = division
  const parts: FeaturePart[] = []
  for (const [index, { buckets }] of groups.entries()) {
    const shard = index + 1
    const part = await timed(`shard ${shard}`, () =>
      computeShard({
        ...request,
        share: { buckets, snapshots },
        ...{ pinned, bucketed, entityTypes, viewHash, shard, shards: groups.length },
        out: join(folder, `parts/${shard}.parquet`),
        entities: join(folder, `parts/${shard}-entities.parquet`),
      }),
    )
    parts.push(part)
  }
  const joined = await timed('join', () => joinFeatures({ ...request, parts, division }))
  console.log(`the same file: ${joined.file.sha256 === again.file.sha256}`)
} finally {
  rmSync(folder, { recursive: true, force: true })
}
