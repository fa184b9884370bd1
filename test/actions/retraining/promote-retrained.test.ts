import { resolve } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { promoteVersion } from '../../../src/actions/promote-version.ts'
import { promoteRetrained } from '../../../src/actions/retraining/promote-retrained.ts'
import type { Retraining } from '../../../src/monitoring/retraining/record.ts'
import { openProject } from '../../../src/project/files/load-project.ts'
import { modelNamed } from '../../../src/project/named.ts'
import { ITEM_IDS } from '../../../src/readiness/item.ts'
import { recordWaiver } from '../../../src/readiness/waivers.ts'
import { historyOf } from '../../../src/registry/history-records.ts'
import { champion } from '../../../src/registry/version-records.ts'
import { withChild } from '../../../src/workers/child/with-child.ts'
import { type FreshDatabase, freshDatabase } from '../../database/fresh.ts'

const project = openProject(resolve(import.meta.dirname, '../../..'))
const churn = modelNamed(project, 'churn')
const until = new Date(Date.now() + 30 * 86_400_000).toISOString().slice(0, 10)
const HERE = { os_user: 'bob', host: 'node' }

let fresh: FreshDatabase
beforeAll(async () => {
  fresh = await freshDatabase()
  await fresh.database.pool.query(
    `insert into nightshift.versions (model, version, sha256, bytes, file, view, view_hash, features_sql, inputs, output, mapping)
     values ('churn', 1, 'a', 1, 'f', $1, 'h', 'select', '[]', '{}', '{"output": {}}')`,
    [churn.view],
  )
})
afterAll(() => fresh.drop())

test('a waived item lets a person promote, and no retrained version by itself', async () => {
  const { pool } = fresh.database
  const ledger = { project, database: fresh.database }
  for (const item of ITEM_IDS)
    await recordWaiver(pool, 'churn', { item, until, reason: 'a test', by: 'bob@example.com', ...HERE })
  const retrain = churn.retrain && { ...churn.retrain, promote: 'when-ready' as const }
  const retrained = { id: 1, version: 1, reason: 'age' } as Retraining
  const outcome = await promoteRetrained(ledger, { ...churn, retrain }, retrained)
  expect(outcome).toMatch(/^version 1 is not ready: .*shadow/)
  expect(await champion(pool, 'churn')).toBeUndefined()
  const request = { version: 1, by: 'ann@example.com', override: null, reason: 'newer nights' }
  const { refused } = await withChild(project, (children) => promoteVersion(ledger, churn, request, children))
  expect(refused).toBeUndefined()
  expect(await champion(pool, 'churn')).toMatchObject({ version: 1 })
  expect((await historyOf(pool, 'churn')).at(-1)).toMatchObject({
    event: 'promoted',
    by: 'ann@example.com',
    reason: 'newer nights',
    evidence: { overridden: false },
  })
})
