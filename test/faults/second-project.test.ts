import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { nightshift, nightshiftJson } from '../cli/nightshift.ts'
import { type FreshDatabase, freshDatabase } from '../database/fresh.ts'
import type { TemporaryProject } from '../projects/cdnow.ts'
import { generatedProject } from '../projects/generated.ts'
import { promoting } from '../promoting.ts'
import { record } from './record.ts'

let database: FreshDatabase
let first: TemporaryProject
let second: TemporaryProject
const at = ({ root }: TemporaryProject) => ({ project: root, env: { DATABASE_URL: database.url } })

beforeAll(async () => {
  database = await freshDatabase()
  first = await generatedProject()
  second = await generatedProject()
})
afterAll(async () => {
  await first.remove()
  await second.remove()
  await database.drop()
})

async function publishes(project: TemporaryProject): Promise<string> {
  await nightshift(['register', 'value', join(project.root, 'model.onnx')], at(project))
  await nightshift(promoting('value', 1), at(project))
  const { json, code, stderr } = await nightshiftJson(['run', 'value', '--as-of', '2026-03-02'], at(project))
  expect(code, stderr).toBe(0)
  expect(json).toMatchObject({ state: 'published', rows: 100 })
  return json.run
}

test('a second project on one DATABASE_URL is refused, and works in a schema of its own', async () => {
  await publishes(first)
  const begun = performance.now()
  for (const command of [['status'], ['refresh', 'activity', '--as-of', '2026-03-02'], ['doctor']]) {
    const { code, stdout, stderr } = await nightshift(command, at(second))
    expect(code, command.join(' ')).toBe(command[0] === 'doctor' ? 1 : 2)
    expect(stdout + stderr).toContain('`schema: nightshift_generated` in nightshift.yaml')
  }
  record({
    fault: 'a second project on one DATABASE_URL',
    promise: 'it is refused with what to do, and the first one’s nights stay its own',
    happened: 'refused by three commands of three',
    seconds: (performance.now() - begun) / 1000,
  })
  await second.write(
    'nightshift.yaml',
    'project: generated\ntimezone: UTC\nschema: nightshift_generated\nalerts: { from: nightshift@example.com, base_url: "http://localhost:8080" }\n',
  )
  const run = await publishes(second)
  const { json: runs } = await nightshiftJson(['runs'], at(first))
  expect(runs).toHaveLength(2)
  expect(runs.map((each: { run: string }) => each.run)).not.toContain(run)
  const edited = await second.write(
    'nightshift.yaml',
    'project: generated\ntimezone: Europe/Berlin\nschema: nightshift_generated\n',
  )
  expect(edited).toBeUndefined()
  const { code, stdout, stderr } = await nightshift(['validate'], at(second))
  expect(code).toBe(2)
  expect(stdout + stderr).toContain('timezone')
  const { rows } = await database.database.pool.query<{ schema: string }>(
    `select nspname as schema from pg_namespace where nspname like 'nightshift%' order by 1`,
  )
  expect(rows.map(({ schema }) => schema)).toEqual([
    'nightshift',
    'nightshift_generated',
    'nightshift_generated_queues',
    'nightshift_queues',
  ])
}, 900_000)

test('a folder that has lost its identity goes on once somebody adopts it', async () => {
  const third = await generatedProject()
  try {
    const refused = await nightshift(['status'], at(third))
    expect([refused.code, refused.stderr]).toEqual([2, expect.stringContaining('nightshift adopt')])
    const asked = await nightshift(['adopt'], at(third))
    expect([asked.code, asked.stderr]).toEqual([2, expect.stringContaining('has nights of: activity, value')])
    expect((await nightshift(['adopt', '--yes'], at(third))).code).toBe(0)
    expect((await nightshift(['status'], at(third))).code).toBe(0)
  } finally {
    await third.remove()
  }
})
