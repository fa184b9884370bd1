import { queueSchema } from '../../ledger/connection/schema.ts'
import { dropSimulated } from '../../ledger/connection/simulated-clock.ts'
import { ConfigurationError } from '../../project/files/problem.ts'
import type { Session } from '../session.ts'
import {
  listSimulations,
  removeSimulationFolder,
  type Simulation,
  simulationNamed,
  simulationSchemaName,
} from './simulation-folder.ts'

/** Removes a simulation: its ledger, its warehouse, its mails. Refused while its process still lives through it. */
export async function removeSimulation({ project, database }: Session, id: string): Promise<Simulation> {
  const simulation = simulationNamed(project.root, id)
  if (simulation.state === 'running') {
    throw new ConfigurationError(
      `simulate: simulation ${id} is still running (process ${simulation.pid}): wait for it, or stop it with Ctrl-C where it runs`,
    )
  }
  const schema = simulationSchemaName(project, id)
  await dropSimulated(database.pool, queueSchema(schema))
  await dropSimulated(database.pool, schema)
  await removeSimulationFolder(project.root, id)
  return simulation
}

/** No drill lives as long as this. */
const LEFT_MS = 24 * 3_600_000

/**
 * Removes the copies of drills whose process was killed. Younger ones stay: on a shared disk their process may live on another
 * machine.
 */
export async function removeLeftDrills(session: Session): Promise<void> {
  for (const { id, drill, state, started_at } of listSimulations(session.project.root)) {
    const left = Date.now() - Date.parse(started_at) > LEFT_MS
    if (drill !== null && state !== 'running' && left) await removeSimulation(session, id)
  }
}
