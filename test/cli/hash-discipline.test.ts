import { cpSync, existsSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { simpleParser } from 'mailparser'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type FreshDatabase, freshDatabase } from '../database/fresh.ts'
import { readRows } from '../pipeline/feature-case.ts'
import type { TemporaryProject } from '../projects/cdnow.ts'
import { generatedProject, SQL, smallModel, writeDay } from '../projects/generated.ts'
import { promoting } from '../promoting.ts'
import { type Life, openLife } from '../workers/life.ts'
import { nightshift, nightshiftJson } from './nightshift.ts'

const EDITED = SQL.replace('sum(amount)', 'sum(amount * 2)')
const DIFF = [
  '- SELECT customer_id, sum(amount)::FLOAT AS spend, count(*)::FLOAT AS orders',
  '+ SELECT customer_id, sum(amount * 2)::FLOAT AS spend, count(*)::FLOAT AS orders',
]

describe('a view that was edited under its champion', () => {
  let database: FreshDatabase
  let project: TemporaryProject
  let at: { project: string; env: Record<string, string> }
  let wanted = ''

  beforeAll(async () => {
    database = await freshDatabase()
    project = await generatedProject()
    at = { project: project.root, env: { DATABASE_URL: database.url } }
    await nightshift(['register', 'value', join(project.root, 'model.onnx')], at)
    await nightshift(promoting('value', 1), at)
    // The owner is mailed about the promotion: this file counts the mails of nights.
    await database.database.pool.query('delete from nightshift.outbox')
    const { code, stderr } = await nightshift(['run', 'value', '--as-of', '2026-03-02'], at)
    expect(code, stderr).toBe(0)
    const { rows } = await database.database.pool.query(
      'select view_hash, columns, declaration from nightshift.versions',
    )
    wanted = rows[0].view_hash.slice(0, 12)
    expect(rows[0]).toMatchObject({
      columns: [
        { name: 'spend', type: 'FLOAT' },
        { name: 'orders', type: 'FLOAT' },
      ],
      declaration: {
        entity: ['customer_id'],
        sources: { events: { kind: 'events', event_time: 'happened_at' } },
      },
    })
    await project.write('features/activity/features.sql', EDITED)
  })
  afterAll(async () => {
    await project.remove()
    await database.drop()
  })

  const saysHow = (text: string) => {
    expect(text).toContain(`expected ${wanted}`)
    for (const line of DIFF) expect(text).toContain(line)
    expect(text).toContain('cp -r features/activity features/activity_v2')
    expect(text).toContain('# models/value/model.yaml: view: activity_v2')
    expect(text).toContain('nightshift register value FILE.onnx --dataset ID')
  }

  test('is refused by the night, as a broken contract, with both hashes and the lines that differ', async () => {
    const { code, stdout } = await nightshift(['run', 'value', '--as-of', '2026-03-03'], at)
    expect(code).toBe(1)
    saysHow(stdout)
    const { json } = await nightshiftJson(['runs', 'value'], at)
    expect(json[0].failure).toMatchObject({ class: 'contract' })
    expect(json[0].failure.message).toContain(
      'features.sql differs in 1 line: `SELECT customer_id, sum(amount)::FLOAT AS spend',
    )
    expect(json[0].failure.message).not.toContain('\n')
    expect(existsSync(join(project.root, 'warehouse/scores/value/as_of=2026-03-03'))).toBe(false)
  })

  test('the mail shows the lines under each other', async () => {
    const outbox = join(project.root, '.nightshift/outbox')
    const mails = await Promise.all(
      readdirSync(outbox).map((name) => simpleParser(readFileSync(join(outbox, name)))),
    )
    const { text = '' } = mails.find((mail) => mail.text?.includes('Differences')) ?? {}
    expect(text).toContain(
      [
        'Differences (- registered, + now):',
        '> features.sql',
        '> @@ line 1 @@',
        ...DIFF.map((line) => `> ${line}`),
      ].join('\n'),
    )
    expect(text).toContain('To keep both:\n> cp -r features/activity features/activity_v2\n')
  })

  test('is refused by a backfill before anything runs, and by validate', async () => {
    const span = ['--from', '2026-03-02', '--to', '2026-03-04']
    const backfill = await nightshift(['backfill', 'value', ...span, '--all', '--yes'], at)
    expect(backfill.code).toBe(2)
    saysHow(backfill.stderr)
    const validate = await nightshift(['validate'], at)
    expect(validate.code).toBe(2)
    saysHow(validate.stdout)
    expect(validate.stdout).toContain('version 1 of value, which is live,')
  })

  test('where the declaration of a source alone differs, it is named', async () => {
    await project.write('features/activity/features.sql', SQL)
    const yaml = join(project.root, 'features/activity/view.yaml')
    const before = readFileSync(yaml, 'utf8')
    writeFileSync(
      yaml,
      before.replace('event_time: happened_at', 'event_time: happened_at, timezone: Europe/Berlin'),
    )
    const { code, stdout } = await nightshift(['validate'], at)
    expect(code).toBe(2)
    expect(stdout).toContain('features.sql is the same')
    expect(stdout).toContain('+ sources.events.timezone: Europe/Berlin\n')
    writeFileSync(yaml, before)
    expect((await nightshift(['validate'], at)).code).toBe(0)
  })

  test('a comment changes nothing', async () => {
    await project.write('features/activity/features.sql', `-- as of midnight\n${SQL}`)
    expect((await nightshift(['validate'], at)).code).toBe(0)
    const { code, stderr } = await nightshift(['run', 'value', '--as-of', '2026-03-03'], at)
    expect(code, stderr).toBe(0)
  })

  test('a view that was removed is named by validate', async () => {
    cpSync(join(project.root, 'features/activity'), join(project.root, 'features/other'), { recursive: true })
    await project.write(
      'features/other/view.yaml',
      readFileSync(join(project.root, 'features/activity/view.yaml'), 'utf8').replace(
        'view: activity',
        'view: other',
      ),
    )
    const model = join(project.root, 'models/value/model.yaml')
    writeFileSync(model, readFileSync(model, 'utf8').replace('view: activity', 'view: other'))
    rmSync(join(project.root, 'features/activity'), { recursive: true })
    const { code, stdout } = await nightshift(['validate'], at)
    expect(code).toBe(2)
    expect(stdout).toContain(
      'features/activity/view.yaml error version 1 of value is live and was registered on view activity, which no longer exists: restore it',
    )
  })
})

