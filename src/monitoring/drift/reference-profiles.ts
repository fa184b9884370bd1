import type { ClientBase, Pool } from 'pg'
import type { Profile } from '../../pipeline/profile/profile.ts'

/** Stores the reference of a night with its profile; it is deleted together with the profile. */
export async function storeReferenceProfile(
  client: ClientBase,
  run: string,
  profile: Profile,
): Promise<void> {
  await client.query('insert into nightshift.reference_profiles (run, profile) values ($1, $2)', [
    run,
    JSON.stringify(profile),
  ])
}

/** The stored reference of a run's night; undefined if it was the baseline of its version, or is unknown. */
export async function referenceProfileOf(
  connection: ClientBase | Pool,
  run: string,
): Promise<Profile | undefined> {
  const { rows } = await connection.query<{ profile: Profile }>(
    'select profile from nightshift.reference_profiles where run = $1',
    [run],
  )
  return rows[0]?.profile
}
