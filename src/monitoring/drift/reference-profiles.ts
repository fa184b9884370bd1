import type { ClientBase, Pool } from 'pg'
import type { Profile } from '../../pipeline/profile/profile.ts'

/** Stores what a night was compared with, beside its profile, which is on record and takes it along when it goes. */
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

/** What the night of a run was compared with, undefined where that was the baseline of its version, or is not known. */
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
