import { randomBytes } from 'node:crypto'
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { rename, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import * as z from 'zod'
import { didYouMean } from '../../project/files/nearest.ts'
import { PRIVATE, privateFolder } from '../../project/files/private-folder.ts'
import { ConfigurationError } from '../../project/files/problem.ts'
import type { Project } from '../../project/project.ts'

const FOLDER = 'simulations'
const FILE = 'simulation.json'

const simulationSchema = z.object({
  id: z.string(),
  model: z.string(),
  from: z.string(),
  to: z.string(),
  champion: z.number().nullable(),
  challenger: z.number().nullable(),
  /** The drill that it was made for, which removes it at its end. */
  drill: z.string().nullable().default(null),
  state: z.enum(['running', 'done', 'failed']),
  /** Of the process that lives through it. */
  pid: z.number(),
  started_at: z.string(),
  seconds: z.number().nullable(),
  /** Why it failed. */
  reason: z.string().nullable(),
})

/** What a simulation is, as its folder records it. Its ledger has everything that happened in it. */
export type Simulation = z.output<typeof simulationSchema>

/** `a1b2c3d4`: part of the name of a schema, so letters and digits alone. */
export function newSimulationId(): string {
  return randomBytes(4).toString('hex')
}

/** Where a simulation has its warehouse, its mails and its record. */
export function simulationFolder(root: string, id: string): string {
  return join(root, PRIVATE, FOLDER, id)
}

/** Where its mails are written, within `.nightshift`. */
export function outboxOf(id: string): string[] {
  return [FOLDER, id, 'outbox']
}

/** The schema of its ledger, beside the project's own. */
export function simulationSchemaName(project: Pick<Project, 'schema'>, id: string): string {
  return `${project.schema}_sim_${id}`
}

/** The project within a simulation: a warehouse and a ledger of its own, and no heartbeat or post to the outside. */
export function withinSimulation(project: Project, id: string): Project {
  return {
    ...project,
    warehouse: join(simulationFolder(project.root, id), 'warehouse'),
    schema: simulationSchemaName(project, id),
    heartbeat: undefined,
    alerts: project.alerts && { ...project.alerts, webhook: [] },
  }
}

/** Writes the record of a simulation, whole or not at all. */
export async function keepSimulation(root: string, simulation: Simulation): Promise<void> {
  const file = join(privateFolder(root, FOLDER, simulation.id), FILE)
  await writeFile(`${file}.tmp`, `${JSON.stringify(simulation, null, 2)}\n`, { mode: 0o600 })
  await rename(`${file}.tmp`, file)
}

/** All simulations of a project, newest first. A folder whose record cannot be read is listed as failed. */
export function listSimulations(root: string): Simulation[] {
  const folder = join(root, PRIVATE, FOLDER)
  if (!existsSync(folder)) return []
  return readdirSync(folder)
    .filter((name) => /^[0-9a-f]{8}$/.test(name))
    .map((id) => readSimulation(folder, id))
    .sort((a, b) => (a.started_at < b.started_at ? 1 : -1))
}

/** The simulation of an id. Throws a ConfigurationError that lists those there are. */
export function simulationNamed(root: string, id: string): Simulation {
  const all = listSimulations(root)
  const found = all.find((each) => each.id === id)
  if (found !== undefined) return found
  const ids = all.map((each) => each.id)
  throw new ConfigurationError(
    `expected the id of a simulation (${ids.join(', ') || 'there is none: nightshift simulate MODEL --from D --to D'}), got: ${id}${didYouMean(id, ids)}`,
  )
}

export async function removeSimulationFolder(root: string, id: string): Promise<void> {
  await rm(simulationFolder(root, id), { recursive: true, force: true })
}

function readSimulation(folder: string, id: string): Simulation {
  try {
    const read = simulationSchema.parse(JSON.parse(readFileSync(join(folder, id, FILE), 'utf8')))
    return read.state === 'running' && !isAlive(read.pid)
      ? { ...read, state: 'failed', reason: 'its process ended before it was over' }
      : read
  } catch {
    return { ...UNREADABLE, id }
  }
}

const UNREADABLE: Omit<Simulation, 'id'> = {
  model: '',
  from: '',
  to: '',
  champion: null,
  challenger: null,
  drill: null,
  state: 'failed',
  pid: 0,
  started_at: '',
  seconds: null,
  reason: 'its record cannot be read',
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return true
  } catch (error) {
    return error instanceof Error && 'code' in error && error.code === 'EPERM'
  }
}