describe('a training set and the view that it was made by', () => {
  let database: FreshDatabase
  let project: TemporaryProject
  let at: { project: string; env: Record<string, string> }
  let id = ''

  beforeAll(async () => {
    database = await freshDatabase()
    project = await generatedProject()
    for (const day of ['2026-03-03', '2026-03-10']) await writeDay(project.root, day)
    const model = join(project.root, 'models/value/model.yaml')
    writeFileSync(model, `${readFileSync(model, 'utf8')}labels: { sql: labels.sql, horizon: 2d }\n`)
    await project.write(
      'models/value/labels.sql',
      'SELECT customer_id, (count(*) FILTER (happened_at >= $as_of) > 0)::INTEGER AS came FROM events GROUP BY customer_id\n',
    )
    at = { project: project.root, env: { DATABASE_URL: database.url } }
    const { json, stderr } = await nightshiftJson(
      ['dataset', 'value', '--from', '2026-03-02', '--to', '2026-03-04', '--every', '1d'],
      at,
    )
    expect(json.rows.train, stderr).toBe(300)
    id = json.id
  })
  afterAll(async () => {
    await project.remove()
    await database.drop()
  })

  test('have to agree where a version is registered, else the lines that differ are shown', async () => {
    await project.write('features/activity/features.sql', EDITED)
    const { code, stderr } = await nightshift(
      ['register', 'value', join(project.root, 'model.onnx'), '--dataset', id],
      at,
    )
    expect(code).toBe(2)
    expect(stderr).toContain(`view activity is not what training set ${id} was made by`)
    for (const line of DIFF) expect(stderr).toContain(line)
    await project.write('features/activity/features.sql', SQL)
    expect(
      (await nightshift(['register', 'value', join(project.root, 'model.onnx'), '--dataset', id], at)).code,
    ).toBe(0)
  })
})

