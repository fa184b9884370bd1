import { existsSync } from 'node:fs'
import { join, relative } from 'node:path'
import type { ClientBase } from 'pg'
import { alertSettings } from '../../alerts/delivery/alert-settings.ts'
import { concernedBy } from '../../alerts/delivery/recipients.ts'
import type {
  FailureFacts,
  IncidentFailure,
  LastGood,
  RecoveryFacts,
  WaitingModel,
} from '../../alerts/incidents/incident-facts.ts'
import { reportFailure, reportRecovery } from '../../alerts/incidents/report-incident.ts'
import { lastGood as lastGoodRun } from '../../ledger/nights/published.ts'
import { attemptsOf, type Run } from '../../ledger/nights/run-records.ts'
import type { Slot } from '../../ledger/nights/slots.ts'
import type { Check } from '../../pipeline/engine/facts.ts'
import type { Failure } from '../../pipeline/engine/failure.ts'
import { shownFile } from '../../project/object-path.ts'
import type { Model, Project } from '../../project/project.ts'
import { versionsOf } from '../../registry/model-versions.ts'
import { liveViews } from '../../registry/version-records.ts'
import type { Context } from '../context.ts'

/** The night that a mail is about: its slot, and the failed run if there was one. */
export interface Night {
  slot: Slot
  run: Run | undefined
  checks: Check[]
}

/** The content of a mail about a night, from the ledger and the project's files. */
async function failureFacts(
  client: ClientBase,
  project: Project,
  night: Night,
  failure: IncidentFailure,
  state: FailureFacts['state'],
): Promise<FailureFacts> {
  const { slot, run } = night
  const attempts = run === undefined ? [] : await attemptsOf(client, run.id)
  const subjectKind = slot.kind === 'scores' ? 'model' : 'view'
  const concerned = concernedBy(project, { kind: subjectKind, name: slot.name }, await liveViews(client))
  const [model] = concerned
  const subject = slot.kind === 'scores' ? project.models[slot.name] : project.views[slot.name]
  const runbook = model === undefined ? undefined : relative(project.root, join(model.folder, 'RUNBOOK.md'))
  return {
    project: project.name,
    timezone: project.timezone,
    subject: slot.name,
    subjectKind,
    description: subject?.description,
    owner: subject?.owner ?? 'nobody',
    onCall: unique(concerned.flatMap((each) => each.on_call)),
    consumers: unique(concerned.flatMap((each) => each.consumers)),
    models: concerned.map(({ name }) => name),
    people: Object.keys(project.people),
    versions: slot.kind === 'scores' ? await versionsOf(client, slot.name) : undefined,
    isPinned: run?.pinned === true,
    failure,
    state,
    partition: slot.partition,
    run: run?.id,
    slot: `${slot.name}:${slot.partition}`,
    schedule: slot.schedule ?? undefined,
    since: attempts[0]?.started_at ?? slot.deadline ?? slot.changed_at,
    deadline: slot.deadline ?? undefined,
    waitedUntil: run?.settings.wait_until ?? undefined,
    attempts: attempts.map((attempt) => ({
      number: attempt.number,
      startedAt: attempt.started_at,
      endedAt: attempt.ended_at ?? undefined,
      outcome: attempt.outcome ?? 'running',
      message: attempt.failure?.message,
    })),
    checks: night.checks.filter((check) => !check.passed),
    lastGood: await lastGood(client, project, slot),
    isPublished: slot.published_run !== null,
    waiting: subjectKind === 'view' ? await waitingFor(client, project, concerned) : [],
    baseUrl: project.alerts?.base_url.replace(/\/$/, ''),
    runbook: runbook !== undefined && existsSync(join(project.root, runbook)) ? runbook : undefined,
  }
}

