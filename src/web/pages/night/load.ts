import { type Attempt, attemptsOf, findRun, type Run } from '../../../ledger/nights/run-records.ts'
import { type ListedRun, runsOfSlot } from '../../../ledger/nights/runs-of-slot.ts'
import { findSlot, type Kind, neighboursOf, type Slot } from '../../../ledger/nights/slots.ts'
import { shardsOf } from '../../../ledger/shards/split-records.ts'
import {
  driftOfRun,
  type NightDrift,
  type NightProfile,
  profileOfRun,
} from '../../../monitoring/drift/record.ts'
import { referenceProfileOf } from '../../../monitoring/drift/reference-profiles.ts'
import { baselineOf } from '../../../monitoring/drift/stored-baselines.ts'
import { findOutcome, type Outcome } from '../../../monitoring/outcomes/record.ts'
import { type Certificate, certificateOf } from '../../../monitoring/parity/record.ts'
import type { Trust } from '../../../monitoring/trust/trust.ts'
import { trustOfNights } from '../../../monitoring/trust/trust-nights.ts'
import { type Verdict, verdictsOf } from '../../../monitoring/trust/verdict-records.ts'
import type { Baseline, Profile } from '../../../pipeline/profile/profile.ts'
import { type EvaluationRecord, latestEvaluation } from '../../../registry/evaluations.ts'
import { type ModelVersions, versionsOf } from '../../../registry/model-versions.ts'
import { findVersion, type Version } from '../../../registry/version-records.ts'
import { type ShardFacts, shardFacts } from '../../../workers/shards/shard-facts.ts'
import type { PageContext } from '../../page-context.ts'
import { faceOfAnswer } from '../overview/choose-models.ts'
import type { SlotAndRun } from './offers.ts'

/** Everything about one night, from one of its runs; `run` undefined: nothing has run yet. */
export interface Night {
  slot: Slot
  run: Run | undefined
  attempts: Attempt[]
  shards: ShardFacts[]
  /** All runs of the slot, newest first. */
  runs: ListedRun[]
  /** The features that were scored, or would be: their slot and its current run. */
  features: { slot: Slot | undefined; run: Run | undefined } | undefined
  /** The features that keep it from being scored. */
  blocker: SlotAndRun | undefined
  neighbours: Awaited<ReturnType<typeof neighboursOf>>
  /** May the scores of this night be used? Of scores alone. */
  trust: Trust | undefined
  /** What was answered to that since the night was published, oldest first. */
  verdicts: Verdict[]
  certificate: Certificate | undefined
  profile: NightProfile | undefined
  drift: NightDrift[]
  /** The distributions shown as before; undefined: there are none. */
  before: Before | undefined
  outcome: Outcome | undefined
  version: Version | undefined
  /** Of a night of scores: the versions that can be turned to. */
  versions: ModelVersions | undefined
  evaluation: EvaluationRecord | undefined
}

/** The distributions with which a night is shown. */
export interface Before {
  text: string
  profile: Profile
  /** It is the baseline, shown because the night's reference was not stored when the night was recorded. */
  isStandIn: boolean
}

