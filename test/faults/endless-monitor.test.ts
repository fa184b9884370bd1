import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { encodeModel } from '../../src/pipeline/onnx/proto.ts'
import { openProject } from '../../src/project/files/load-project.ts'
import { startChallenge } from '../../src/registry/challengers.ts'
import { ended, nightshift, nightshiftJson, start } from '../cli/nightshift.ts'
import { type FreshDatabase, freshDatabase } from '../database/fresh.ts'
import { endless } from '../pipeline/onnx/endless-model.ts'
import type { TemporaryProject } from '../projects/cdnow.ts'
import { generatedProject } from '../projects/generated.ts'
import { promoting } from '../promoting.ts'
import { registered } from '../workers/registered.ts'
import { record, secondsUntil } from './record.ts'

const NIGHTS = ['2026-03-03', '2026-03-04', '2026-03-05']

let database: FreshDatabase
let project: TemporaryProject
let at: { project: string; env: Record<string, string> }

beforeAll(async () => {
  database = await freshDatabase()
  project = await generatedProject()
  at = { project: project.root, env: { DATABASE_URL: database.url } }
  const { code, stderr } = await nightshift(['register', 'value', join(project.root, 'model.onnx')], at)
  expect(code, stderr).toBe(0)
  await nightshift(promoting('value', 1), at)
  await nightshift(['run', 'value', '--as-of', '2026-03-02'], at)
  const given = { model: 'value', view: 'activity', bytes: encodeModel(endless), inputs: ['spend'] }
  const version = await registered(database.database, openProject(project.root), given)
  await startChallenge(database.database, { model: 'value', version, by: 'ann@example.com' })
})
afterAll(async () => {
  await project.remove()
  await database.drop()
})

// Takes as long as its time limit.
test('a version in shadow that never ends takes no place that nights need, even where there is one', async () => {
  const up = start(['up', '--port', '0', '--places', '1'], at)
  const over = ended(up)
  try {
    const isInShadow = async () =>
      readdirSync(join(project.root, 'warehouse/.attempts')).some((name) => name.startsWith('shadow-'))
    await secondsUntil(isInShadow, { within: 300 })
    for (const night of NIGHTS) {
      const begun = performance.now()
      const { code, json, stderr } = await nightshiftJson(['run', 'value', '--as-of', night], at)
      expect({ code, state: json.state }, stderr).toEqual({ code: 0, state: 'published' })
      record({
        fault: 'a version in shadow never ends, on an `up` with one place',
        promise: 'nights are published beside it',
        happened: 'published while it went on',
        seconds: (performance.now() - begun) / 1000,
      })
    }
    expect(await isInShadow()).toBe(true)
    const { rows } = await database.database.pool.query(
      `select p.pid, (select count(*)::int from nightshift.shadow_scores) as scored
         from nightshift.runs r
         join nightshift.attempts a on a.run = r.id
         join nightshift.processes p on p.id = a.worker
        where r.partition = any($1) group by 1`,
      [NIGHTS],
    )
    expect(rows).toEqual([{ pid: up.pid, scored: 0 }])
  } finally {
    up.kill('SIGTERM')
    const { code, stderr } = await over
    expect(code, stderr).toBe(0)
  }
}, 600_000)
