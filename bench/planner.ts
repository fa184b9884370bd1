import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Action } from '../src/jobs/planning/ledger-view.ts'
import { loadLedgerView } from '../src/jobs/planning/load-ledger-view.ts'
import { planReconcile } from '../src/jobs/planning/planner.ts'
import { openInProcessQueues } from '../src/jobs/queue/queues-in-process.ts'
import { type Database, openDatabase } from '../src/ledger/connection/database.ts'
import { seeSchedule } from '../src/ledger/nights/seen-schedules.ts'
import { removeDatabase } from '../src/ledger/server/remove-server.ts'
import { openProject } from '../src/project/files/load-project.ts'
import { median } from './figures.ts'
import { writeProject } from './history/files.ts'
import { fillHistory } from './history/fill.ts'
import { MARK, processorSeconds } from './memory.ts'
import { counted, milliseconds, type Row, within } from './rows.ts'

const WAKE_UPS = 15

/** What a wake-up of the planner takes on a ledger with so much history: reading it, and planning. */
export async function measurePlanner(given: {
  models: number
  nights: number
  command: string
}): Promise<Row[]> {
  const { models, nights, command } = given
  const root = mkdtempSync(join(tmpdir(), 'nightshift-history-'))
  const mark = `planner-${process.pid}`
  process.env[MARK] = mark
  const queues = openInProcessQueues()
  try {
    writeProject(root, models)
    const database = await openDatabase({ root, role: 'command' })
    try {
      await fillHistory(database, { models, nights })
      const project = openProject(root)
      const plan = async () =>
        planReconcile(await loadLedgerView({ database, queues, project: () => project }, 'nights'))
      await keepDefinition(database, plan)
      const [walls, processors]: [number[], number[]] = [[], []]
      let actions = 0
      for (let wakeUp = -3; wakeUp < WAKE_UPS; wakeUp++) {
        // Of this process, which the mark came too late for, and of PostgreSQL's.
        const [begun, own, server] = [performance.now(), process.cpuUsage(), processorSeconds(mark)]
        actions = (await plan()).length
        const { user, system } = process.cpuUsage(own)
        if (wakeUp < 0) continue
        walls.push(performance.now() - begun)
        processors.push((user + system) / 1000 + 1000 * (processorSeconds(mark) - server))
      }
      const what = `a wake-up of the planner, ${counted(models)} models with ${nights} nights each in the ledger`
      const row = within({ what, command }, median(walls), { most: 100, show: milliseconds })
      // The ticks of the processor are 10 ms: one wake-up is too short for them, the mean of all is not.
      const mean = processors.reduce((sum, each) => sum + each, 0) / processors.length
      return [{ ...row, measured: `${row.measured} (processor ${milliseconds(mean)}, ${actions} actions)` }]
    } finally {
      await database.close()
    }
  } finally {
    await queues.close()
    await removeDatabase(root)
    rmSync(root, { recursive: true, force: true })
  }
}

/** The schedule as a scheduler records it, seen first when its history begins. */
async function keepDefinition(database: Database, plan: () => Promise<Action[]>): Promise<void> {
  const { rows } = await database.pool.query<{ first_seen_at: string }>(
    "delete from nightshift.schedules where name = 'nightly' returning first_seen_at",
  )
  const seen = (await plan()).find((action) => action.type === 'see-schedule')
  if (seen === undefined) throw new Error('expected the schedule to be seen')
  const firstSeen = rows[0]?.first_seen_at ?? seen.first_seen
  await seeSchedule(database.pool, seen.schedule, { firstSeen, definition: seen.definition, at: seen.at })
}