export async function loadNight(
  { database, project }: Pick<PageContext, 'database' | 'project'>,
  slot: Slot,
  run: Run | undefined,
  now: Date,
): Promise<Night> {
  const { pool } = database
  const scores = slot.kind === 'scores'
  const number = run?.version ?? null
  const [
    attempts,
    shards,
    runs,
    features,
    profile,
    drift,
    version,
    evaluation,
    baseline,
    reference,
    outcome,
    versions,
    neighbours,
  ] = await Promise.all([
    run === undefined ? [] : attemptsOf(pool, run.id),
    run === undefined ? [] : shardsOf(pool, run.id),
    runsOfSlot(pool, slot.id),
    scores ? featuresOf({ database, project }, slot, run) : undefined,
    run === undefined ? undefined : profileOfRun(pool, run.id),
    run === undefined ? [] : driftOfRun(pool, run.id),
    scores && number !== null ? findVersion(pool, slot.name, number) : undefined,
    scores && number !== null ? latestEvaluation(pool, slot.name, number) : undefined,
    scores && number !== null ? baselineOf(pool, slot.name, number) : undefined,
    scores && run !== undefined ? referenceProfileOf(pool, run.id) : undefined,
    scores ? findOutcome(pool, slot.name, slot.partition) : undefined,
    scores ? versionsOf(pool, slot.name) : undefined,
    neighboursOf(pool, slot),
  ])
  const compared = scores ? features?.run?.id : run?.id
  const [certificate, blocker, trust, verdicts] = await Promise.all([
    compared === undefined ? undefined : certificateOf(pool, compared),
    blockerOf(pool, slot, features?.slot),
    scores ? trustOfNights(pool, project(), [slot], now) : undefined,
    scores ? verdictsOf(pool, slot.id) : [],
  ])
  const before = beforeOf(profile, reference, baseline)
  return {
    slot,
    run,
    attempts,
    shards: shards.map(shardFacts),
    runs,
    features,
    blocker,
    neighbours,
    trust: trustNow(
      slot,
      trust?.get(slot.id),
      verdicts.at(-1),
      run?.id === slot.published_run && profile === undefined,
    ),
    verdicts,
    certificate,
    profile,
    drift,
    before,
    outcome,
    version,
    versions,
    evaluation,
  }
}

/** Of a night without scores, what is missing says it all. Where the profile was pruned on which the answer rests, the answer stands. */
function trustNow(
  { published_run }: Slot,
  trust: Trust | undefined,
  standing: Verdict | undefined,
  isWithoutProfile: boolean,
): Trust | undefined {
  if (trust === undefined) return undefined
  if (published_run === null) return { ...trust, reasons: [] }
  if (!isWithoutProfile || standing?.run !== published_run || standing.profiled_at === null) return trust
  const { answer, reasons, why } = standing
  return { ...trust, answer, reasons, why, face: faceOfAnswer(answer) }
}

function beforeOf(
  night: NightProfile | undefined,
  reference: Profile | undefined,
  baseline: Baseline | undefined,
): Before | undefined {
  if (night === undefined || night.reference === null) return undefined
  if (reference !== undefined) return { text: night.reference, profile: reference, isStandIn: false }
  if (baseline === undefined) return undefined
  const { text, profile } = baseline
  return { text, profile, isStandIn: text !== night.reference }
}

/** The features run that was scored; without one, the night's current features run. */
async function featuresOf(
  { database, project }: Pick<PageContext, 'database' | 'project'>,
  slot: Slot,
  run: Run | undefined,
) {
  const { pool } = database
  const scored = run?.metadata?.features_run
  const used = scored === undefined ? undefined : await findRun(pool, scored)
  const view = used?.name ?? project().models[slot.name]?.view
  if (view === undefined) return undefined
  const own = await findSlot(pool, 'features', view, slot.partition)
  const current = used ?? (own?.run == null ? undefined : await findRun(pool, own.run))
  return { slot: own, run: current }
}

/** The features that keep a night from being scored: those that will not arrive by themselves. */
async function blockerOf(
  pool: PageContext['database']['pool'],
  scores: Slot,
  features: Slot | undefined,
): Promise<SlotAndRun | undefined> {
  if (scores.kind !== 'scores' || features === undefined) return undefined
  // Published features are scored, whatever became of a later run of theirs; a request waits for what it asked for.
  if (features.published_run !== null && scores.request === null) return undefined
  if (scores.state === 'published' || scores.state === 'skipped') return undefined
  if (features.state !== 'failed' && features.state !== 'held' && features.state !== 'skipped')
    return undefined
  const run = features.run === null ? undefined : await findRun(pool, features.run)
  return { slot: features, run, versions: undefined }
}

/** The slot of a partition; if a model and a view share the name, the model's slot. */
export async function slotNamed(
  { database, project }: Pick<PageContext, 'database' | 'project'>,
  name: string,
  { label }: { label: string },
  kind: Kind | undefined,
): Promise<Slot | undefined> {
  const kinds: Kind[] = kind === undefined ? ['scores', 'features'] : [kind]
  const known = project().models[name] === undefined ? kinds.toReversed() : kinds
  for (const each of known) {
    const slot = await findSlot(database.pool, each, name, label)
    if (slot !== undefined) return slot
  }
  return undefined
}
