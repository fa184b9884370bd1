import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { type FreshDatabase, freshDatabase } from '../../database/fresh.ts'
import { CDNOW, cdnowProject, HAS_CDNOW, type TemporaryProject } from '../../projects/cdnow.ts'
import { promoting } from '../../promoting.ts'
import { nightshift, nightshiftJson } from '../nightshift.ts'

const NIGHTS = ['1998-01-01', '1998-02-01', '1998-05-01']

let database: FreshDatabase
let project: TemporaryProject
let at: { project: string; env: Record<string, string> }

beforeAll(async () => {
  if (!HAS_CDNOW) return
  database = await freshDatabase()
  project = await cdnowProject()
  at = { project: project.root, env: { DATABASE_URL: database.url } }
  for (const args of [
    ['register', 'lapse', join(CDNOW, 'lapse_v1_gbdt.onnx'), '--as-of', '1998-01-01'],
    promoting('lapse', 1),
    ...NIGHTS.map((night) => ['run', 'lapse', '--as-of', night]),
    // What a backfill makes is no outcome.
    ['backfill', 'lapse', '--from', '1998-03-01', '--to', '1998-03-01', '--yes'],
  ]) {
    const { code, stderr } = await nightshift(args, at)
    expect(code, `${args.join(' ')}: ${stderr}`).toBe(0)
  }
})
afterAll(async () => {
  await project?.remove()
  await database?.drop()
})

test.skipIf(!HAS_CDNOW)(
  'shows immature nights with the date on which they mature, and computes nothing',
  async () => {
    const { code, json, stderr } = await nightshiftJson(['outcomes', 'lapse'], at)
    expect(code, stderr).toBe(0)
    expect(json.map((night: { as_of: string }) => night.as_of)).toEqual(NIGHTS)
    expect(json[0]).toMatchObject({
      state: 'immature',
      matures_at: '1998-04-01T00:00:00.000Z',
      version: 1,
      auc: null,
      report: null,
    })
  },
)

test.skipIf(!HAS_CDNOW)('measures what a holdout of the same night measures', async () => {
  const { code, json, stderr } = await nightshiftJson(['outcomes', 'lapse', '--measure'], at)
  expect(code, stderr).toBe(0)
  const [january, , may] = json
  const set = await nightshiftJson(
    [
      'dataset',
      'lapse',
      '--from',
      NIGHTS[0] ?? '',
      '--to',
      NIGHTS[0] ?? '',
      '--holdout-from',
      NIGHTS[0] ?? '',
    ],
    at,
  )
  const evaluated = await nightshiftJson(
    ['evaluate', 'lapse', '--version', '1', '--dataset', set.json.id],
    at,
  )
  const { auc, average_precision, log_loss, brier, intervals, calibration, rows, positives } = evaluated.json
  expect(january).toMatchObject({ state: 'measured', rows: 2357, scored: 2357, unlabelled: 0, auc })
  expect(january.report).toMatchObject({
    kind: 'classification',
    metrics: { auc, average_precision, log_loss, brier },
    intervals,
    calibration,
    positives,
    realized: { value: expect.closeTo(positives / rows, 12) },
    treated: { known: false, measured_on: 'all', biased: true },
  })
  expect(january.realized.low).toBeLessThan(positives / rows)
  expect(january.realized.high).toBeGreaterThan(positives / rows)
  expect(may).toMatchObject({
    state: 'immature',
    matures_at: '1998-07-30T00:00:00.000Z',
    note: expect.stringContaining('the newest event of source purchases is at 1998-06-30T00:00:00Z'),
  })
})

test.skipIf(!HAS_CDNOW)('prints a table with the reasons', async () => {
  const { stdout } = await nightshift(['outcomes', 'lapse', '--from', '1998-02-01'], at)
  expect(stdout).not.toContain('1998-01-01')
  expect(stdout).toMatch(
    /1998-02-01 +measured, biased +1998-05-02 .* 2357 +0\.\d{1,4} +0\.\d{1,4} to 0\.\d{1,4}/,
  )
  // In the clock times of the table above it.
  expect(stdout).toContain(
    '1998-05-01: immature: its label window ends at 1998-07-30 00:00 UTC, but the newest event of source purchases is at 1998-06-30 00:00 UTC',
  )
  expect(stdout).toMatch(/^note: the campaign influences these figures.* \(1998-02-01\)$/m)
})

test.skipIf(!HAS_CDNOW)('says of a night that is due that nobody has looked at it', async () => {
  const due =
    '1998-01-01: immature: it is due because its label window has ended, but it has not been checked yet: run `nightshift up` or `nightshift outcomes lapse --measure`'
  expect((await nightshift(['outcomes', 'lapse'], at)).stdout).not.toContain(due)
  const { pool } = database.database
  const { rows } = await pool.query(`select * from nightshift.outcomes where partition = '1998-01-01'`)
  await pool.query(
    `update nightshift.outcomes
        set state = 'immature', note = 'its label window ends at 1998-04-01T00:00:00Z', looks = 0, look_at = matures_at
      where partition = '1998-01-01'`,
  )
  const { stdout } = await nightshift(['outcomes', 'lapse'], at)
  await pool.query(
    `update nightshift.outcomes set state = 'measured', note = null, looks = $1, look_at = $2 where partition = '1998-01-01'`,
    [rows[0]?.looks, rows[0]?.look_at],
  )
  expect(stdout).toContain(due)
})

