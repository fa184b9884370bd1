import type { ClientBase, Pool } from 'pg'
import { Temporal } from 'temporal-polyfill'
import { liveVersions } from './version-records.ts'

/**
 * Why the project cannot use this zone: live versions were registered in another zone, and every label would mean a
 * different instant to them. Undefined if it can.
 */
export async function zoneProblem(
  connection: ClientBase | Pool,
  timezone: string,
): Promise<string | undefined> {
  const { rows } = await connection.query<{ timezone: string }>('select timezone from nightshift.zone')
  const was = rows[0]?.timezone
  if (was === undefined || isSameZone(was, timezone)) return undefined
  const live = (await liveVersions(connection)).map(({ model, version }) => `version ${version} of ${model}`)
  if (live.length === 0) return undefined
  return (
    `timezone: expected ${was}, got: ${timezone}. ${live.join(', ')} ${live.length === 1 ? 'is' : 'are'} live, ` +
    `and every as-of would mean a different instant than the one trained on and published. Restore ${was}. ` +
    `To change only the time at which nights run, set a timezone in the schedule. ` +
    `For nights of ${timezone} start another project with its own folder and database`
  )
}

/** Stores the zone in which labels are read. Called if `zoneProblem` finds none. */
export async function keepZone(connection: ClientBase | Pool, timezone: string): Promise<void> {
  await connection.query(
    `insert into nightshift.zone (timezone) values ($1)
     on conflict (one) do update set timezone = $1, since = now() where zone.timezone <> $1`,
    [timezone],
  )
}

/** `Asia/Calcutta` is `Asia/Kolkata`. */
function isSameZone(a: string, b: string): boolean {
  if (a === b) return true
  const epoch = Temporal.Instant.fromEpochMilliseconds(0)
  return epoch.toZonedDateTimeISO(a).equals(epoch.toZonedDateTimeISO(b))
}
