import { afterEach, describe, expect, it } from 'vitest'
import { type NodeProto, TENSOR } from '../../../src/pipeline/onnx/proto.ts'
import { scorePartition } from '../../../src/pipeline/scoring/score-partition.ts'
import { tryModel } from '../../../src/pipeline/scoring/trial.ts'
import type { UnknownPolicy } from '../../../src/project/project.ts'
import { attribute, tensorValue } from '../onnx/attribute.ts'
import { small } from '../onnx/small.ts'
import { type Case, openCase } from '../scoring-case.ts'

const opened: Case[] = []
afterEach(() => {
  for (const each of opened.splice(0)) each.remove()
})

/** Adds the first place of the encoding to a number: a score of 1 for `No`, else 0. */
const model = (cats: NodeProto['attribute'] = [attribute.strings('cats_strings', ['No', 'Yes'])]) =>
  small(
    [tensorValue('partner', 'string', ['n', 1])],
    [tensorValue('y', 'float32', ['n', 1])],
    [
      {
        op_type: 'OneHotEncoder',
        domain: 'ai.onnx.ml',
        input: ['partner'],
        output: ['hot'],
        attribute: cats,
      },
      {
        op_type: 'ReduceMax',
        input: ['hot'],
        output: ['y'],
        attribute: [attribute.ints('axes', [1, 2]), attribute.int('keepdims', 0)],
      },
    ],
  )

const rows = (...values: (string | null)[]) =>
  `SELECT i AS id, [${values.map((value) => (value === null ? 'NULL' : `'${value}'`)).join(', ')}][i + 1]::VARCHAR AS partner FROM range(${values.length}) t(i) ORDER BY id`

async function night(sql: string, more: { unknown?: Record<string, UnknownPolicy>; fill?: string } = {}) {
  const fill = more.fill === undefined ? {} : { partner: more.fill }
  const each = await openCase({ model: withVector(), sql, fill, score: { min: 0, max: 1 } })
  opened.push(each)
  return scorePartition({ ...each.request, unknown: more.unknown })
}

function withVector() {
  const made = model()
  return { ...made, graph: { ...made.graph, output: [tensorValue('y', 'float32', ['n'])] } }
}

describe('values that a model does not know', () => {
  it('are counted by value, and warned of', async () => {
    const { unknown, warnings, checks } = await night(rows('Yes', 'true', 'true', 'No', 'false', 'yes'))
    expect(unknown).toEqual([
      {
        column: 'partner',
        rows: 6,
        unknown: 4,
        examples: [
          { value: 'true', rows: 2 },
          { value: 'false', rows: 1 },
          { value: 'yes', rows: 1 },
        ],
        known: ['No', 'Yes'],
        knows: 2,
        kind: 'encoder',
        refuses: false,
      },
    ])
    expect(warnings).toContain(
      'partner: 4 of 6 rows (67 %) have values that the model does not know (true, false, yes); it knows No, Yes',
    )
    expect(checks.every(({ passed }) => passed)).toBe(true)
  })

  it('are none where every row is known, and a null is what fill puts in its place', async () => {
    expect((await night(rows('Yes', null, 'No'), { fill: 'No' })).unknown).toMatchObject([
      { unknown: 0, examples: [] },
    ])
    expect((await night(rows('Yes', null, 'No'), { fill: '' })).unknown).toMatchObject([
      { unknown: 1, examples: [{ value: '', rows: 1 }] },
    ])
  })

  it('hold the night above the declared rate alone', async () => {
    const night4 = rows('Yes', 'No', 'No', 'maybe')
    const at = async (max_rate: number) => {
      const { checks, warnings } = await night(night4, {
        unknown: { partner: { unknown: 'hold', max_rate } },
      })
      expect(warnings.join()).not.toContain('partner')
      return checks.find(({ id }) => id === 'partner.unknown')
    }
    expect(await at(0.25)).toMatchObject({
      passed: true,
      kind: 'column.unknown',
      observed: 0.25,
      bound: 0.25,
    })
    expect(await at(0.2)).toMatchObject({ passed: false, samples: [{ partner: 'maybe', rows: '1' }] })
  })

  it('are counted for a version that an earlier build registered', async () => {
    const each = await openCase({ model: withVector(), sql: rows('x', 'Yes') })
    opened.push(each)
    const { vocabularies: _, ...mapping } = each.mapping
    expect((await scorePartition({ ...each.request, mapping })).unknown).toMatchObject([{ unknown: 1 }])
  })

  it('are counted against very many values, which the ledger does not keep', async () => {
    const many = Array.from({ length: 6000 }, (_, index) => `city ${index}`)
    const made = model([attribute.strings('cats_strings', many)])
    const sql = "SELECT i AS id, 'city ' || i * 2 AS partner FROM range(4000) t(i) ORDER BY id"
    const each = await openCase({ model: made, sql })
    opened.push(each)
    expect(each.mapping.vocabularies).toBeUndefined()
    expect((await scorePartition(each.request)).unknown).toMatchObject([
      { rows: 4000, unknown: 1000, knows: 6000 },
    ])
  })

  it('end the night with their column where the model fails on them', async () => {
    const strict = model([attribute.strings('cats_strings', ['No', 'Yes']), attribute.int('zeros', 0)])
    const each = await openCase({ model: strict, sql: rows('No', 'maybe') })
    opened.push(each)
    await expect(scorePartition(each.request)).rejects.toMatchObject({
      failureClass: 'contract',
      message:
        'partner: 1 of 2 rows (50 %) have values that the model does not know (maybe); it knows No, Yes, and fails on any other: give it one of these in features.sql',
    })
  })
})

