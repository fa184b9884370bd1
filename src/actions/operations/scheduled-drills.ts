import type { ClientBase } from 'pg'
import { transaction } from '../../ledger/connection/database.ts'
import { ledgerNow } from '../../ledger/connection/ledger-clock.ts'
import type { DrillKind, Project, Schedule } from '../../project/project.ts'
import { nextTicks } from '../../project/time/cron.ts'
import { DRILLS } from '../../readiness/drills/drill-record.ts'
import { champion } from '../../registry/version-records.ts'
import type { ProjectLedger } from '../project-ledger.ts'
import { recordRequest } from './operation-record.ts'

/** A drill that a schedule declares for one of its models. */
export interface ScheduledDrill {
  schedule: Schedule
  model: string
  drill: DrillKind
  cron: string
}

/** The drills of schedules that are not paused. */
export function scheduledDrills(project: Project): ScheduledDrill[] {
  return Object.values(project.schedules)
    .filter(({ paused }) => !paused)
    .flatMap((schedule) =>
      schedule.score.flatMap((model) =>
        DRILLS.flatMap((drill) => {
          const cron = schedule.drills[drill]
          return cron === undefined ? [] : [{ schedule, model, drill, cron }]
        }),
      ),
    )
}

/**
 * Asks for the drills whose tick has come since the last look: of the champion, once however many ticks were missed. A
 * drill that is seen for the first time, or has another cron, begins now. One that is open already is not asked for again.
 * @returns what was asked for, such as `churn rollback`
 */
export async function requestDueDrills({ project, database }: ProjectLedger): Promise<string[]> {
  const declared = scheduledDrills(project)
  const due: string[] = []
  await transaction(database, async (client) => {
    await forgetOthers(client, declared)
    for (const each of declared) {
      if (!(await ticked(client, each))) continue
      const { model, drill, schedule } = each
      const live = await champion(client, model)
      if (live === undefined) continue
      const asked = await recordRequest(client, {
        model,
        kind: 'drill',
        drill,
        version: live.version,
        schedule: schedule.name,
        by: null,
      })
      if (asked !== undefined) due.push(`${model} ${drill}`)
    }
  })
  return due
}

/** One that was removed or paused begins anew when it comes back: what it would have done meanwhile is not made up for. */
async function forgetOthers(client: ClientBase, declared: ScheduledDrill[]): Promise<void> {
  await client.query(
    `delete from nightshift.drill_schedules d
      where not exists (select from unnest($1::text[], $2::text[], $3::text[]) as n (schedule, model, drill)
                         where n.schedule = d.schedule and n.model = d.model and n.drill = d.drill)`,
    [
      declared.map(({ schedule }) => schedule.name),
      declared.map(({ model }) => model),
      declared.map(({ drill }) => drill),
    ],
  )
}

/** Whether it ticked since it was last asked for. Its row is locked: of several schedulers one sees a tick. */
async function ticked(
  client: ClientBase,
  { schedule, model, drill, cron }: ScheduledDrill,
): Promise<boolean> {
  const { timezone } = schedule
  const clock = `${cron} ${timezone}`
  const key = [schedule.name, model, drill]
  const { rows } = await client.query<{ cron: string; seen_at: string }>(
    `select cron, seen_at from nightshift.drill_schedules
      where schedule = $1 and model = $2 and drill = $3 for update`,
    key,
  )
  const [seen] = rows
  const now = await ledgerNow(client)
  const known = seen?.cron === clock ? seen.seen_at : undefined
  const [tick] = known === undefined ? [] : nextTicks({ cron, timezone }, known, 1)
  const due = tick !== undefined && Date.parse(tick) < now.getTime()
  if (known !== undefined && !due) return false
  await client.query(
    `insert into nightshift.drill_schedules (schedule, model, drill, cron, seen_at) values ($1, $2, $3, $4, $5)
     on conflict (schedule, model, drill) do update set cron = $4, seen_at = $5`,
    [...key, clock, now],
  )
  return due
}
