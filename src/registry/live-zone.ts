import type { ClientBase, Pool } from 'pg'
import { Temporal } from 'temporal-polyfill'
import { liveVersions } from './version-records.ts'

/**
 * Why the project's zone may not be this one: versions are live that were registered in another, and every label would
 * mean another instant to them. Undefined where it may.
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
    `and every as-of would mean another instant than the one that was learned and published. Restore ${was}. ` +
    `To move only the hour at which nights run, give the schedule a timezone of its own. ` +
    `For nights of ${timezone} start another project: a folder and a database of its own`
  )
}

/** Keeps the zone in which labels are read. Called where `zoneProblem` has none. */
export async function keepZone(connection: ClientBase | Pool, timezone: string): Promise<void> {
  await connection.query(
    `insert into nightshift.zone (timezone) values ($1)
     on conflict (one) do update set timezone = $1, since = now() where zone.timezone <> $1`,
    [timezone],
  )
}

/** `Asia/Calcutta` is `Asia/Kolkata`. */
function isSameZone(a: string, b: string): boolean {
  const epoch = Temporal.Instant.fromEpochMilliseconds(0)
  return epoch.toZonedDateTimeISO(a).equals(epoch.toZonedDateTimeISO(b))
}
