import { readdirSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { nightshift, nightshiftJson } from '../cli/nightshift.ts'
import { type FreshDatabase, freshDatabase } from '../database/fresh.ts'
import type { TemporaryProject } from '../projects/cdnow.ts'
import { generatedProject, smallModel } from '../projects/generated.ts'
import { promoting } from '../promoting.ts'
import { record } from './record.ts'

const SCHEDULE = `schedule: nightly
cron: "0 2 * * *"
score: [value]
timeout: 3s
retry: { attempts: 2, backoff: 1s }
`
let database: FreshDatabase
let project: TemporaryProject
let at: { project: string; env: Record<string, string> }

beforeAll(async () => {
  database = await freshDatabase()
  // Minutes of work, far beyond the timeout.
  project = await generatedProject({ customers: 200_000, schedule: SCHEDULE }, smallModel({ work: 20 }))
  at = { project: project.root, env: { DATABASE_URL: database.url } }
  await nightshift(['register', 'value', join(project.root, 'model.onnx')], at)
  await nightshift(promoting('value', 1), at)
  // The owner is mailed about the promotion: this file counts the mails of nights.
  rmSync(join(project.root, '.nightshift/outbox'), { recursive: true })
})
afterAll(async () => {
  await project.remove()
  await database.drop()
})

test('an attempt is ended at its timeout, tried again, and told', async () => {
  const begun = performance.now()
  const { code, json } = await nightshiftJson(['run', 'value', '--as-of', '2026-03-02'], at)
  expect(code).toBe(1)
  expect(json).toMatchObject({
    kind: 'scores',
    state: 'failed',
    attempts: 2,
    failure: { class: 'resource', message: 'the attempt ran past its timeout of 3 s', anchor: '#resource' },
  })
  expect(readdirSync(join(project.root, 'warehouse/.attempts'))).toEqual([])
  const mails = readdirSync(join(project.root, '.nightshift/outbox'))
  expect(mails.filter((name) => name.endsWith('.eml'))).toHaveLength(1)
  record({
    fault: 'a model that takes minutes, with a timeout of 3 s',
    promise: 'each attempt is ended at its timeout, tried again, and told',
    happened: 'failed after 2 attempts, with one mail',
    seconds: (performance.now() - begun) / 1000,
  })
})
