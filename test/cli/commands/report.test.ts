import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { type FreshDatabase, freshDatabase } from '../../database/fresh.ts'
import type { TemporaryProject } from '../../projects/cdnow.ts'
import { generatedProject } from '../../projects/generated.ts'
import { promoting } from '../../promoting.ts'
import { nightshift, nightshiftJson } from '../nightshift.ts'

let database: FreshDatabase
let project: TemporaryProject
let at: { project: string; env: Record<string, string> }
let run: string

beforeAll(async () => {
  database = await freshDatabase()
  project = await generatedProject({ view: 'expect: { rows: { min: 50 } }\n' })
  at = { project: project.root, env: { DATABASE_URL: database.url } }
  await nightshift(['register', 'value', join(project.root, 'model.onnx')], at)
  await nightshift(promoting('value', 1), at)
  const night = await nightshiftJson(['run', 'value', '--as-of', '2026-03-02'], at)
  expect(night.json.state, night.stderr).toBe('published')
  run = night.json.run
})
afterAll(async () => {
  await project?.remove()
  await database?.drop()
})

test('a report lies in the project under the name of its night, and has its run, hashes, inputs and expectations', async () => {
  const { code, json } = await nightshiftJson(['report', 'value', '--as-of', '2026-03-02'], at)
  const night = { model: 'value', as_of: '2026-03-02', path: 'reports/value-2026-03-02.html' }
  expect({ code, json }).toEqual({ code: 0, json: night })
  const text = readFileSync(join(project.root, json.path), 'utf8')
  const shown = await nightshiftJson(['show', run], at)
  for (const wanted of [run, shown.json.sha256, 'data/events/date=2026-03-01/events.parquet', 'rows.min']) {
    expect(text.includes(wanted), wanted).toBe(true)
  }
  expect(text).not.toMatch(/<script|<link rel="stylesheet"/)
})

test('--out writes elsewhere, and the file is named', async () => {
  const file = join(project.root, 'elsewhere/night.html')
  const { code, stdout } = await nightshift(['report', 'value', '--as-of', '2026-03-02', '--out', file], at)
  expect(code).toBe(0)
  expect(stdout).toContain(`${file}: `)
  expect(existsSync(file)).toBe(true)
})

test('a night without a run is refused with what to do, and no file is left', async () => {
  const { code, stderr } = await nightshift(['report', 'value', '--as-of', '2026-03-09'], at)
  expect(code).toBe(2)
  expect(stderr).toContain('got: 2026-03-09, which has no run')
  expect(stderr).toContain('nightshift run value --as-of 2026-03-09')
  expect(existsSync(join(project.root, 'reports/value-2026-03-09.html'))).toBe(false)
})
