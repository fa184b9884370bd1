import { join } from 'node:path'
import { beforeEach, expect, it } from 'vitest'
import { describeLabels } from '../../../src/pipeline/dataset/describe-labels.ts'
import { type LabelKind, labelKind } from '../../../src/project/rules/label-kind.ts'
import { makeFolder, makeView, writeParquet } from '../feature-case.ts'

let root: string
beforeEach(async () => {
  root = makeFolder()
  await writeParquet(
    join(root, 'data/a.parquet'),
    `SELECT i AS id, 'yes' AS answer, i AS amount, TIMESTAMP '2026-11-01' AS ts FROM range(9) t(i)`,
  )
})

async function problemsOf(label: string, kind: LabelKind = 'classes'): Promise<string[]> {
  const view = makeView(root, {
    sql: 'SELECT id FROM t',
    sources: { t: { kind: 'events', path: 'data/*.parquet', event_time: 'ts' } },
  })
  const sqlFile = join(root, 'models/m/labels.sql')
  const sql = `SELECT id, ${label} AS gone FROM t`
  const { problems } = await describeLabels({ root, view, sql, sqlFile, timezone: 'UTC', kind })
  return problems.map(({ message, line }) => `${line}: ${message}`)
}

it.each([
  [
    'answer',
    /^1: expected the label gone to be a number or BOOLEAN, got: VARCHAR; write \("gone" = 'yes'\)::INTEGER AS "gone"/,
  ],
  ['ts::DATE', /^1: .*got: DATE; write/],
  [
    "CASE WHEN answer = 'yes' THEN 2 ELSE 1 END",
    /^1: .*0 or 1, or BOOLEAN, got: 1 and 2; write \("gone" = 2\)::INTEGER/,
  ],
  ["(CASE answer WHEN 'yes' THEN 1 WHEN 'no' THEN 2 WHEN 'x' THEN 3 ELSE 0 END)::FLOAT", /got: 0 and 3/],
  [
    "CASE WHEN answer = 'yes' THEN 1 END",
    /^1: .*in every row, got null \(or NaN\) in some rows.*, or an ELSE$/,
  ],
  ["CASE WHEN answer = 'yes' THEN 1 ELSE NULL END", /in every row, got null/],
  ['NULL::INTEGER', /in every row, got null/],
])('validate refuses %s as a label, with what to write', async (label, message) => {
  expect(await problemsOf(label)).toEqual([expect.stringMatching(message)])
})

it.each([
  ["(answer = 'yes')", 'classes'],
  ["(answer = 'yes')::INTEGER", 'classes'],
  ["CASE WHEN answer = 'yes' THEN 1 ELSE 0 END", 'classes'],
  ["CASE WHEN answer = 'yes' THEN 0.5 ELSE 0.0 END", 'classes'],
  ["CASE WHEN answer = 'yes' THEN 1 ELSE 2 END", 'number'],
  ['amount', 'classes'],
  ['amount::DECIMAL(12, 2)', 'unsaid'],
] as const)('%s is a label of %s', async (label, kind) => {
  expect(await problemsOf(label, kind)).toEqual([])
})

it('a model foretells what its metrics say, else what its score may be', () => {
  expect(labelKind({ min: 0, max: 1 }, {})).toBe('classes')
  expect(labelKind({ min: 0, max: 1 }, { rmse: {} })).toBe('number')
  expect(labelKind({}, { auc: { min: 0.7 } })).toBe('classes')
  expect(labelKind({ min: 0, max: 500 }, {})).toBe('number')
  expect(labelKind({ min: 0 }, {})).toBe('unsaid')
})
