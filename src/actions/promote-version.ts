import { mailOwners } from '../alerts/delivery/mail-owners.ts'
import { overriddenLetter } from '../alerts/letters/notices/override-letter.ts'
import { whereabouts } from '../ledger/identity/author.ts'
import { classDoubt, scoreTitle } from '../pipeline/onnx/score-output.ts'
import { ConfigurationError } from '../project/files/problem.ts'
import type { Model } from '../project/project.ts'
import type { Gate } from '../readiness/gate.ts'
import { gateToRecord } from '../readiness/gate-on-record.ts'
import type { ChildRunner } from '../readiness/item.ts'
import { promote } from '../registry/champion.ts'
import { latestEvaluation } from '../registry/evaluations.ts'
import { champion, findVersion } from '../registry/version-records.ts'
import { askGate } from './ask-gate.ts'
import type { ProjectLedger } from './project-ledger.ts'

export interface Promotion extends Awaited<ReturnType<typeof promote>> {
  /** The meaning of the version's score; null if the version is unknown. */
  score: string | null
  warnings: string[]
}

export interface PromotionRequest {
  version: number
  by: string | null
  /** Why a person promotes it although the gate is not green; null: only the gate decides. */
  override: string | null
  /** Why it is promoted; an override is its own reason. */
  reason?: string | undefined
  /** False: a waived item counts as open, since no person looks at this promotion. Default true. */
  takesWaivers?: boolean
}

/** What came of a promotion: `refused` is the gate that is not ready. */
export type Promoted = { done: Promotion; refused?: undefined } | { done?: undefined; refused: Gate }

/** Throws a ConfigurationError for an override without a reason, or without somebody who answers for it. */
export function refuseUnexplained({ override, by }: Pick<PromotionRequest, 'override' | 'by'>): void {
  if (override === null) return
  if (by === null)
    throw new ConfigurationError(
      'promote: expected --by WHO together with --override: an override is recorded with its author',
    )
  if (override.trim() === '')
    throw new ConfigurationError(
      'promote: expected --override to say why the gate is overridden, got: nothing',
    )
}

/**
 * Asks the gate, and makes the version the champion if it is ready or a person overrides it. An override is mailed to
 * the owner and everybody on call. Changes nothing where the version is the champion already. Throws as `refuseUnexplained`.
 */
export async function promoteVersion(
  ledger: ProjectLedger,
  model: Model,
  request: PromotionRequest,
  children: ChildRunner,
): Promise<Promoted> {
  refuseUnexplained(request)
  const { pool } = ledger.database
  const [current, registered] = await Promise.all([
    champion(pool, model.name),
    findVersion(pool, model.name, request.version),
  ])
  // `promote` refuses an unknown version, and does nothing for the champion.
  if (registered === undefined || current?.version === request.version)
    return { done: await move(ledger, model, request, current?.version ?? null, undefined) }
  const gate = await askGate(ledger, model, request.version, children)
  const { override, takesWaivers = true } = request
  const ready = gate.ready && (takesWaivers || gate.items.every(({ status }) => status === 'pass'))
  if (!ready && override === null) return { refused: gate }
  return { done: await move(ledger, model, request, gate.champion, gate) }
}

async function move(
  { project, database }: ProjectLedger,
  model: Model,
  { version, by, override, reason }: PromotionRequest,
  expected: number | null,
  gate: Gate | undefined,
): Promise<Promotion> {
  const open = gate?.items.filter(({ status }) => status === 'fail') ?? []
  const here = whereabouts()
  const done = await promote(database, {
    model: model.name,
    version,
    // What the gate compared with: if another version went live meanwhile, its answer counts no more.
    expected,
    by,
    reason: override ?? reason ?? null,
    event: 'promoted',
    evidence: {
      ...(await evaluationOf(database.pool, model.name, version)),
      ...(gate === undefined ? {} : { gate: gateToRecord(gate) }),
      overridden: gate !== undefined && !gate.ready,
      ...here,
    },
    also: async (client) => {
      if (gate === undefined || gate.ready || override === null) return
      const overridden = {
        model: model.name,
        version,
        from: expected,
        by: by ?? here.os_user,
        reason: override,
      }
      await mailOwners(client, project, model, overriddenLetter({ ...overridden, open }))
    },
  })
  const promoted = await findVersion(database.pool, model.name, done.to)
  const doubt = promoted && classDoubt(promoted.mapping.output, model.onnx)
  return {
    ...done,
    score: promoted === undefined ? null : scoreTitle(promoted.mapping.output),
    warnings: doubt === undefined ? [] : [doubt],
  }
}

/** The latest evaluation of the version when it was promoted. */
async function evaluationOf(
  pool: ProjectLedger['database']['pool'],
  model: string,
  version: number,
): Promise<Record<string, unknown>> {
  const evaluation = await latestEvaluation(pool, model, version)
  if (evaluation === undefined) return { evaluation: 'none' }
  const { id, dataset, passed } = evaluation
  return { evaluation: `${passed ? 'passed' : 'not passed'} on training set ${dataset}`, evaluation_id: id }
}
