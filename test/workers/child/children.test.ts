import { readdirSync, readFileSync } from 'node:fs'
import { afterEach, expect, it } from 'vitest'
import type { Usage } from '../../../src/pipeline/engine/facts.ts'
import { Failure } from '../../../src/pipeline/engine/failure.ts'
import { stackOf } from '../../../src/pipeline/engine/stack.ts'
import { type Children, openChildren } from '../../../src/workers/child/children.ts'
import { endless } from '../../pipeline/onnx/endless-model.ts'
import { forest } from '../../pipeline/onnx/forest.ts'
import { type Case, openCase } from '../../pipeline/scoring-case.ts'

let children: Children | undefined
let each: Case | undefined
afterEach(async () => {
  await children?.close()
  each?.remove()
})

const failureOf = async (work: Promise<unknown>): Promise<Failure> => {
  const error: unknown = await work.catch((thrown: unknown) => thrown)
  if (!(error instanceof Failure)) throw new Error(`expected a Failure, got: ${String(error)}`)
  return error
}

/** Processes that this one has started and that run the compute child. */
function computeChildren(): number[] {
  return readdirSync('/proc').flatMap((name) => {
    try {
      const parent = / (\d+)/.exec(readFileSync(`/proc/${name}/stat`, 'utf8').replace(/^.*\) ./s, ''))?.[1]
      const program = readFileSync(`/proc/${name}/cmdline`, 'utf8')
      return Number(parent) === process.pid && program.includes('workers/child/child.js')
        ? [Number(name)]
        : []
    } catch {
      return []
    }
  })
}

it('a task that does not end is ended at its timeout, by the setting of its purpose', async () => {
  each = await openCase({ model: endless, sql: 'SELECT 1 AS id, 0.5::FLOAT AS x' })
  children = openChildren({ places: 1 })
  const failure = await failureOf(children.run('scores', each.request, { lane: 'monitor', timeoutMs: 500 }))
  expect(failure.failureClass).toBe('resource')
  expect(failure.evidence).toMatchObject({ ended: 'timeout', timeout_ms: 500 })
})

it('with one place, work beside the nights holds up neither a night nor a back-filled one', async () => {
  each = await openCase({ model: endless, sql: 'SELECT 1 AS id, 0.5::FLOAT AS x' })
  children = openChildren({ places: 1 })
  const stuck = children.run('scores', each.request, { lane: 'monitor', timeoutMs: 3_600_000 })
  const backfill = children.run('scores', each.request, { lane: 'backfill', timeoutMs: 3_600_000 })
  const ended = Promise.allSettled([stuck, backfill])
  await expect(children.run('warm', {}, { lane: 'nightly' })).resolves.toEqual({})
  await children.close()
  const reasons = (await ended).map((one) => (one.status === 'rejected' ? String(one.reason) : 'done'))
  expect(reasons).toEqual(Array(2).fill(expect.stringContaining('the worker is closing')))
})

it.runIf(process.platform === 'linux')(
  'what ends two children by their own fault is held, and not tried for ever',
  async () => {
    each = await openCase({ model: endless, sql: 'SELECT 1 AS id, 0.5::FLOAT AS x' })
    children = openChildren({ places: 1 })
    const ended = failureOf(children.run('scores', each.request))
    const crashed = new Set<number>()
    while (crashed.size < 2) {
      await expect
        .poll(() => computeChildren().filter((pid) => !crashed.has(pid)).length, { timeout: 50_000 })
        .toBeGreaterThan(0)
      for (const pid of computeChildren().filter((found) => !crashed.has(found))) {
        crashed.add(pid)
        process.kill(pid, 'SIGSEGV')
      }
    }
    const failure = await ended
    expect(failure.failureClass).toBe('contract')
    expect(failure.message).toContain('twice by SIGSEGV')
  },
)

it.runIf(process.platform === 'linux')(
  'a compute process reports nothing to the vendor of its engine, and is what the kernel ends first',
  async () => {
    children = openChildren({ places: 1, warm: true })
    const [pid] = computeChildren()
    const seen = (file: string) => readFileSync(`/proc/${pid}/${file}`, 'utf8')
    await expect.poll(() => seen('oom_score_adj').trim(), { timeout: 60_000 }).toBe('800')
    expect(seen('environ').split('\0')).toContain('ORT_DISABLE_TELEMETRY=1')
  },
)

it('a bug in a child keeps the stack trace of the child', async () => {
  children = openChildren({ places: 1 })
  // What no caller sends.
  const failure = await failureOf(children.run('listing', JSON.parse('{}')))
  expect(failure.failureClass).toBe('bug')
  expect(stackOf(failure)).toMatch(/\n {4}at .*src\/pipeline\/sources\/listing\.ts/)
})

it.runIf(process.platform === 'linux')('a task says what it used of its share, well or not', async () => {
  each = await openCase({
    model: forest({ trees: 2, depth: 2, features: 1 }),
    sql: 'SELECT range AS id, 0.5::FLOAT AS x FROM range(1000)',
  })
  const memory = { text: '4GB', bytes: 4e9, share: undefined }
  children = openChildren({ places: 2, memory: () => ({ memory, temp: memory }) })
  const used: Usage[] = []
  await children.run('scores', each.request, { onUsage: (usage) => used.push(usage) })
  const gone = { ...each.request, features: `${each.request.features}.gone` }
  await failureOf(children.run('scores', gone, { onUsage: (usage) => used.push(usage) }))
  expect(used).toHaveLength(2)
  for (const { memory: peak, limit, spilled } of used) {
    expect(peak).toBeGreaterThan(20e6)
    expect(limit).toBeLessThan(4e9 / 2)
    expect(spilled).toBe(0)
  }
})

it.runIf(process.platform === 'linux')(
  'a task over its share is ended where all hold more than the whole, and told so',
  async () => {
    each = await openCase({ model: endless, sql: 'SELECT 1 AS id, 0.5::FLOAT AS x' })
    const memory = { text: '1MB', bytes: 1e6, share: undefined }
    children = openChildren({ places: 1, memory: () => ({ memory, temp: memory }) })
    const failure = await failureOf(children.run('scores', each.request))
    expect(failure.failureClass).toBe('resource')
    expect(failure.evidence).toMatchObject({ ended: 'memory', total: 1e6 })
  },
)

it('the worker goes on while a child computes without a break', async () => {
  each = await openCase({ model: endless, sql: 'SELECT 1 AS id, 0.5::FLOAT AS x' })
  children = openChildren({ places: 1 })
  let begun = false
  let turns = 0
  const count = setInterval(() => begun && turns++, 10)
  const work = children.run('scores', each.request, { timeoutMs: 3000, onChild: () => (begun = true) })
  const failure = await failureOf(work)
  clearInterval(count)
  expect(failure.evidence).toMatchObject({ ended: 'timeout' })
  // A loop that stood still for the task would have had one.
  expect(turns).toBeGreaterThan(20)
})

it.runIf(process.platform === 'linux')('children of a pool that is closed work for the next', async () => {
  const both = async () => {
    const pool = openChildren({ places: 2 })
    await Promise.all([pool.run('warm', {}), pool.run('warm', {})])
    const seen = computeChildren()
    await pool.close()
    return seen
  }
  const first = await both()
  expect(first.length).toBeGreaterThanOrEqual(2)
  expect(first).toEqual(expect.arrayContaining(await both()))
})
