import { ledgerNow } from '../ledger/connection/ledger-clock.ts'
import { ConfigurationError } from '../project/files/problem.ts'
import type { Model } from '../project/project.ts'
import { check, type Gate } from '../readiness/gate.ts'
import type { ChildRunner } from '../readiness/item.ts'
import { champion, listVersions } from '../registry/version-records.ts'
import type { ProjectLedger } from './project-ledger.ts'

/**
 * Asks the gate about a version. Default: the newest that is not champion, else the champion. Throws a
 * ConfigurationError if the given version is not registered.
 */
export async function askGate(
  { project, database }: ProjectLedger,
  model: Model,
  version: number | undefined,
  children: ChildRunner,
): Promise<Gate> {
  const [versions, live, now] = await Promise.all([
    listVersions(database.pool, model.name),
    champion(database.pool, model.name),
    ledgerNow(database.pool),
  ])
  const of = (number: number | undefined) => versions.find((each) => each.version === number)
  const current = of(live?.version)
  const next = versions.find((each) => each !== current) ?? current
  const asked = version === undefined ? next : of(version)
  if (version !== undefined && asked === undefined) {
    const known = versions.map((each) => each.version).reverse()
    throw new ConfigurationError(
      `check ${model.name}: expected --version to be a registered one (${known.join(', ') || 'none is registered: nightshift register'}), got: ${version}`,
    )
  }
  return check({
    database,
    project,
    model,
    version: asked,
    champion: current,
    now,
    warehouse: project.warehouse,
    children,
  })
}
