import type { ClientBase } from 'pg'
import type { AlertSettings } from '../delivery/alert-settings.ts'
import { recordEvent } from './events.ts'
import type { FailureFacts, RecoveryFacts } from './incident-facts.ts'
import { badNights, type Incident, type IncidentDetail, type Night } from './incident-record.ts'
import { isMuted } from './mutes.ts'
import { lockIncidents } from './report-failure.ts'

/**
 * Marks a night as good again in every open incident it is part of, and closes incidents with no bad night left;
 * their all-clear is due after the grouping window. Called in the transaction that publishes, releases or skips.
 * Returns the ids of the closed incidents.
 */
export async function reportRecovery(
  client: ClientBase,
  now: Date,
  recovery: RecoveryFacts,
  settings: AlertSettings,
): Promise<number[]> {
  const closed: number[] = []
  for (const incident of await lockIncidents(client, recovery)) {
    if (!(recovery.kinds?.includes(incident.kind) ?? isOver(recovery, incident.kind))) continue
    const detail = recover(incident, recovery, now)
    if (detail === undefined) continue
    await client.query('update nightshift.incidents set detail = $2 where id = $1', [
      incident.id,
      JSON.stringify(detail),
    ])
    await recordEvent(client, {
      incident: incident.id,
      at: now,
      event: 'recovered',
      run: recovery.run ?? null,
      partition: recovery.partition ?? recovery.seenOn ?? null,
      detail: { how: recovery.how, by: recovery.by },
    })
    if (badNights(detail.nights).length > 0) continue
    await close(client, now, settings, incident)
    closed.push(incident.id)
  }
  return closed
}

/**
 * Drift and poor quality do not disappear because a night is computed again: only a new check or measurement shows whether
 * they are over. Of scores that nobody has any more they warn nobody.
 */
function isOver({ how }: RecoveryFacts, kind: Incident['kind']): boolean {
  return how === 'withdrawn' || (kind !== 'drift' && kind !== 'quality' && kind !== 'unchecked')
}

/** The incident after the recovery; undefined if the recovery does not concern it. */
export function recover(
  incident: IncidentDetail,
  recovery: RecoveryFacts,
  now: Date,
): IncidentDetail | undefined {
  let touched = recovery.partition === undefined
  const nights = incident.nights.map((night): Night => {
    const meant = recovery.partition === undefined || night.partition === recovery.partition
    if (!meant || night.recovered !== null) return night
    touched = true
    const { how, seenOn, figures, run, rows, by, reason } = recovery
    const who = { run: run ?? null, rows: rows ?? null, by: by ?? null, reason: reason ?? null }
    return { ...night, recovered: { at: now.toISOString(), how, seenOn, figures, ...who } }
  })
  if (!touched) return undefined
  return { facts: about(incident.facts, badNights(nights).at(-1), recovery), nights }
}

/** The facts, updated to the newest night that is still bad and to what readers have now. */
function about(facts: FailureFacts, night: Night | undefined, recovery: RecoveryFacts): FailureFacts {
  const lastGood = recovery.lastGood ?? facts.lastGood
  if (night === undefined || night.partition === facts.partition) return { ...facts, lastGood }
  return {
    ...facts,
    lastGood,
    partition: night.partition ?? undefined,
    run: night.run ?? undefined,
    slot: night.slot ?? undefined,
    state: night.state,
  }
}

async function close(
  client: ClientBase,
  now: Date,
  settings: AlertSettings,
  incident: Incident,
): Promise<void> {
  await client.query('update nightshift.incidents set closed_at = $2 where id = $1', [incident.id, now])
  await recordEvent(client, { incident: incident.id, at: now, event: 'closed' })
  await client.query(
    `update nightshift.incident_readers set due_at = $2, reason = 'cleared'
      where incident = $1 and thread is not null`,
    [incident.id, new Date(now.getTime() + settings.group)],
  )
  await client.query(
    `update nightshift.incident_readers set due_at = null where incident = $1 and reason = 'escalated'`,
    [incident.id],
  )
  // Incidents that opened and closed while muted are not mailed.
  const { rowCount } = await client.query(
    `update nightshift.incident_readers r set due_at = null from nightshift.incidents i
      where i.id = r.incident and r.incident = $1 and r.thread is null and ${isMuted('$2')}`,
    [incident.id, now],
  )
  if (rowCount !== null && rowCount > 0) {
    await recordEvent(client, { incident: incident.id, at: now, event: 'silenced' })
  }
}
