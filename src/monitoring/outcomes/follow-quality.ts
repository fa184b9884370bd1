import type { ClientBase } from 'pg'
import { alertSettings } from '../../alerts/delivery/alert-settings.ts'
import type { BrokenBound, RecoveryFacts } from '../../alerts/incidents/incident-facts.ts'
import { listIncidents } from '../../alerts/incidents/list-incidents.ts'
import { reportRecovery } from '../../alerts/incidents/report-incident.ts'
import { figureText, qualitySentence, requiredText } from '../../alerts/letters/quality-letter.ts'
import { findRun } from '../../ledger/nights/run-records.ts'
import { lockSlot } from '../../ledger/nights/slots.ts'
import { readPersist } from '../../pipeline/drift/persistence.ts'
import type { Model } from '../../project/project.ts'
import { wordsOf } from '../../project/schema/metric.ts'
import { historyOf, liveBefore } from '../../registry/history-records.ts'
import { champion } from '../../registry/version-records.ts'
import { notifyFailure } from '../../workers/attempt/report-night.ts'
import type { Context } from '../../workers/context.ts'
import { type QualityBound, qualityBounds } from '../required-bound.ts'
import { type MeasuredNight, newestMeasured } from './outcome-nights.ts'
import { qualityStanding, qualityVerdict } from './quality-verdicts.ts'

/** Measured nights that are read, as a multiple of those that `drift.persist` looks at: some say nothing. */
const READ = 8

/** A bound, what each night says of it, and what follows. */
interface Judged {
  bound: QualityBound
  nights: BrokenBound['nights']
  standing: ReturnType<typeof qualityStanding>
}

/**
 * Applies a night that was measured: opens or joins the model's quality incident while a bound is broken, and closes it
 * once all bounds are kept again, by the newest measured nights. Called in the transaction that records the figures. The
 * result does not depend on the order in which nights are measured.
 */
export async function followQuality(
  client: ClientBase,
  context: Pick<Context, 'project' | 'clock' | 'log'>,
  model: Model,
): Promise<void> {
  // Nights of a model are judged one at a time: whether quality is worse depends on the neighbouring nights.
  await client.query('select pg_advisory_xact_lock(hashtext($1), hashtext($2))', [
    'nightshift.quality',
    model.name,
  ])
  const bounds = qualityBounds(model)
  if (bounds.length === 0) {
    await closeIncident(client, context, model, { how: 'no longer required' })
    return
  }
  const persist = readPersist(model.drift.persist)
  const nights = await newestMeasured(client, model.name, persist.nights * READ)
  const judged = bounds.map((bound) => judge(bound, nights, model))
  const broken = judged.filter(({ standing }) => standing === 'worse')
  if (broken.length > 0) {
    await reportQuality(client, context, model, nights, broken)
    return
  }
  // A bound that no night says anything of cannot be kept again.
  const told = judged.filter((each) => each.nights.length > 0)
  const last = nights.findLast(({ partition }) =>
    told.some((each) => each.nights.at(-1)?.partition === partition),
  )
  if (last === undefined || !told.every(({ standing }) => standing === 'met')) return
  await closeIncident(client, context, model, {
    how: 'passed',
    seenOn: last.partition,
    figures: told.map(figuresText).join('; '),
    run: last.run,
    rows: last.report.rows,
  })
}

function judge(bound: QualityBound, nights: MeasuredNight[], model: Model): Judged {
  const verdicts = nights.map(({ report }) => qualityVerdict(report, bound))
  return {
    bound,
    standing: qualityStanding(verdicts, readPersist(model.drift.persist)),
    nights: nights.flatMap(({ partition, report }, index) => {
      const verdict = verdicts[index]
      const value = report.metrics[bound.metric]
      const { low, high } = report.intervals[bound.metric] ?? {}
      if (verdict === undefined || verdict === 'unknown' || value == null || low == null || high == null)
        return []
      return { partition, value, low, high, verdict }
    }),
  }
}

/** `ROC AUC 0.81 (95 %: 0.78 to 0.84), at least 0.72 is required`. */
function figuresText({ bound, nights }: Judged): string {
  const last = nights.at(-1)
  const shown = { ...bound, bound: bound.value }
  const value = last === undefined ? '' : ` ${figureText(shown, last)}`
  return `${wordsOf(bound.metric)}${value}, ${requiredText(shown)}`
}

/** Reports the newest night that is worse. If it is known already, nothing changes. */
async function reportQuality(
  client: ClientBase,
  context: Pick<Context, 'project' | 'clock' | 'log'>,
  model: Model,
  nights: MeasuredNight[],
  judged: Judged[],
): Promise<void> {
  const worse = new Set(
    judged.flatMap((each) =>
      each.nights.filter(({ verdict }) => verdict !== 'met').map(({ partition }) => partition),
    ),
  )
  const night = nights.findLast(({ partition }) => worse.has(partition))
  const run = night && (await findRun(client, night.run))
  if (night === undefined || run === undefined) return
  const live = await champion(client, model.name)
  // Another version is live: further nights of the former one are no news.
  if (live?.version !== night.version && (await isOpen(client, context, model))) return
  const broken = judged.map(
    ({ bound, nights: each }): BrokenBound => ({
      metric: bound.metric,
      bound: bound.value,
      side: bound.side,
      declared: `${bound.declared} in models/${model.name}/model.yaml`,
      nights: each.slice(-readPersist(model.drift.persist).nights * 2),
    }),
  )
  const { persist } = model.drift
  const failure = {
    class: 'quality',
    message: qualitySentence(broken, persist),
    anchor: '#quality',
    evidence: {
      is_live: live?.version === night.version,
      can_roll_back: live?.version === night.version && (await hasEarlier(client, model)),
      can_retrain: live?.version === night.version && model.retrain !== undefined,
    },
  } as const
  const slot = await lockSlot(client, run.slot)
  await notifyFailure(client, context, { slot, run, checks: [] }, failure, 'published', {
    quality: {
      persist,
      version: night.version,
      live:
        live === undefined
          ? null
          : {
              version: live.version,
              since: live.since,
              isMeasured: nights.some(({ version }) => version === live.version),
            },
      rows: night.report.rows,
      positives: night.report.positives,
      broken,
    },
  })
}

/** Whether a rollback has a version to restore. */
async function hasEarlier(client: ClientBase, { name }: Model): Promise<boolean> {
  return liveBefore(await historyOf(client, name)) !== undefined
}

async function isOpen(client: ClientBase, { clock }: Pick<Context, 'clock'>, model: Model): Promise<boolean> {
  const open = await listIncidents(client, await clock(client), { subject: model.name })
  return open.some(({ kind, subjectKind }) => kind === 'quality' && subjectKind === 'model')
}

async function closeIncident(
  client: ClientBase,
  { clock, project }: Pick<Context, 'project' | 'clock'>,
  model: Model,
  how: Pick<RecoveryFacts, 'how'> & Partial<RecoveryFacts>,
): Promise<void> {
  const recovery: RecoveryFacts = {
    subject: model.name,
    subjectKind: 'model',
    partition: undefined,
    kinds: ['quality'],
    run: undefined,
    rows: undefined,
    by: undefined,
    lastGood: undefined,
    ...how,
  }
  await reportRecovery(client, await clock(client), recovery, alertSettings(project()))
}
