import { whereabouts } from '../ledger/identity/author.ts'
import { ConfigurationError } from '../project/files/problem.ts'
import type { Model } from '../project/project.ts'
import { startChallenge, stopChallenge } from '../registry/challengers.ts'
import { champion, refuseUnregistered } from '../registry/version-records.ts'
import type { ProjectLedger } from './project-ledger.ts'
import { refuseChangedViews } from './unchanged-views.ts'

export interface ShadowRequest {
  version: number
  by: string | null
  /** Recorded with the change; default: who runs this process, and where. */
  evidence?: Record<string, unknown>
}

/**
 * Starts a version in shadow. Throws a ConfigurationError if it is not registered, is the champion, or was registered on
 * a view that has changed since. Returns whether it was not in shadow before, and what may surprise.
 */
export async function startShadow(
  ledger: ProjectLedger,
  model: Model,
  { version, by, evidence = { ...whereabouts() } }: ShadowRequest,
): Promise<{ started: boolean; warnings: string[] }> {
  const { database, project } = ledger
  await refuseUnregistered(database.pool, 'shadow', model.name, version)
  const live = await champion(database.pool, model.name)
  if (live?.version === version) {
    throw new ConfigurationError(
      `shadow ${model.name}: expected a version that is not live, got: ${version}, which is the champion`,
    )
  }
  await refuseChangedViews(ledger, 'shadow', model.name, [version])
  const started = await startChallenge(database, { model: model.name, version, by, evidence })
  const warnings: string[] = []
  const scheduled = Object.values(project.schedules).some(({ score }) => score.includes(model.name))
  if (!scheduled) warnings.push(`no schedule scores ${model.name}: no night will count`)
  if (live === undefined && model.shadow.current === undefined) {
    warnings.push(
      `${model.name} has no champion, and model.yaml declares no process before it (shadow.current): its scores are compared with nothing`,
    )
  }
  return { started, warnings }
}

/** Ends a version's time in shadow. Throws a ConfigurationError if it is not registered. Returns false if it was not in shadow. */
export async function stopShadow(
  ledger: ProjectLedger,
  model: Model,
  { version, by, evidence = { ...whereabouts() } }: ShadowRequest,
): Promise<boolean> {
  await refuseUnregistered(ledger.database.pool, 'shadow', model.name, version)
  return stopChallenge(ledger.database, { model: model.name, version, by, evidence })
}