/** Notifies the people on call, in the transaction that ends the run; logs an error if there is no one to notify. */
export async function notifyFailure(
  client: ClientBase,
  { project: read, clock, log }: Pick<Context, 'project' | 'clock' | 'log'>,
  night: Night,
  failure: IncidentFailure,
  state: FailureFacts['state'],
  more: Pick<FailureFacts, 'drift' | 'quality'> = {},
): Promise<void> {
  const project = read()
  const facts = { ...(await failureFacts(client, project, night, failure, state)), ...more }
  const { incident, result, recipients } = await reportFailure(
    client,
    await clock(client),
    facts,
    alertSettings(project),
  )
  if (result === 'opened' && recipients.length === 0) {
    log.error(
      { incident, subject: facts.subject },
      `no one is notified of incident ${incident}: ${facts.subject} has no mail address in on_call or owner`,
    )
  }
}

/** Reports that a published night could not be checked; it remains published. */
export async function notifyUnchecked(
  client: ClientBase,
  context: Pick<Context, 'project' | 'clock' | 'log'>,
  night: Night,
  monitor: 'parity' | 'drift',
  failure: Failure,
): Promise<void> {
  const { message, evidence } = failure
  await notifyFailure(
    client,
    context,
    night,
    { class: 'unchecked', message, anchor: '#unchecked', evidence: { ...evidence, monitor } },
    'published',
  )
}

/** Reports that a night could be checked: closes the incident of earlier unchecked nights. */
export async function notifyChecked(
  client: ClientBase,
  { project, clock }: Pick<Context, 'project' | 'clock'>,
  slot: Pick<Slot, 'kind' | 'name' | 'partition'>,
  run: Pick<Run, 'id' | 'rows'>,
): Promise<void> {
  const facts: RecoveryFacts = {
    subject: slot.name,
    subjectKind: slot.kind === 'scores' ? 'model' : 'view',
    partition: undefined,
    seenOn: slot.partition,
    kinds: ['unchecked'],
    how: 'passed',
    run: run.id,
    rows: run.rows ?? undefined,
    by: undefined,
    lastGood: undefined,
  }
  await reportRecovery(client, await clock(client), facts, alertSettings(project()))
}

/** Reports that a night has recovered or is no longer expected: closes its incidents. */
export async function notifyRecovery(
  client: ClientBase,
  { project: read, clock }: Pick<Context, 'project' | 'clock'>,
  slot: Pick<Slot, 'kind' | 'name' | 'partition'>,
  how: RecoveryFacts['how'],
  { run, by, reason }: { run?: Pick<Run, 'id' | 'rows'>; by?: string | null; reason?: string | null },
): Promise<void> {
  const project = read()
  const facts: RecoveryFacts = {
    subject: slot.name,
    subjectKind: slot.kind === 'scores' ? 'model' : 'view',
    partition: slot.partition,
    kinds: undefined,
    how,
    run: run?.id,
    rows: run?.rows ?? undefined,
    by: by ?? undefined,
    reason: reason ?? undefined,
    lastGood: await lastGood(client, project, slot),
  }
  await reportRecovery(client, await clock(client), facts, alertSettings(project))
}

/** What readers have now: the newest published partition. */
async function lastGood(
  client: ClientBase,
  project: Project,
  slot: Pick<Slot, 'kind' | 'name'>,
): Promise<LastGood | undefined> {
  const run = await lastGoodRun(client, slot)
  return (
    run && {
      partition: run.partition,
      publishedAt: run.ended_at ?? run.created_at,
      path: shownFile(project.root, join(project.warehouse, run.path ?? '')),
      rows: run.rows ?? undefined,
      version: run.version ?? undefined,
    }
  )
}

/** What the readers of a view's models have while they are not scored. */
async function waitingFor(client: ClientBase, project: Project, models: Model[]): Promise<WaitingModel[]> {
  const waiting: WaitingModel[] = []
  for (const { name, consumers } of models)
    waiting.push({
      model: name,
      consumers,
      lastGood: await lastGood(client, project, { kind: 'scores', name }),
    })
  return waiting
}

function unique(values: string[]): string[] {
  return [...new Set(values)]
}
