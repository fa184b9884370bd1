import { existsSync, readdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { type FreshDatabase, freshDatabase } from '../../database/fresh.ts'
import { readRows } from '../../pipeline/feature-case.ts'
import type { TemporaryProject } from '../../projects/cdnow.ts'
import { generatedProject, smallModel } from '../../projects/generated.ts'
import { promoting } from '../../promoting.ts'
import { ended, nightshift, nightshiftJson, start } from '../nightshift.ts'

let database: FreshDatabase
let project: TemporaryProject
let at: { project: string; env: Record<string, string> }
const scores = (asOf: string) => join(project.root, `warehouse/scores/value/as_of=${asOf}/scores.parquet`)

async function versionOf(asOf: string): Promise<string> {
  const rows = await readRows(scores(asOf))
  return [...new Set(rows.map((row) => String(row.version)))].join()
}

beforeAll(async () => {
  database = await freshDatabase()
  project = await generatedProject()
  at = { project: project.root, env: { DATABASE_URL: database.url } }
  writeFileSync(join(project.root, 'second.onnx'), smallModel({ work: 1 }))
  for (const file of ['model.onnx', 'second.onnx']) {
    const { code, stderr } = await nightshift(['register', 'value', join(project.root, file)], at)
    expect(code, stderr).toBe(0)
  }
  await nightshift(promoting('value', 1), at)
  await nightshift(['run', 'value', '--as-of', '2026-03-02'], at)
  await nightshift(promoting('value', 2), at)
})
afterAll(async () => {
  await project.remove()
  await database.drop()
})

test('after a promotion the former champion scores on in shadow, on the same features', async () => {
  const up = start(['up', '--port', '0', '--places', '2'], at)
  const over = ended(up)
  try {
    for (const asOf of ['2026-03-03', '2026-03-04']) {
      const { code, stderr } = await nightshift(['run', 'value', '--as-of', asOf], at)
      expect(code, stderr).toBe(0)
    }
    for (let tries = 0; tries < 120; tries++) {
      const { rows } = await database.database.pool.query(
        'select partition from nightshift.shadow_scores where path is not null order by partition',
      )
      if (rows.length === 2) break
      await sleep(250)
    }
  } finally {
    up.kill('SIGTERM')
    await over
  }
  const shadow = join(project.root, 'warehouse/shadow/value/challenger=1')
  expect(readdirSync(shadow).sort()).toEqual(['as_of=2026-03-03', 'as_of=2026-03-04'])
  const rows = await readRows(join(shadow, 'as_of=2026-03-04/scores.parquet'))
  expect(rows).toHaveLength(100)
  expect(rows[0]).toMatchObject({ version: '1' })
  expect(await versionOf('2026-03-04')).toBe('2')
})

test('rolling back publishes what it scored for the newest night, and keeps what it takes the place of', async () => {
  const before = (await nightshiftJson(['runs', 'value'], at)).json[0]
  const { code, json, stderr } = await nightshiftJson(
    ['rollback', 'value', '--reason', 'complaints', '--by', 'ann@example.com'],
    at,
  )
  expect(code, stderr).toBe(0)
  expect(json).toMatchObject({ from: 2, to: 1, rescored: 0, republished: ['2026-03-04'] })
  expect(json.seconds).toBeLessThan(30)
  expect(await versionOf('2026-03-04')).toBe('1')
  expect(await versionOf('2026-03-03')).toBe('2')
  expect(
    existsSync(join(project.root, `warehouse/superseded/value/as_of=2026-03-04/${before.run}.parquet`)),
  ).toBe(true)
  const { rows } = await database.database.pool.query(
    `select t.run, t.superseded, r.trigger, r.version from nightshift.standings t join nightshift.runs r on r.id = t.run
      where r.partition = '2026-03-04' and r.kind = 'scores' order by t.id`,
  )
  expect(rows).toMatchObject([
    { trigger: 'manual', version: 2, superseded: null },
    {
      trigger: 'rollback',
      version: 1,
      superseded: `superseded/value/as_of=2026-03-04/${before.run}.parquet`,
    },
  ])
  const { json: history } = await nightshiftJson(['history', 'value'], at)
  expect(history.at(-1)).toMatchObject({
    event: 'rolled back',
    version: 1,
    from_version: 2,
    reason: 'complaints',
    by: 'ann@example.com',
  })
  // The night is current: nothing is to be done for it.
  const again = await nightshift(['run', 'value', '--as-of', '2026-03-04'], at)
  expect(again.stdout).toContain('nothing to do')
})

test('from an earlier night on, what was not scored in shadow is scored again', async () => {
  await nightshift(promoting('value', 2), at)
  const cold = await nightshiftJson(['rollback', 'value', '--to', '1', '--from', '2026-03-03'], at)
  expect(cold.json).toMatchObject({ from: 2, to: 1, republished: ['2026-03-03'], rescored: 0 })
  expect(await versionOf('2026-03-03')).toBe('1')

  await nightshift(promoting('value', 2), at)
  await nightshift(['run', 'value', '--as-of', '2026-03-05'], at)
  const rescored = await nightshiftJson(['rollback', 'value'], at)
  expect(rescored.json).toMatchObject({ from: 2, to: 1, republished: [], rescored: 1, failed: [] })
  expect(await versionOf('2026-03-05')).toBe('1')
})

test('what cannot be rolled back to is refused', async () => {
  expect(await nightshift(['rollback', 'value', '--to', '1'], at)).toMatchObject({
    code: 2,
    stderr: expect.stringContaining('version 1 is the champion already'),
  })
  expect(await nightshift(['rollback', 'value', '--to', '9'], at)).toMatchObject({
    code: 2,
    stderr: expect.stringContaining('expected --to to be a registered version, got: 9'),
  })
})

test('of two promotions at once one wins, and the other is told', async () => {
  const both = await Promise.all([1, 2].map(() => nightshift(['rollback', 'value', '--to', '2'], at)))
  expect(both.map(({ code }) => code).sort()).toEqual([0, 2])
  expect(both.find(({ code }) => code === 2)?.stderr).toMatch(
    /another user changed the champion meanwhile|is the champion already/,
  )
})

test('killed once the champion has changed, it leaves whole nights, and the same command completes it', async () => {
  await nightshift(promoting('value', 2), at)
  const night = await nightshift(['run', 'value', '--as-of', '2026-03-06'], at)
  expect(night.code, night.stderr).toBe(0)
  const child = start(['rollback', 'value'], at)
  const over = ended(child)
  const moved = async () => {
    const { rows } = await database.database.pool.query('select version from nightshift.champions')
    return rows[0].version === 1
  }
  while (!(await moved())) await sleep(5)
  child.kill('SIGKILL')
  await over
  expect(await versionOf('2026-03-06')).toBe('2')
  expect(await readRows(scores('2026-03-06'))).toHaveLength(100)

  const again = await nightshiftJson(['rollback', 'value'], at)
  expect(again).toMatchObject({ code: 0, json: { from: 1, to: 1, failed: [] } })
  expect(await versionOf('2026-03-06')).toBe('1')
  // A second one goes further back, never forward to what was taken back.
  expect(await nightshift(['rollback', 'value'], at)).toMatchObject({
    code: 2,
    stderr: expect.stringContaining('no other version was champion before; give one with --to N'),
  })
})