test.skipIf(!HAS_CDNOW)(
  'refuses a window that ends before it begins, and says of an empty one that it is',
  async () => {
    const refused = await nightshift(['outcomes', 'lapse', '--from', '1998-11-30', '--to', '1998-11-01'], at)
    expect(refused.code).toBe(2)
    expect(refused.stderr).toContain(
      '--from: expected an as-of no later than --to (1998-11-01), got: 1998-11-30',
    )
    const empty = await nightshift(['outcomes', 'lapse', '--from', '1998-11-01', '--to', '1998-11-30'], at)
    expect(empty.code).toBe(0)
    expect(empty.stdout).toBe(
      'no night of lapse from 1998-11-01 to 1998-11-30 can be measured: none of that window is published, or all were backfilled\n',
    )
    const one = await nightshift(['outcomes', 'lapse', '--from', '1998-02-01', '--to', '1998-02-01'], at)
    expect(one.stdout).toMatch(/^1998-02-01 +measured/m)
  },
)

test.skipIf(!HAS_CDNOW)('measures nothing by SQL that validate refuses', async () => {
  const yaml = 'models/lapse/model.yaml'
  const before = readFileSync(join(project.root, yaml), 'utf8')
  const { json: known } = await nightshiftJson(['outcomes', 'lapse'], at)
  await project.write(
    yaml,
    `${before}outcomes:
  metrics:
    - name: some
      sql: SELECT count(*) FROM (SELECT * FROM scores LIMIT 5)
`,
  )
  const { json } = await nightshiftJson(['validate'], at)
  const { code, stderr } = await nightshift(['outcomes', 'lapse', '--measure'], at)
  const shown = await nightshiftJson(['outcomes', 'lapse'], at)
  await project.write(yaml, before)
  expect(code).toBe(2)
  const problem = json.problems.find(({ severity }: { severity: string }) => severity === 'error')
  expect(problem.message).toContain('LIMIT')
  expect(stderr).toContain('nothing was measured')
  expect(stderr).toContain(problem.message)
  expect(stderr).toContain(`${problem.line}:${problem.column}`)
  // It is on record of no night.
  expect(shown.json).toEqual(known)
})

test.skipIf(!HAS_CDNOW)('says how many rows have no label, and whose the business figures are', async () => {
  const { pool } = database.database
  const unlabelled = (rows: number) =>
    pool.query(
      `update nightshift.outcomes set report = report || jsonb_build_object('unlabelled', $1::int)
        where partition = '1998-01-01'`,
      [rows],
    )
  expect((await nightshift(['outcomes', 'lapse'], at)).stdout).not.toContain('no label')
  await unlabelled(2340)
  const { stdout } = await nightshift(['outcomes', 'lapse'], at)
  await unlabelled(0)
  expect(stdout).toMatch(/^note: 2340 of 2357 rows have no label \(1998-01-01\)$/m)
  expect(stdout).not.toContain('business figures')
  await pool.query(
    `update nightshift.outcomes
        set report = report || '{"business": [{"name": "n", "value": 1, "target": null, "error": null}]}'
                   || jsonb_build_object('treated', report->'treated' || '{"measured_on": "untreated"}')
      where partition = '1998-01-01'`,
  )
  expect((await nightshift(['outcomes', 'lapse'], at)).stdout).toContain(
    'note: business figures read the labels of all rows, including those that were acted on; the others are measured on those that were not acted on (1998-01-01)',
  )
})

test.skipIf(!HAS_CDNOW)('says of SQL that is wrong where it stands in model.yaml', async () => {
  const yaml = 'models/lapse/model.yaml'
  const before = readFileSync(join(project.root, yaml), 'utf8')
  await project.write(
    yaml,
    `${before}outcomes:
  treated: SELECT customer_id, amount FROM purchases
  control: |
    SELECT customer_id
    FROM purchase
  metrics:
    - name: contacted
      sql: SELECT count(*) FROM scores WHERE decision
    - name: lost
      sql: |
        SELECT sum(spend)
        FROM features
    - { name: when, sql: "SELECT now() FROM scores" }
    - { name: names, sql: "SELECT 'a' AS a FROM labels" }
    - name: revenue
      sql: SELECT sum(monetary) FROM features JOIN labels USING (customer_id) WHERE lapsed = 1
`,
  )
  const { code, json } = await nightshiftJson(['validate'], at)
  const lines = json.problems
    .filter(({ severity }: Record<string, unknown>) => severity === 'error')
    .map(({ file, line, column, message }: Record<string, unknown>) => `${file}:${line}:${column} ${message}`)
  await project.write(yaml, before)
  expect(code).toBe(2)
  expect(lines).toEqual([
    `${yaml}:9:12 outcomes.treated: expected the entity (customer_id) alone, one row for each that belongs to the group, got: customer_id, amount`,
    `${yaml}:12:10 outcomes.control: expected the name of a declared source, got: purchase; legal are: purchases; did you mean purchases?`,
    `${yaml}:20:34 outcomes.metrics when: now() depends on when it runs: use $as_of`,
    `${yaml}:21:27 outcomes.metrics names: expected a number, got: a, which is VARCHAR`,
    expect.stringContaining(
      `${yaml}:23:23 outcomes.metrics revenue: expected the name of a column, got: monetary; labels has customer_id, lapsed; features has customer_id, tenure_days`,
    ),
  ])
})