describe('numbers that a model turns into texts', () => {
  /** A score of 1 for a number whose text the encoder knows. */
  const model = (type: 'float32' | 'float64', texts: string[]) =>
    small(
      [tensorValue('partner', type, ['n', 1])],
      [tensorValue('y', 'float32', ['n'])],
      [
        {
          op_type: 'Cast',
          input: ['partner'],
          output: ['t'],
          attribute: [attribute.int('to', TENSOR.string)],
        },
        {
          op_type: 'OneHotEncoder',
          domain: 'ai.onnx.ml',
          input: ['t'],
          output: ['hot'],
          attribute: [attribute.strings('cats_strings', texts)],
        },
        {
          op_type: 'ReduceMax',
          input: ['hot'],
          output: ['y'],
          attribute: [attribute.ints('axes', [1, 2]), attribute.int('keepdims', 0)],
        },
      ],
    )
  const VALUES = ['0', '-0.0', '1', '1.5', '0.1', '1e15', '123456789', '0.0001', '1e-40', "'nan'", "'-inf'"]
  const KNOWN = {
    float32: ['0', '1.5', '0.1', '9.9999999e+14', '1.2345679e+08', '9.9999997e-05', 'NaN', '-INF'],
    float64: ['-0', '1', '0.1', '1e+15', '0.0001', '1e-40', 'NaN'],
  }

  it.each(['float32', 'float64'] as const)('are known where the engine knows them (%s)', async (type) => {
    const column = type === 'float32' ? 'FLOAT' : 'DOUBLE'
    const list = VALUES.map((value) => `${value}::${column}`).join(', ')
    const sql = `SELECT i AS id, [${list}][i + 1] AS partner FROM range(${VALUES.length}) t(i) ORDER BY id`
    const each = await openCase({ model: model(type, KNOWN[type]), sql, score: { min: 0, max: 1 } })
    opened.push(each)
    const { summary, unknown } = await scorePartition(each.request)
    const known = (summary.mean ?? 0) * VALUES.length
    expect(Math.round(known)).toBe(KNOWN[type].length)
    expect(unknown).toMatchObject([{ rows: VALUES.length, unknown: VALUES.length - KNOWN[type].length }])
  })

  it('are refused at registration where the model was trained on texts as another program writes them', async () => {
    const sql = 'SELECT i AS id, (i % 2)::FLOAT AS partner FROM range(10) t(i) ORDER BY id'
    const each = await openCase({ model: model('float32', ['0.0', '1.0']), sql })
    opened.push(each)
    expect((await tryModel(each.request)).unfit).toEqual([
      expect.stringContaining(
        'partner: 10 of 10 rows (100 %) have values that the model does not know (0, 1); it knows 0.0, 1.0',
      ),
    ])
  })
})

describe('a trial', () => {
  it('refuses a column of which the model knows no value, unless that is allowed', async () => {
    const each = await openCase({ model: withVector(), sql: rows('true', 'false') })
    opened.push(each)
    const { unfit } = await tryModel(each.request)
    expect(unfit).toEqual([
      "partner: 2 of 2 rows (100 %) have values that the model does not know (false, true); it knows No, Yes. Give it these in features.sql, such as CASE WHEN partner THEN 'Yes' ELSE 'No' END; if the model is to go without them, write in model.yaml: onnx: { unknown: { partner: allow } }",
    ])
    for (const allowed of [true as const, ['partner']]) {
      expect(await tryModel({ ...each.request, allowed })).toMatchObject({ unfit: [], rows: 2 })
    }
    expect((await tryModel({ ...each.request, allowed: ['other'] })).unfit).toHaveLength(1)
  })

  it('is content where some rows are known', async () => {
    const each = await openCase({ model: withVector(), sql: rows('true', 'Yes') })
    opened.push(each)
    expect(await tryModel(each.request)).toMatchObject({ unfit: [], unread: [], unknown: [{ unknown: 1 }] })
  })
})
