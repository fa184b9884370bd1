import { afterAll, beforeAll, expect, test } from 'vitest'
import { rerun } from '../../src/jobs/rerun.ts'
import { findRun, type Run } from '../../src/ledger/nights/run-records.ts'
import { openProject } from '../../src/project/files/load-project.ts'
import { type FreshDatabase, freshDatabase } from '../database/fresh.ts'
import type { TemporaryProject } from '../projects/cdnow.ts'
import { generatedProject } from '../projects/generated.ts'

let database: FreshDatabase
let project: TemporaryProject
beforeAll(async () => {
  database = await freshDatabase()
  project = await generatedProject()
})
afterAll(async () => {
  await project?.remove()
  await database?.drop()
})

const pool = () => database.database.pool
/** A run of a night of its own, which nobody works on; `next`: hours until its next attempt. */
async function runIn(state: string, night: string, next: number | null): Promise<Run> {
  const id = `r${night.replaceAll('-', '').slice(1)}`
  await pool().query(
    `with s as (insert into nightshift.slots (kind, name, as_of, partition, state, run)
                values ('features', 'activity', $3::text::timestamptz, $3::text, $2, $1) returning id)
     insert into nightshift.runs (id, slot, kind, name, as_of, partition, state, trigger, settings, next_attempt_at)
     select $1, id, 'features', 'activity', $3::text::timestamptz, $3::text, $2, 'schedule', '{}', now() + make_interval(hours => $4) from s`,
    [id, state, night, next],
  )
  const run = await findRun(pool(), id)
  if (run === undefined) throw new Error('no run')
  return run
}
const again = (run: Run) => rerun(database.database, openProject(project.root), run, null)
const isDue = async ({ id }: Run) => {
  const { rows } = await pool().query(
    'select next_attempt_at <= now() as due from nightshift.runs where id = $1',
    [id],
  )
  return rows[0]?.due
}

test.each([
  ['waiting', '2026-03-02'],
  ['queued', '2026-03-03'],
])(
  'a run that is %s until its next attempt goes on at once, and stays the run of its night',
  async (state, night) => {
    const run = await runIn(state, night, 5)
    expect(await isDue(run)).toBe(false)
    expect(await again(run)).toBe(run.id)
    expect(await isDue(run)).toBe(true)
    expect((await findRun(pool(), run.id))?.state).toBe(state)
  },
)

test('one that is under way is refused', async () => {
  const run = await runIn('running', '2026-03-04', null)
  await expect(again(run)).rejects.toThrow(`run ${run.id} of activity 2026-03-04 is running`)
})