describe('champion and former champion on views of their own', () => {
  let project: TemporaryProject
  let life: Life
  let at: { project: string; env: Record<string, string> }
  // Beyond any clock on which the test may run: history keeps real time.
  const DAYS = ['2045-03-02', '2045-03-03', '2045-03-04']

  beforeAll(async () => {
    project = await generatedProject({
      schedule: 'schedule: nightly\ncron: "30 2 * * *"\nscore: [value]\n',
    })
    for (const day of ['2045-03-01', ...DAYS]) await writeDay(project.root, day)
    writeFileSync(join(project.root, 'second.onnx'), smallModel({ work: 1 }))
    life = await openLife(project.root, { from: '2045-03-01T12:00:00Z' })
    at = { project: project.root, env: { DATABASE_URL: life.database.url } }
    const first = await nightshift(['register', 'value', join(project.root, 'model.onnx')], at)
    expect(first.code, first.stderr).toBe(0)
    await nightshift(promoting('value', 1), at)
    await life.until('2045-03-02T06:00:00Z', 60)
    // As the message says: a folder of its own, and the model on it.
    cpSync(join(project.root, 'features/activity'), join(project.root, 'features/activity_v2'), {
      recursive: true,
    })
    const yaml = readFileSync(join(project.root, 'features/activity/view.yaml'), 'utf8')
    await project.write('features/activity_v2/view.yaml', yaml.replace('view: activity', 'view: activity_v2'))
    await project.write('features/activity_v2/features.sql', EDITED)
    const model = join(project.root, 'models/value/model.yaml')
    writeFileSync(model, readFileSync(model, 'utf8').replace('view: activity', 'view: activity_v2'))
    const second = await nightshift(['register', 'value', join(project.root, 'second.onnx')], at)
    expect(second.code, second.stderr).toBe(0)
    const promoted = await nightshift(promoting('value', 2), at)
    expect(promoted.code, promoted.stderr).toBe(0)
  })
  afterAll(async () => {
    await life?.close()
    await project.remove()
  })

  test('a night refreshes both, and the former champion scores beside', async () => {
    await life.until('2045-03-03T06:00:00Z', 60)
    for (const view of ['activity', 'activity_v2']) {
      expect(await life.slot('features', view, '2045-03-03'), view).toMatchObject({ state: 'published' })
    }
    expect(await life.slot('scores', 'value', '2045-03-03')).toMatchObject({ state: 'published' })
    const shadow = join(project.root, 'warehouse/shadow/value/challenger=1/as_of=2045-03-03/scores.parquet')
    for (let tries = 0; tries < 120 && !existsSync(shadow); tries++) await sleep(250)
    const rows = await readRows(shadow)
    expect(rows).toHaveLength(100)
    expect(rows[0]).toMatchObject({ version: '1' })
  })

  test('an edit of the former champion’s view is refused by validate', async () => {
    await project.write('features/activity/features.sql', EDITED)
    const { code, stdout } = await nightshift(['validate'], at)
    expect(code).toBe(2)
    expect(stdout).toContain('version 1 of value, which is kept warm,')
    await project.write('features/activity/features.sql', SQL)
    expect((await nightshift(['validate'], at)).code).toBe(0)
  })

  test('rolling back publishes what it scored', async () => {
    const { code, json, stderr } = await nightshiftJson(['rollback', 'value', '--to', '1'], at)
    expect(code, stderr).toBe(0)
    expect(json).toMatchObject({ from: 2, to: 1, republished: ['2045-03-03'], rescored: 0 })
    const rows = await readRows(join(project.root, 'warehouse/scores/value/as_of=2045-03-03/scores.parquet'))
    expect(rows[0]).toMatchObject({ version: '1' })
    // Now the view of version 2 is the one beside.
    await life.until('2045-03-04T06:00:00Z', 60)
    for (const view of ['activity', 'activity_v2']) {
      expect(await life.slot('features', view, '2045-03-04'), view).toMatchObject({ state: 'published' })
    }
  })
})
