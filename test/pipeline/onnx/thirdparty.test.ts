import { existsSync, readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { afterEach, describe, expect, it } from 'vitest'
import { inspectModel } from '../../../src/pipeline/onnx/inspect.ts'
import { planMapping } from '../../../src/pipeline/onnx/mapping.ts'
import { scorePartition } from '../../../src/pipeline/scoring/score-partition.ts'
import { type Case, openCase } from '../scoring-case.ts'

const folder = fileURLToPath(new URL('../../../../shared/data/onnx/', import.meta.url))
const missing = !existsSync(folder)

const opened: Case[] = []
afterEach(() => {
  for (const each of opened.splice(0)) each.remove()
})

/** Rows of `width` floats between 0 and 8, as a SELECT. */
const floats = (width: number) =>
  `SELECT i AS id, ${Array.from({ length: width }, (_, index) => `(hash(i * 31 + ${index}) % 80 / 10)::FLOAT AS c${index}`).join(', ')} FROM range(7) t(i) ORDER BY id`

interface Outcome {
  file: string
  /** Columns to feed. */
  width: number
  /** Classes whose scores add up to one; undefined for a regression. */
  classes?: number
}
const scored: Outcome[] = [
  { file: 'ankane_lightgbm.onnx', width: 2, classes: 3 },
  { file: 'ankane_randomforest.onnx', width: 4, classes: 3 },
  { file: 'logreg_iris.onnx', width: 2, classes: 3 },
  { file: 'tract_lgbm_classifier.onnx', width: 13, classes: 3 },
  { file: 'tract_linear_classifier.onnx', width: 12, classes: 14 },
  { file: 'tract_lgbm_regressor.onnx', width: 13 },
  { file: 'yalue_dynamic_axes.onnx', width: 10 },
]
const refused: [file: string, message: RegExp][] = [
  ['identity_string.onnx', /the model gives no score, only: output:0 \(string \[2, 2\]\)/],
  [
    'yalue_float16.onnx',
    /InputA is a float16 tensor|OutputA is a bfloat16 tensor, which ONNX Runtime for Node cannot read or write: export the model in float32/,
  ],
  [
    'yalue_multitype.onnx',
    /input InputA \(uint8 \[1, 1, 1\]\): cannot feed a tensor of type uint8; legal types: float32/,
  ],
  [
    'yalue_needs_extensions.onnx',
    /operator StringUpper of domain ai.onnx.contrib \(node upper\) is not included in ONNX Runtime/,
  ],
  // Without the locale en_US.UTF-8 the engine cannot open it; with it there is still no score.
  [
    'yalue_strings.onnx',
    /ONNX Runtime cannot open the model: .*Failed to construct locale|the model gives no score, only: output_lower \(string/,
  ],
]

async function scoresOf(file: string, width: number, onnx: { class?: number }): Promise<number[]> {
  const each = await openCase({ model: readFileSync(`${folder}${file}`), sql: floats(width), onnx })
  opened.push(each)
  await scorePartition(each.request)
  return (await each.query('SELECT p FROM $file')).map(([score]) => Number(score))
}

describe.skipIf(missing)(`models of other people${missing ? ` (absent: ${folder})` : ''}`, () => {
  it.each(scored)('scores $file, every class of it', async ({ file, width, classes }) => {
    await inspectModel(`${folder}${file}`)
    if (classes === undefined) {
      const scores = await scoresOf(file, width, {})
      expect(scores).toHaveLength(7)
      expect(scores.every(Number.isFinite)).toBe(true)
      expect(new Set(scores).size).toBeGreaterThan(2)
      return
    }
    await expect(scoresOf(file, width, {})).rejects.toThrow(`has ${classes} classes`)
    const sums = new Float64Array(7)
    for (let index = 0; index < classes; index++) {
      for (const [row, score] of (await scoresOf(file, width, { class: index })).entries()) {
        expect(score).toBeGreaterThanOrEqual(0)
        expect(score).toBeLessThanOrEqual(1.000001)
        sums[row] = (sums[row] ?? 0) + score
      }
    }
    for (const sum of sums) expect(sum).toBeCloseTo(1, 5)
  })

  it('scores the same row alike at every place of a batch that the file fixes', async () => {
    const forwards = await scoresOf('logreg_iris.onnx', 2, { class: 1 })
    const each = await openCase({
      model: readFileSync(`${folder}logreg_iris.onnx`),
      sql: `SELECT * REPLACE (-id AS id) FROM (${floats(2)}) ORDER BY id`,
      onnx: { class: 1 },
    })
    opened.push(each)
    expect(each.mapping.batch).toBe(3)
    await scorePartition({ ...each.request, batch: 4, threads: 2 })
    const backwards = (await each.query('SELECT p FROM $file')).map(([score]) => Number(score))
    expect(backwards.reverse()).toEqual(forwards)
  })

  it.each(refused)('refuses %s with a sentence', async (file, message) => {
    const register = async () => {
      const facts = await inspectModel(`${folder}${file}`)
      const type = facts.inputs[0]?.type === 'string' ? 'VARCHAR' : 'FLOAT'
      planMapping(facts, {
        inputs: ['a', 'b'].map((name) => ({ name, type })),
        onnx: { output: undefined, class: undefined, unknown: [], inputs: {} },
        score: { column: 'p', min: undefined, max: undefined, threshold: undefined },
        fill: {},
      })
    }
    await expect(register()).rejects.toThrow(message)
  })
})
