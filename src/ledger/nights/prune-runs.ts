import { prunable } from '../connection/prunable.ts'

/** Ended, and not what its slot stands for now: nobody retries, releases or repairs it. */
const PAST = `r.state in ('published', 'failed', 'cancelled') and r.ended_at < $1
  and not exists (select from nightshift.slots s where s.id = r.slot and s.run = r.id and s.state <> 'published')
  and not exists (select from nightshift.backfills b where b.id = r.backfill and b.state in ('running', 'paused'))
  and not exists (select from nightshift.incident_events e join nightshift.incidents i on i.id = e.incident
                   where e.run = r.id and i.closed_at is null)`

/**
 * Attempts of such runs: their steps, what they used, their failures. The ledger goes on knowing how many there were, and the failure of
 * the run.
 */
export const oldAttempts = prunable({
  old: `select a.run, a.number from nightshift.attempts a join nightshift.runs r on r.id = a.run
         where a.ended_at < $1 and ${PAST}`,
  prune: 'delete from nightshift.attempts a using chosen c where a.run = c.run and a.number = c.number',
})

/**
 * Runs that never stood for a night and that nothing refers to: tries that failed or were cancelled. What stood once stays, since a
 * rollback, an outcome or a certificate names it.
 */
export const oldRuns = prunable({
  old: `select r.id from nightshift.runs r
         where ${PAST}
           and not exists (select from nightshift.slots s where s.id = r.slot and r.id in (s.run, s.published_run))
           and not exists (select from nightshift.standings t where t.run = r.id)
           and not exists (select from nightshift.attempts a where a.run = r.id)
           and not exists (select from nightshift.certificates c where c.run = r.id)
           and not exists (select from nightshift.profiles p where p.run = r.id)
           and not exists (select from nightshift.outcomes o where o.run = r.id)
           and not exists (select from nightshift.shadow_scores h where h.features_run = r.id)
           and not exists (select from nightshift.runs o where o.content = r.id)
           and not exists (select from nightshift.runs o where o.metadata ->> 'features_run' = r.id)`,
  prune: 'delete from nightshift.runs r using chosen c where r.id = c.id',
})

/**
 * Details of the others: the checks that passed, progress, and the inputs of what was superseded. Checks that failed stay, since what is
 * broken must not be scored; so do the inputs of what readers see, since they tell whether it is stale.
 */
export const oldDetails = prunable({
  old: `select r.id from nightshift.runs r where r.pruned_at is null and ${PAST}`,
  prune: `update nightshift.runs r
     set pruned_at = now(), progress = null,
         checks = jsonb_path_query_array(r.checks, '$[*] ? (@.passed == false)'),
         inputs = case when exists (select from nightshift.slots s where s.published_run = r.id) then r.inputs else '[]' end
    from chosen c where r.id = c.id`,
})
