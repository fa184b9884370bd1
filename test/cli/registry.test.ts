import { chmodSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { type FreshDatabase, freshDatabase } from '../database/fresh.ts'
import type { TemporaryProject } from '../projects/cdnow.ts'
import { generatedProject, smallModel } from '../projects/generated.ts'
import { promoting } from '../promoting.ts'
import { nightshift, nightshiftJson } from './nightshift.ts'

let database: FreshDatabase
let project: TemporaryProject
let at: { project: string; env: Record<string, string> }

beforeAll(async () => {
  database = await freshDatabase()
  project = await generatedProject()
  at = { project: project.root, env: { DATABASE_URL: database.url } }
  for (let work = 0; work < 3; work++) {
    const file = join(project.root, `model-${work}.onnx`)
    writeFileSync(file, smallModel({ work, width: 4 }))
    const { code, stderr } = await nightshift(['register', 'value', file, '--by', 'ann@example.com'], at)
    expect(code, stderr).toBe(0)
  }
})
afterAll(async () => {
  await project?.remove()
  await database?.drop()
})

test('the gate refuses a version that is not ready, and an override says who and why, and is mailed', async () => {
  const refused = await nightshift(['promote', 'value', '--version', '1', '--by', 'ann@example.com'], at)
  expect(refused.code).toBe(1)
  expect(refused.stdout).toContain('fix: nightshift')
  expect(refused.stdout).toContain('version 1 is not promoted')
  const pool = database.database.pool
  expect((await pool.query('select * from nightshift.champions')).rows).toEqual([])
  for (const override of [
    ['--override', ' ', '--by', 'ann@example.com'],
    ['--override', 'no author'],
  ]) {
    expect((await nightshift(['promote', 'value', '--version', '1', ...override], at)).code).toBe(2)
  }
  await nightshift(promoting('value', 1), at)
  const { rows } = await pool.query(`select recipient, subject from nightshift.outbox order by recipient`)
  expect(rows).toEqual(
    ['crm@example.com', 'oncall@example.com'].map((recipient) => ({
      recipient,
      subject: expect.stringContaining('version 1 promoted despite the gate'),
    })),
  )
  const { json } = await nightshiftJson(['history', 'value'], at)
  expect(json.at(-1)).toMatchObject({
    event: 'promoted',
    evidence: { overridden: true, gate: { ready: false } },
  })
})

test('of two promotions at once one wins, and the other is told by whom nothing was lost', async () => {
  const client = await database.database.pool.connect()
  try {
    // Both have seen version 1 before either may change it.
    await client.query(`select pg_advisory_lock(hashtext('nightshift.champions'), hashtext('value'))`)
    const both = [2, 3].map((version) => nightshift(promoting('value', version), at))
    for (let waiting = 0; waiting < 2; await sleep(50)) {
      const { rows } = await client.query(
        `select count(*)::int as n from pg_locks where locktype = 'advisory' and not granted`,
      )
      waiting = rows[0].n
    }
    await client.query('select pg_advisory_unlock_all()')
    const ends = await Promise.all(both)
    expect(ends.map(({ code }) => code).sort()).toEqual([0, 2])
    const winner = ends[0]?.code === 0 ? 2 : 3
    const told = ends.find(({ code }) => code === 2)?.stderr
    expect(told).toContain(
      `another user changed the champion meanwhile, from version 1 to version ${winner}; check \`nightshift history value\``,
    )
    const { json } = await nightshiftJson(['history', 'value'], at)
    expect(json.filter((entry: { event: string }) => entry.event === 'promoted')).toMatchObject([
      { version: 1, from_version: null, by: 'ann@example.com', evidence: { evaluation: 'none' } },
      { version: winner, from_version: 1 },
    ])
  } finally {
    client.release()
  }
})

test('a version is never written again, and a file that was changed all the same scores nothing', async () => {
  const { json: versions } = await nightshiftJson(['versions', 'value'], at)
  expect(versions.map((each: { version: number }) => each.version)).toEqual([3, 2, 1])
  const champion = versions.find((each: { champion: boolean }) => each.champion)
  const file = join(project.root, 'warehouse', champion.file)
  expect(statSync(file).mode & 0o777).toBe(0o444)

  chmodSync(file, 0o644)
  writeFileSync(file, smallModel({ work: 5, width: 4 }))
  const { code, json } = await nightshiftJson(['run', 'value', '--as-of', '2026-03-02'], at)
  expect(code).toBe(1)
  expect(json).toMatchObject({ state: 'failed', failure: { class: 'model' } })
  expect(json.failure.message).toContain(champion.sha256.slice(0, 12))
})

test('a version whose file is gone is said to be, and the same file brings it back under its number', async () => {
  const { json: versions } = await nightshiftJson(['versions', 'value'], at)
  const champion = versions.find((each: { champion: boolean }) => each.champion)
  rmSync(join(project.root, 'warehouse', champion.file), { force: true })
  const without = await nightshiftJson(['run', 'value', '--as-of', '2026-03-03'], at)
  expect(without.code).toBe(1)
  expect(without.json.failure).toMatchObject({ class: 'model' })
  expect(without.json.failure.message).toContain(champion.file)

  const file = join(project.root, `model-${champion.version - 1}.onnx`)
  const again = await nightshiftJson(['register', 'value', file], at)
  expect(again.json).toMatchObject({ version: champion.version, known: true, restored: true })
  const { stdout } = await nightshift(['register', 'value', file], at)
  expect(stdout).toContain(`this file is version ${champion.version} of value already\n`)
  const { json } = await nightshiftJson(['retry', without.json.run], at)
  expect(json).toMatchObject({ state: 'published' })
})

test('a run that nobody pinned is retried with the champion of today', async () => {
  const { json: versions } = await nightshiftJson(['versions', 'value'], at)
  const before = versions.find((each: { champion: boolean }) => each.champion)
  const other = before.version === 1 ? 2 : 1
  const file = join(project.root, 'warehouse', before.file)
  const bytes = readFileSync(file)
  rmSync(file, { force: true })
  const failed = await nightshiftJson(['run', 'value', '--as-of', '2026-03-04'], at)
  expect(failed.json).toMatchObject({ state: 'failed', version: before.version })
  writeFileSync(file, bytes, { mode: 0o444 })
  const promoted = await nightshift(promoting('value', other), at)
  expect(promoted.code, promoted.stderr).toBe(0)
  const { json } = await nightshiftJson(['retry', failed.json.run], at)
  expect(json).toMatchObject({ state: 'published', version: other })
})

test('that nights are compared with the first is said where they are', async () => {
  const warned = async (drift: string, work: number) => {
    const yaml = 'models/value/model.yaml'
    const before = readFileSync(join(project.root, yaml), 'utf8')
    await project.write(yaml, `${before}${drift}`)
    const file = join(project.root, `of-${work}.onnx`)
    writeFileSync(file, smallModel({ work }))
    const { code, json, stderr } = await nightshiftJson(['register', 'value', file], at)
    await project.write(yaml, before)
    expect(code, stderr).toBe(0)
    return json.warnings.filter((text: string) => text.includes('there is no holdout'))
  }
  expect(await warned('', 21)).toEqual([
    'there is no holdout: nights are compared with the first night that this version publishes, unless `evaluate` provides a holdout before',
  ])
  expect(await warned('drift: { reference: { same_weekday: 4 } }\n', 22)).toEqual([])
  expect(await warned('drift: { reference: { from: 2026-03-02, to: 2026-03-04 } }\n', 23)).toEqual([])
})

test('what is on record says who, when, why and on what', async () => {
  const { stdout } = await nightshift(['history', 'value'], at)
  expect(stdout).toMatch(/registered\s+1\s+ann@example\.com\s+no training set/)
  expect(stdout).toMatch(
    /promoted\s+1\s+ann@example\.com\s+this test is not about the gate\s+never evaluated; gate: \d+ of 11 items open/,
  )
  await expect(
    database.database.pool.query(`update nightshift.history set by = 'somebody'`),
  ).rejects.toThrow()
})
