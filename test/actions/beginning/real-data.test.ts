import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, it } from 'vitest'
import { startFromData } from '../../../src/actions/beginning/start-from-data.ts'
import { SHARED } from '../../pipeline/feature-case.ts'

const hasData = existsSync(SHARED)
if (!hasData) console.warn(`skipped: ${SHARED} is not there`)

const folder = mkdtempSync(join(tmpdir(), 'nightshift-real-'))
afterAll(() => rmSync(folder, { recursive: true, force: true }))
const start = (name: string, data: string, more: { model?: string; features?: string } = {}) =>
  startFromData({
    root: join(folder, name),
    data: [join(SHARED, data)],
    model: undefined,
    features: undefined,
    entity: undefined,
    today: '2026-11-29',
    ...more,
  })

describe.skipIf(!hasData)('a project over real data', () => {
  it('telco: a CSV file without times, whose charges have blanks and whose label is a column', async () => {
    const started = await start('telco', 'telco/Telco-Customer-Churn.csv')
    expect(started).toMatchObject({
      entity: ['customerID'],
      rows: 7043,
      model: 'churn',
      problems: [],
      left_out: ['telco_customer_churn.Churn: it is the label'],
    })
    expect(readFileSync(join(folder, 'telco/features/customer_features/features.sql'), 'utf8')).toContain(
      'try_cast(TotalCharges AS FLOAT) AS total_charges  -- text; 11 blank ones read null',
    )
  })

  it('cdnow: purchases, with features and a model that were made elsewhere', async () => {
    const cdnow = (name: string) => join(SHARED, 'cdnow', name)
    const [matrix, named] = [
      await start('matrix', 'cdnow/purchases.parquet', {
        features: cdnow('features.sql'),
        model: cdnow('lapse_v1_gbdt.onnx'),
      }),
      await start('named', 'cdnow/purchases.parquet', {
        features: cdnow('features.sql'),
        model: cdnow('lapse_v2_logreg_zipmap.onnx'),
      }),
    ]
    for (const { as_of, rows, problems, unmatched_inputs } of [matrix, named])
      expect({ as_of, rows, problems, unmatched_inputs }).toEqual({
        as_of: '1998-07-01',
        rows: 2357,
        problems: [],
        unmatched_inputs: [],
      })
    const sureOf = ({ guesses }: typeof matrix) =>
      guesses.find(({ what }) => what.startsWith("the model's inputs are tenure_days, recency_days"))?.sure
    expect([sureOf(matrix), sureOf(named)]).toEqual(['unsure', 'sure'])
  })

  it('a file whose classes are two names: the one that is meant is left to the user, and asked for first', async () => {
    const classes = join(SHARED, '../cases/classes')
    const started = await startFromData({
      root: join(folder, 'classes'),
      data: [join(classes, 'data/d.parquet')],
      model: join(classes, 'attrited_existing.onnx'),
      features: undefined,
      entity: undefined,
      today: '2026-11-29',
    })
    expect(started.guesses).toContainEqual(
      expect.objectContaining({
        what: 'the class of the score is open',
        why: 'the file has Attrited and Existing',
      }),
    )
    expect(started.next).toContain(
      '# first say in model.yaml which class the score is of: onnx: { class: ... }',
    )
  })
})
