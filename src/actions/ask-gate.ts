import { ledgerNow } from '../ledger/connection/ledger-clock.ts'
import type { Model } from '../project/project.ts'
import { check, type Gate } from '../readiness/gate.ts'
import type { ChildRunner } from '../readiness/item.ts'
import { champion, listVersions, refuseUnregistered, type Version } from '../registry/version-records.ts'
import type { ProjectLedger } from './project-ledger.ts'

/**
 * Asks the gate about a version. Default: the newest that is not champion, else the champion. Throws a
 * ConfigurationError if the given version is not registered.
 */
export async function askGate(
  ledger: ProjectLedger,
  model: Model,
  version: number | undefined,
  children: ChildRunner,
): Promise<Gate> {
  const { project, database } = ledger
  const now = await ledgerNow(database.pool)
  const asked = await askedVersion(ledger, model, version)
  return check({ database, project, model, ...asked, now, warehouse: project.warehouse, children })
}

/** The version that the gate is asked about, and the champion. Throws as `askGate`. */
export async function askedVersion(
  { database }: ProjectLedger,
  model: Model,
  version: number | undefined,
): Promise<{ version: Version | undefined; champion: Version | undefined }> {
  if (version !== undefined) await refuseUnregistered(database.pool, 'check', model.name, version)
  const [versions, live] = await Promise.all([
    listVersions(database.pool, model.name),
    champion(database.pool, model.name),
  ])
  const of = (number: number | undefined) => versions.find((each) => each.version === number)
  const current = of(live?.version)
  const asked = version === undefined ? (versions.find((each) => each !== current) ?? current) : of(version)
  return { version: asked, champion: current }
}
