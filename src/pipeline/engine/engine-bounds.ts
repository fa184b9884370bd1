import { readdirSync, statfsSync, statSync } from 'node:fs'
import { join } from 'node:path'

/** What the engines of this process may use. Set by the process that computes; elsewhere DuckDB's own limits hold. */
export interface EngineBounds {
  /** Memory of the whole task, in bytes: DuckDB, ONNX Runtime and this program. */
  memory: number
  /** Temporary files of the task: so many bytes, or a share of what its disk has free. */
  temp: { bytes: number | undefined; share: number | undefined }
}

/** The program's own memory with both engines loaded. */
const PROGRAM_BYTES = 120e6
/** DuckDB takes up to a tenth beside its own account: 144 MB beside 1.3 GB measured. */
const DUCKDB_SHARE = 0.9
/** DuckDB works in less, slowly; below this it cannot open a file. */
const LEAST_BYTES = 64e6

let bounds: EngineBounds | undefined
const folders = new Map<string, number>()
let spilled = 0

/** Sets the bounds of the engines that are opened from now on, and counts what they spill from 0. */
export function boundEngines(given: EngineBounds | undefined): void {
  bounds = given
  spilled = 0
}

/**
 * Statements that hold an engine within the bounds, `reserved` bytes of which other things take, such as the sessions of a
 * model. Statements, since DuckDB 1.5 does not enforce a limit of temporary files that it is created with.
 */
export function engineLimits(
  temp: string,
  { memory, reserved = 0 }: { memory?: string | undefined; reserved?: number | undefined },
): string[] {
  const own = limitBeside(reserved, 1)
  const disk = bounds && Math.max(1e6, bounds.temp.bytes ?? (bounds.temp.share ?? 1) * freeBytes(temp))
  const limit = memory ?? own
  return [
    ...(limit === undefined ? [] : [`SET memory_limit = '${limit}'`]),
    ...(disk === undefined ? [] : [`SET max_temp_directory_size = '${Math.floor(disk)}B'`]),
  ]
}

/** The memory limit of each of so many engines that work at once; undefined where the process has no bounds. */
export function limitOfEach(engines: number): string | undefined {
  return limitBeside(0, engines)
}

function limitBeside(reserved: number, engines: number): string | undefined {
  if (bounds === undefined) return undefined
  const bytes = (DUCKDB_SHARE * (bounds.memory - PROGRAM_BYTES - reserved)) / engines
  return `${Math.floor(Math.max(LEAST_BYTES, bytes))}B`
}

/** Inference sessions on a model of so many bytes that leave half of the task's memory: at least one, at most `wanted`. */
export function sessionsWithin(modelBytes: number, wanted: number): number {
  if (bounds === undefined) return wanted
  return Math.max(1, Math.min(wanted, Math.floor(bounds.memory / 2 / sessionBytes(modelBytes))))
}

/** What one session takes, in bytes: ONNX Runtime holds its graph beside the file's own bytes. */
export function sessionBytes(modelBytes: number): number {
  return 3 * modelBytes
}

/** Has the temporary files in a folder counted until the returned function is called. */
export function countTemporary(folder: string): () => void {
  folders.set(folder, (folders.get(folder) ?? 0) + 1)
  return () => {
    look()
    const users = (folders.get(folder) ?? 1) - 1
    if (users === 0) folders.delete(folder)
    else folders.set(folder, users)
  }
}

/** The most bytes of temporary files seen at once since `boundEngines`: DuckDB keeps no count. To be asked regularly. */
export function spilledBytes(): number {
  look()
  return spilled
}

function look(): void {
  let now = 0
  for (const folder of folders.keys()) now += temporaryBytes(folder)
  spilled = Math.max(spilled, now)
}

function temporaryBytes(folder: string): number {
  try {
    return readdirSync(folder)
      .filter((name) => name.startsWith('duckdb_temp_'))
      .reduce((sum, name) => sum + (statSync(join(folder, name), { throwIfNoEntry: false })?.size ?? 0), 0)
  } catch {
    // The folder is DuckDB's to make and to remove.
    return 0
  }
}

function freeBytes(folder: string): number {
  try {
    const { bavail, bsize } = statfsSync(folder)
    return bavail * bsize
  } catch {
    return Number.MAX_SAFE_INTEGER
  }
}
