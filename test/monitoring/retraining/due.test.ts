import { afterAll, beforeAll, expect, test } from 'vitest'
import type { Reconciler } from '../../../src/jobs/reconciler.ts'
import { enqueueRetrainings } from '../../../src/monitoring/retraining/due.ts'
import { claimRetraining, endRetraining, listRetrainings } from '../../../src/monitoring/retraining/record.ts'
import { openProject } from '../../../src/project/files/load-project.ts'
import type { Project } from '../../../src/project/project.ts'
import { type FreshDatabase, freshDatabase } from '../../database/fresh.ts'

let fresh: FreshDatabase
const example = openProject('.')
const added: string[] = []

beforeAll(async () => {
  fresh = await freshDatabase()
  await fresh.database.pool.query(
    `insert into nightshift.versions (model, version, sha256, bytes, file, view, view_hash, features_sql, inputs, output, mapping, registered_at)
     values ('churn', 1, 'x', 1, 'x', 'customer_activity', 'x', '', '[]', '{}', '{}', now() - interval '91 days')`,
  )
  await fresh.database.pool.query(`insert into nightshift.champions (model, version) values ('churn', 1)`)
})
afterAll(() => fresh.drop())

/** One round; each round of a process of its own, which remembers nothing. */
async function round(project: Project = example): Promise<string[]> {
  added.length = 0
  const { pool, ...rest } = fresh.database
  const queues = {
    add: async (_name: string, { id }: { id: string }) => {
      added.push(id)
    },
  }
  const database = { ...rest, pool: Object.create(pool) as typeof pool }
  await enqueueRetrainings({ database, queues, project: () => project } as unknown as Reconciler)
  return [...added]
}

const all = () => listRetrainings(fresh.database.pool, 'churn')

test('a champion that is too old asks for one retraining, which stays in the queue until somebody takes it', async () => {
  expect(await round()).toEqual(['retraining-1-t1'])
  expect(await round(), 'a wiped queue loses none').toEqual(['retraining-1-t1'])
  expect(await all()).toMatchObject([
    {
      state: 'requested',
      trigger: 'age',
      reason: 'the champion was registered 91 days ago (retrain.when.age: 90d)',
    },
  ])
})

test('one whose worker is gone is enqueued again under another id', async () => {
  await claimRetraining(fresh.database.pool, 1, 'worker-gone')
  expect(await round()).toEqual(['retraining-1-t2'])
})

test('after it the triggers rest for the cooldown, however it ended', async () => {
  const { pool } = fresh.database
  await endRetraining(pool, { id: 1, process: 'worker-gone' }, { state: 'failed', outcome: 'no column nps' })
  expect(await round()).toEqual([])
  await pool.query(`update nightshift.retrainings set requested_at = now() - interval '6 days 23 hours'`)
  expect(await round()).toEqual([])
  await pool.query(`update nightshift.retrainings set requested_at = now() - interval '7 days 1 minute'`)
  expect(await round()).toEqual(['retraining-2-t1'])
})

test('a model that declares no trigger is never asked for', async () => {
  const { pool } = fresh.database
  await pool.query(
    `update nightshift.retrainings set state = 'failed', requested_at = now() - interval '30 days'`,
  )
  const { churn } = example.models
  if (churn?.retrain === undefined) throw new Error('expected churn to be retrained')
  const silent = { ...example, models: { churn: { ...churn, retrain: { ...churn.retrain, when: {} } } } }
  expect(await round(silent)).toEqual([])
  expect(await all()).toHaveLength(2)
})
