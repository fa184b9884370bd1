/**
 * Nights one after the other by the calls that a compute child makes, in one process, with nothing around them: no queue,
 * ledger or publication. `tsx bare-loop.ts '<LoopTask as JSON>'` prints a Measured.
 */
import { mkdirSync, rmSync } from 'node:fs'
import { availableParallelism } from 'node:os'
import { join } from 'node:path'
import { computeFeatures } from '../src/pipeline/features/compute-features.ts'
import type { MappingPlan } from '../src/pipeline/onnx/mapping.ts'
import { scorePartition } from '../src/pipeline/scoring/score-partition.ts'
import { warmScorers } from '../src/pipeline/scoring/scorers.ts'
import { openProject } from '../src/project/files/load-project.ts'
import { parseAsOf } from '../src/project/time/asof.ts'
import type { Measured } from './program.ts'

export interface LoopTask {
  root: string
  /** Labels of the nights. */
  nights: string[]
  /** Absolute path of the version's file. */
  model: string
  mapping: MappingPlan
  /** Written anew. */
  out: string
}

async function main(task: LoopTask): Promise<Measured> {
  const project = openProject(task.root)
  const [view, model] = [project.views.activity, project.models.scored]
  if (view === undefined || model === undefined) throw new Error('expected the project of the benchmark')
  const threads = availableParallelism()
  warmScorers(threads)
  const { root } = task
  const night = async (label: string): Promise<number> => {
    const folder = join(task.out, label)
    const temp = join(folder, 'tmp')
    mkdirSync(temp, { recursive: true })
    const [features, scores] = [join(folder, 'features.parquet'), join(folder, 'scores.parquet')]
    const knownAt = new Date().toISOString()
    const asOf = parseAsOf(label, project.timezone)
    const shared = { temp, threads, metadata: { as_of: label } }
    await computeFeatures({ ...shared, root, view, asOf, knownAt, timezone: project.timezone, out: features })
    const { score, unknown } = model
    const { mapping } = task
    const version = { model: task.model, mapping, version: 1, entity: view.entity, score, unknown }
    return (await scorePartition({ ...shared, ...version, features, out: scores })).file.rows
  }
  rmSync(task.out, { recursive: true, force: true })
  await night(task.nights[0] ?? '')
  const begun = performance.now()
  const used = process.cpuUsage()
  let rows = 0
  for (const label of task.nights) rows += await night(label)
  const { user, system } = process.cpuUsage(used)
  return {
    seconds: (performance.now() - begun) / 1000,
    processor_seconds: (user + system) / 1e6,
    rows,
    steps: {},
  }
}

console.log(JSON.stringify(await main(JSON.parse(process.argv[2] ?? ''))))
process.exit(0)
