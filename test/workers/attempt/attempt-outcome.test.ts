import { pino } from 'pino'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { transaction } from '../../../src/ledger/connection/database.ts'
import { ledgerClock } from '../../../src/ledger/connection/ledger-clock.ts'
import { claimAttempt } from '../../../src/ledger/nights/attempt-records.ts'
import { ensureSlot } from '../../../src/ledger/nights/ensure-slot.ts'
import { findRun, type Run } from '../../../src/ledger/nights/run-records.ts'
import { createRun } from '../../../src/ledger/nights/run-transitions.ts'
import { lockSlot } from '../../../src/ledger/nights/slots.ts'
import { openActiveAttempts } from '../../../src/ledger/workers/active-attempts.ts'
import { openProject } from '../../../src/project/files/load-project.ts'
import { parseAsOf } from '../../../src/project/time/asof.ts'
import { ledgerEffects } from '../../../src/workers/attempt/effects.ts'
import { openChildren } from '../../../src/workers/child/children.ts'
import type { Context } from '../../../src/workers/context.ts'
import { type FreshDatabase, freshDatabase } from '../../database/fresh.ts'
import type { TemporaryProject } from '../../projects/cdnow.ts'
import { generatedProject } from '../../projects/generated.ts'

let fresh: FreshDatabase
let project: TemporaryProject
let context: Context
beforeEach(async () => {
  fresh = await freshDatabase()
  project = await generatedProject()
  const opened = openProject(project.root)
  context = {
    id: 'scheduler',
    database: fresh.database,
    children: openChildren({ places: 1 }),
    activeAttempts: openActiveAttempts(),
    log: pino({ level: 'silent' }),
    root: project.root,
    warehouse: opened.warehouse,
    clock: ledgerClock(fresh.database),
    project: () => opened,
    onPublished: async () => {},
    wake: () => {},
  }
})
afterEach(async () => {
  await context.children.close()
  await project.remove()
  await fresh.drop()
})

test('a stopped worker that has its slot locked holds up nobody who reports it lost, and is reported once it is not', async () => {
  const run = await started()
  const stopped = await fresh.database.pool.connect()
  try {
    await stopped.query('begin')
    await lockSlot(stopped, run.slot)
    await expect(ledgerEffects(context).attemptLost(run, 1)).rejects.toThrow('lock timeout')
    expect(await findRun(fresh.database.pool, run.id)).toMatchObject({ state: 'running', attempt: 1 })
  } finally {
    await stopped.query('rollback')
    stopped.release()
  }
  await ledgerEffects(context).attemptLost(run, 1)
  expect(await findRun(fresh.database.pool, run.id)).toMatchObject({ state: 'queued', attempt: 1 })
})

async function started(): Promise<Run> {
  const id = await transaction(fresh.database, async (client) =>
    createRun(client, await ensureSlot(client, 'features', 'activity', parseAsOf('2026-03-02', 'UTC')), {
      trigger: 'manual',
      settings: { attempts: 3, backoff_ms: 0, timeout_ms: 60_000, wait_until: null },
    }),
  )
  await transaction(fresh.database, (client) => claimAttempt(client, id, 1, { worker: 'stopped' }))
  const run = await findRun(fresh.database.pool, id)
  if (run === undefined) throw new Error('the run is gone')
  return run
}
