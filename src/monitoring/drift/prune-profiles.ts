import { prunable } from '../../ledger/connection/prunable.ts'

/**
 * Profiles of nights with their figures of drift. Those that other nights are compared with stay, as does the newest one of
 * each model and version; baselines of versions have a table of their own.
 */
export const oldProfiles = prunable({
  old: `select p.run from nightshift.profiles p
         where p.at < $1
           and not exists (select from nightshift.reference_profiles f where f.run = p.run)
           and exists (select from nightshift.profiles n
                        where n.model = p.model and n.version = p.version and n.as_of > p.as_of)`,
  prune: 'delete from nightshift.profiles p using chosen c where p.run = c.run',
})
