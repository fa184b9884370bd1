import { afterEach, describe, expect, it } from 'vitest'
import { scorePartition } from '../../../src/pipeline/scoring/score-partition.ts'
import { bounds, comparable } from '../../../src/pipeline/scoring/score-threshold.ts'
import { openTally } from '../../../src/pipeline/scoring/tally.ts'
import { tensorValue } from '../onnx/attribute.ts'
import { small } from '../onnx/small.ts'
import { type Case, openCase } from '../scoring-case.ts'

let opened: Case | undefined
afterEach(() => opened?.remove())

const same = (type: 'float32' | 'float64') =>
  small(
    [tensorValue('x', type, ['n', 1])],
    [tensorValue('y', type, ['n', 1])],
    [{ op_type: 'Identity', input: ['x'], output: ['y'] }],
  )

/** How many rows are decided for, by the tally and by the published column. */
async function decided(type: 'float32' | 'float64', threshold: number, sql: string): Promise<unknown> {
  opened?.remove()
  opened = await openCase({ model: same(type), sql, score: { threshold } })
  const { summary } = await scorePartition(opened.request)
  const [[published] = []] = await opened.query('SELECT count(*) FILTER (decision)::INTEGER FROM $file')
  expect(published).toBe(summary.positive)
  return published
}

describe('a threshold', () => {
  it.each([0.7, 0.1, 0.3, 1 / 3, 0.30000000000000004, 1e-7, 123456.7])(
    '%d is met by the FLOAT that is written the same, and by no smaller one',
    async (threshold) => {
      const bits = new Float32Array([threshold, 0])
      new Int32Array(bits.buffer)[1] = (new Int32Array(bits.buffer)[0] ?? 0) - 1
      const [meets = 0, below = 0] = bits
      const rows = `SELECT 1 AS id, '${meets}'::DOUBLE::FLOAT AS x UNION ALL SELECT 2, '${below}'::DOUBLE::FLOAT ORDER BY id`
      expect(await decided('float32', threshold, rows)).toBe(1)
    },
  )

  it('of a DOUBLE score is met to its last bit', async () => {
    const rows = `SELECT 1 AS id, '0.30000000000000004'::DOUBLE AS x UNION ALL SELECT 2, '0.3'::DOUBLE ORDER BY id`
    expect(await decided('float64', 0.30000000000000004, rows)).toBe(1)
    expect(await decided('float64', 0.7, "SELECT 1 AS id, '0.7'::FLOAT::DOUBLE AS x")).toBe(0)
  })

  it('and bounds are rounded to the type of the output', () => {
    expect(comparable(0.7, { type: 'float32' })).toBe(Math.fround(0.7))
    expect(comparable(0.7, { type: 'float64' })).toBe(0.7)
    const { low, high } = bounds({ min: 16777217, max: 16777217 }, { type: 'float32' })
    expect(low).toBeLessThan(16777216)
    expect(high).toBeGreaterThan(16777216)
  })

  it('counts in the tally what the column decides', () => {
    const column = { column: 'p', min: undefined, max: undefined, threshold: 0.7 }
    const scores = Float64Array.of(Math.fround(0.7), 0.69, 0.7)
    const positive = (type: string) => {
      const tally = openTally(column, { type })
      tally.add(scores)
      return tally.total().positive
    }
    expect(positive('float32')).toBe(2)
    expect(positive('float64')).toBe(1)
  })
})
