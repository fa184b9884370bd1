import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, expect, it } from 'vitest'
import { classify } from '../../../src/pipeline/engine/classify.ts'
import { openEngine } from '../../../src/pipeline/engine/duckdb.ts'
import { boundEngines, sessionsWithin, spilledBytes } from '../../../src/pipeline/engine/engine-bounds.ts'
import { makeFolder } from '../feature-case.ts'

afterEach(() => boundEngines(undefined))

function open() {
  const temp = join(makeFolder(), 'temp')
  mkdirSync(temp)
  return openEngine({ readable: [], writable: [], temp, threads: 1, timezone: 'UTC' })
}

/** Some 150 MB. */
const LARGE = 'CREATE TABLE large AS SELECT range AS a, hash(range)::VARCHAR AS b FROM range(5000000)'

it('an engine works within the bounds of its process and spills the rest, which is counted', async () => {
  boundEngines({ memory: 200e6, temp: { bytes: 2e9, share: undefined } })
  const engine = await open()
  await engine.run(LARGE)
  const spilled = spilledBytes()
  expect(spilled).toBeGreaterThan(10e6)
  expect(await engine.row('SELECT count(*)::INTEGER AS n FROM large')).toEqual({ n: 5_000_000 })
  engine.close()
  expect(spilledBytes()).toBeGreaterThanOrEqual(spilled)
  boundEngines({ memory: 200e6, temp: { bytes: 2e9, share: undefined } })
  expect(spilledBytes()).toBe(0)
})

it('who spills more than may be spilled fails for want of resources, with both numbers', async () => {
  boundEngines({ memory: 200e6, temp: { bytes: 20e6, share: undefined } })
  const engine = await open()
  const failure = classify(await engine.run(LARGE).catch((error: unknown) => error))
  engine.close()
  expect(failure.failureClass).toBe('resource')
  expect(failure.evidence.engine).toBe('Out of Memory')
  expect(failure.message).toMatch(/\d+\.\d MiB\/19\.0 MiB used/)
})

it('a large model gets fewer sessions, and always one', () => {
  boundEngines({ memory: 1e9, temp: { bytes: undefined, share: 1 } })
  expect([1e6, 100e6, 900e6].map((bytes) => sessionsWithin(bytes, 4))).toEqual([4, 1, 1])
  boundEngines(undefined)
  expect(sessionsWithin(900e6, 4)).toBe(4)
})
