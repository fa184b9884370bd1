/**
 * `npm run bench:rollback`: seconds from the command to readers that see the former version's scores, warm (it scored
 * the night in shadow) and cold (it has to score it now). A reader opens the published file again and again meanwhile.
 */
import { spawn } from 'node:child_process'
import { readFileSync, writeFileSync } from 'node:fs'
import { open } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { parquetMetadataAsync } from 'hyparquet'
import { AS_OF, type BenchProject, benchProject } from './data.ts'
import { benchModel } from './model.ts'
import { cli, field, stop } from './nightshift.ts'

const CLI = fileURLToPath(new URL('../dist/cli.js', import.meta.url))
const FOLDER = fileURLToPath(new URL('../.nightshift/bench', import.meta.url))
const { values } = parseArgs({
  options: {
    customers: { type: 'string', default: '1000000' },
    rounds: { type: 'string', default: '3' },
  },
})

const project = await benchProject(join(FOLDER, 'rollback'), Number(values.customers))
const second = join(project.root, 'second.onnx')
writeFileSync(second, benchModel(2))
const scores = join(project.root, `warehouse/scores/scored/as_of=${AS_OF}/scores.parquet`)
const run = (...args: string[]) => cli(project, process.env, ...args, '--json')

const former = Number(field(await run('register', 'scored', project.model), 'version'))
const champion = Number(field(await run('register', 'scored', second), 'version'))
const up = spawn(process.execPath, [CLI, 'worker', '--project', project.root], {
  stdio: ['ignore', 'ignore', 'ignore'],
})
try {
  await sleep(3000)
  for (const kind of ['warm', 'cold'] as const) {
    keepWarm(project, kind === 'warm' ? 7 : 0)
    for (let round = 1; round <= Number(values.rounds); round++) {
      await promoted(former)
      await run('run', 'scored', '--as-of', AS_OF)
      await promoted(champion)
      // Features of a run of their own: what the shadow has scored before is not what it would say now.
      await run('run', 'scored', '--as-of', AS_OF, '--force')
      if (kind === 'warm') await scoredInShadow()
      const begun = performance.now()
      const seen = untilReadersSee(former)
      // Where the command fails first, that is told, and the worker is stopped.
      seen.catch(() => {})
      const result = await run('rollback', 'scored', '--to', String(former))
      const ended = (performance.now() - begun) / 1000
      console.log(
        `${values.customers} rows, ${kind}, round ${round}: readers see version ${former} after ${(await seen).toFixed(2)} s, ` +
          `the command ends after ${ended.toFixed(2)} s (rescored ${field(result, 'rescored')})`,
      )
    }
  }
} finally {
  await stop(up)
}

async function promoted(version: number): Promise<void> {
  await run('promote', 'scored', '--version', String(version), '--override', 'benchmark', '--by', 'bench')
}

function keepWarm({ root }: BenchProject, nights: number): void {
  const yaml = join(root, 'models/scored/model.yaml')
  const text = readFileSync(yaml, 'utf8').replace(/^rollback:.*\n/m, '')
  writeFileSync(yaml, `${text}rollback: { keep_warm_nights: ${nights} }\n`)
}

/** Until the shadow has scored the night on the features that stand; its file says on which. */
async function scoredInShadow(): Promise<void> {
  const shadow = join(
    project.root,
    `warehouse/shadow/scored/challenger=${former}/as_of=${AS_OF}/scores.parquet`,
  )
  const features = await metadataOf(scores, 'features_run')
  while ((await metadataOf(shadow, 'features_run').catch(() => undefined)) !== features) await sleep(200)
  await sleep(2000)
}

/** Seconds until the published file is the former version's. */
async function untilReadersSee(version: number): Promise<number> {
  const begun = performance.now()
  while ((await metadataOf(scores, 'version')) !== String(version)) await sleep(20)
  return (performance.now() - begun) / 1000
}

/** Opened once, as a reader does: size and bytes of one file, whatever takes its place meanwhile. */
async function metadataOf(path: string, key: string): Promise<string | undefined> {
  const handle = await open(path)
  try {
    const { size } = await handle.stat()
    const { key_value_metadata: pairs } = await parquetMetadataAsync({
      byteLength: size,
      async slice(start, end = size) {
        const { buffer } = await handle.read(new Uint8Array(end - start), 0, end - start, start)
        return buffer.buffer
      },
    })
    return pairs?.find((pair) => pair.key === key)?.value
  } finally {
    await handle.close()
  }
}
