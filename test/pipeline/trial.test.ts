import { afterEach, describe, expect, it } from 'vitest'
import { tensorValue } from '../../src/pipeline/onnx/attribute.ts'
import { tryModel } from '../../src/pipeline/trial.ts'
import { small } from './onnx/small.ts'
import { type Case, openCase } from './scoring-case.ts'

const opened: Case[] = []
afterEach(() => {
  for (const each of opened.splice(0)) each.remove()
})

const same = small(
  [tensorValue('x', 'float32', ['n', 1])],
  [tensorValue('y', 'float32', ['n', 1])],
  [{ op_type: 'Identity', input: ['x'], output: ['y'] }],
)

async function attempt(sql: string, rows?: number) {
  const each = await openCase({ model: same, sql, score: { min: 0, max: 9999 } })
  opened.push(each)
  return tryModel({ ...each.request, rows })
}

describe('tryModel', () => {
  it('scores rows from all over the file', async () => {
    const trial = await attempt('SELECT i AS id, i::FLOAT AS x FROM range(10000) t(i) ORDER BY id', 1000)
    expect(trial).toMatchObject({ rows: 1000, min: 0, max: 9990, mean: 4995, warnings: [] })
    expect(trial.checks.map(({ id, passed }) => [id, passed])).toEqual([
      ['score.finite', true],
      ['score.range', true],
    ])
  })

  it('scores every row of a small file, and none of an empty one', async () => {
    const sql = 'SELECT i AS id, i::FLOAT AS x FROM range(7) t(i) ORDER BY id'
    expect(await attempt(sql)).toMatchObject({ rows: 7, max: 6 })
    expect(await attempt(`${sql} LIMIT 0`)).toMatchObject({ rows: 0, mean: undefined, warnings: [] })
  })

  it('tells checks that a night would be held for, with the entity', async () => {
    const { checks } = await attempt('SELECT i AS id, (i - 1)::FLOAT AS x FROM range(3) t(i) ORDER BY id')
    expect(checks.filter(({ passed }) => !passed)).toMatchObject([
      { id: 'score.range', samples: [{ id: '0', p: '-1.0' }] },
    ])
  })

  it('warns of integers that float32 rounds and of scores that are all the same', async () => {
    const big = await attempt('SELECT i AS id, 16777216 + i AS x FROM range(3) t(i) ORDER BY id')
    expect(big.warnings).toEqual([
      'column x reaches 16777218, and float32 rounds integers beyond 16777216: was the model trained on it so?',
    ])
    const flat = await attempt('SELECT i AS id, 0.5::FLOAT AS x FROM range(3) t(i) ORDER BY id')
    expect(flat.warnings).toEqual([
      'all 3 rows have the score 0.5: are the columns those that the model was trained on, in that order?',
    ])
  })
})
