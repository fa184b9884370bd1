import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type FreshDatabase, freshDatabase } from '../database/fresh.ts'
import type { TemporaryProject } from '../projects/cdnow.ts'
import { generatedProject } from '../projects/generated.ts'
import { nightshift, nightshiftJson } from './nightshift.ts'

let database: FreshDatabase
let project: TemporaryProject
beforeAll(async () => {
  database = await freshDatabase()
  project = await generatedProject()
})
afterAll(async () => {
  await project.remove()
  await database.drop()
})

const REFUSED = [
  [
    'now()',
    'SELECT customer_id, sum(amount)::FLOAT AS spend\nFROM events WHERE happened_at < now() GROUP BY 1',
    '2:',
    'now',
  ],
  [
    'read_parquet(...)',
    "SELECT customer_id, 1 AS spend\nFROM read_parquet('/etc/passwd')",
    '2:',
    'read_parquet',
  ],
  ['an undeclared table', 'SELECT customer_id, 1 AS spend\nFROM event', '2:', 'event'],
  ['two statements', 'SELECT customer_id, 1 AS spend FROM events;\nSELECT 2', '', 'one SELECT'],
] as const

describe.each(REFUSED)('features.sql with %s', (_what, sql, line, word) => {
  test('is refused with line and column by validate', async () => {
    await project.write('features/activity/features.sql', sql)
    const { code, stdout } = await nightshift(['validate'], {
      project: project.root,
      env: { DATABASE_URL: database.url },
    })
    expect(code).toBe(2)
    expect(stdout).toContain(`features/activity/features.sql:${line}`)
    expect(stdout).toContain(word)
  })

  test('is refused by a run, which is held and says where', async () => {
    await project.write('features/activity/features.sql', sql)
    const { code, json } = await nightshiftJson(['refresh', 'activity', '--as-of', '2026-03-02', '--force'], {
      project: project.root,
      env: { DATABASE_URL: database.url },
    })
    expect(code).toBe(1)
    expect(json).toMatchObject({ state: 'held', failure: { class: 'contract', anchor: '#contract' } })
    expect(json.failure.message).toContain(word)
    if (line !== '') expect(json.failure.message).toContain(line)
  })
})

test('a column missing from inputs is refused by validate', async () => {
  const broken = await generatedProject()
  try {
    await broken.write(
      'models/value/model.yaml',
      `model: value\ndescription: d\nowner: o@example.com\non_call: [oncall@example.com]\nview: activity\ninputs: [spend, ordrs]\nscore: { column: score }\n`,
    )
    const { code, stdout } = await nightshift(['validate'], { project: broken.root })
    expect(code).toBe(2)
    expect(stdout).toMatch(/models\/value\/model.yaml:6:\d+ error.*ordrs; did you mean orders\?/)
  } finally {
    await broken.remove()
  }
})

test.each([
  ['run', 'constructor'],
  ['run', '__proto__'],
  ['drift', '__proto__'],
  ['parity', 'constructor'],
])('%s: a model named %s is one that the project does not have', async (command, name) => {
  const { code, stderr } = await nightshift([command, name, '--as-of', '2026-03-02'], {
    project: project.root,
    env: { DATABASE_URL: database.url },
  })
  expect(code).toBe(2)
  expect(stderr).toContain(`expected a model of this project (value), got: ${name}`)
})
