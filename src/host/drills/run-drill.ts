import { authorHere } from '../../ledger/identity/author.ts'
import type { DrillKind } from '../../project/project.ts'
import { type Drill, recordDrill } from '../../readiness/drills/drill-record.ts'
import { removeLeftDrills } from '../simulation/remove-simulation.ts'
import { alertDrill } from './alert-drill.ts'
import { driftDrill } from './drift-drill.ts'
import type { DrillRequest, DrillResult } from './drill.ts'
import { failureDrill } from './failure-drill.ts'
import { rollbackDrill } from './rollback-drill.ts'

const DRILLS: Record<DrillKind, (request: DrillRequest) => Promise<DrillResult>> = {
  rollback: rollbackDrill,
  failure: failureDrill,
  alert: alertDrill,
  drift: driftDrill,
}

/** Does it for real where it harms nothing, and records it with its figure. One that could not be tried is not recorded. */
export async function runDrill(kind: DrillKind, request: DrillRequest): Promise<Drill> {
  const { session, model, version, by } = request
  await removeLeftDrills(session)
  const result = await DRILLS[kind](request)
  return recordDrill(session.database.pool, {
    model: model.name,
    kind,
    version: version.version,
    view_hash: version.view_hash,
    ...result,
    ...authorHere(by),
  })
}
