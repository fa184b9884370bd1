import { ConfigurationError } from '../project/files/problem.ts'
import type { DrillKind, Model } from '../project/project.ts'
import { DRILLS } from '../readiness/drills/drill-record.ts'
import type { Version } from '../registry/version-records.ts'
import { askedVersion } from './ask-gate.ts'
import type { ProjectLedger } from './project-ledger.ts'

export function drillNamed(model: Model, what: string): DrillKind {
  const kind = DRILLS.find((each) => each === what)
  if (kind !== undefined) return kind
  throw new ConfigurationError(`drill ${model.name}: expected ${DRILLS.join(', ')}, got: ${what}`)
}

/**
 * The version that a drill is of, by default the one that the gate is asked about, and the champion that it would replace.
 * Throws a ConfigurationError where no version is registered, or not the given one.
 */
export async function drilledVersion(
  ledger: ProjectLedger,
  model: Model,
  number: number | undefined,
): Promise<{ version: Version; champion: Version | undefined }> {
  const { version, champion } = await askedVersion(ledger, model, number)
  if (version === undefined)
    throw new ConfigurationError(
      `drill ${model.name}: expected a registered version, got: none; nightshift register ${model.name} FILE.onnx`,
    )
  return { version, champion: champion?.version === version.version ? undefined : champion }
}
