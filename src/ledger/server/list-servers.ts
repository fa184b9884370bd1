import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { PRIVATE } from '../../project/files/private-folder.ts'
import { readPostmaster } from './postmaster.ts'
import { claimOf, SHARED } from './server-place.ts'

/** An embedded ledger that lies outside of its project, since root made it. */
export interface FoundServer {
  /** The folder's own name. */
  name: string
  folder: string
  /** The project's folder; null where the folder does not say. */
  project: string | null
  /** `gone`: the project is not there any more, or has another ledger by now. */
  state: 'running' | 'stopped' | 'gone'
  bytes: number
  /** When its newest file was written, ISO 8601. */
  used_at: string
}

/** All of them on this machine, those whose project is gone first. */
export function listServers(shared: readonly string[] = SHARED): FoundServer[] {
  return shared
    .flatMap((parent) =>
      existsSync(parent)
        ? readdirSync(parent, { withFileTypes: true }).flatMap((entry) =>
            entry.isDirectory() && /^[0-9a-f]{16}$/.test(entry.name) ? [describe(parent, entry.name)] : [],
          )
        : [],
    )
    .sort((a, b) => Number(b.state === 'gone') - Number(a.state === 'gone') || (a.folder < b.folder ? -1 : 1))
}

function describe(parent: string, name: string): FoundServer {
  const folder = join(parent, name)
  const note = join(folder, 'project')
  const project = existsSync(note) ? readFileSync(note, 'utf8').trim() : null
  const isRunning = readPostmaster(join(folder, 'cluster', 'data')).state === 'running'
  const owns = project !== null && claimOf(join(project, PRIVATE, 'postgres'))?.folder === folder
  const { bytes, newest } = sizeOf(folder)
  return {
    name,
    folder,
    project,
    state: isRunning ? 'running' : owns ? 'stopped' : 'gone',
    bytes,
    used_at: new Date(newest).toISOString(),
  }
}

function sizeOf(folder: string): { bytes: number; newest: number } {
  let [bytes, newest] = [0, statSync(folder).mtimeMs]
  for (const entry of readdirSync(folder, { withFileTypes: true, recursive: true })) {
    if (!entry.isFile()) continue
    const found = statSync(join(entry.parentPath, entry.name), { throwIfNoEntry: false })
    bytes += found?.size ?? 0
    newest = Math.max(newest, found?.mtimeMs ?? 0)
  }
  return { bytes, newest }
}
