import { createHash, type Hash } from 'node:crypto'
import { type Dirent, lstatSync, readdirSync, readFileSync } from 'node:fs'
import { dirname, join, resolve } from 'node:path'
import { deserialize, serialize } from 'node:v8'
import { buildId } from '../../program/own-files.ts'
import type { Project } from '../project.ts'
import { byName } from './by-name.ts'
import { readKept, writeKept } from './kept-file.ts'
import { LONGEST_FILE } from './project-file.ts'

const NAME = 'read-project'

/** What a project is made of: `features.sql`, `RUNBOOK.md` and the like. Other files are not read for it. */
const READ = /\.(?:ya?ml|sql|md)$/

/**
 * The project in a folder, ready to run. Where an earlier command of this build found its files valid on the same day
 * (the calendar is checked from today on) and they hold the same bytes, that is what it is: to load the schemas and to
 * check the files takes longer than to read them. Throws a ConfigurationError that lists every error in its files.
 */
export async function projectIn(folder: string, { now = new Date() }: { now?: Date } = {}): Promise<Project> {
  const root = resolve(folder)
  const state = stateOf(root, now)
  const known = state === undefined ? undefined : knownProject(root, state)
  if (known !== undefined) return known
  const { openProject } = await import('./load-project.ts')
  const project = openProject(root)
  // What has changed while it was read is read again by the next command.
  if (state !== undefined && stateOf(root, now) === state && isCovered(project))
    writeKept(root, NAME, serialize({ state, project }))
  return project
}

function knownProject(root: string, state: string): Project | undefined {
  const bytes = readKept(root, NAME)
  if (bytes === undefined) return undefined
  try {
    const kept: { state: string; project: Project } = deserialize(bytes)
    if (kept.state !== state) return undefined
    const { project } = kept
    // `serialize` keeps no prototypes, so none is missing either.
    const { views, models, schedules } = project
    return {
      ...project,
      views: byName(Object.values(views)),
      models: byName(Object.values(models)),
      schedules: byName(Object.values(schedules)),
    }
  } catch {
    // Of another Node.
    return undefined
  }
}

/** A hash of all that a project depends on; undefined where that is not plain: a link, a pipe, a file that is too long. */
function stateOf(root: string, now: Date): string | undefined {
  const build = buildId()
  if (build === undefined) return undefined
  const hash = createHash('sha256')
  add(hash, build, process.version, process.versions.tz, now.toISOString().slice(0, 10), root)
  try {
    if (!addFile(hash, join(root, 'nightshift.yaml'))) return undefined
    for (const name of ['features', 'models', 'schedules'])
      if (!addFolder(hash, join(root, name), name === 'schedules' ? 0 : 1)) return undefined
  } catch {
    // Not readable, or gone between two calls.
    return undefined
  }
  return hash.digest('base64')
}

/** @returns false if there is anything within that the loader would have to judge */
function addFolder(hash: Hash, folder: string, depth: number): boolean {
  const stat = lstatSync(folder, { throwIfNoEntry: false })
  if (stat === undefined) return true
  if (!stat.isDirectory()) return false
  for (const entry of readdirSync(folder, { withFileTypes: true }).sort(byItsName)) {
    const path = join(folder, entry.name)
    add(hash, entry.isFile() ? 'file' : 'folder', path)
    if (entry.isFile()) {
      if (READ.test(entry.name) && !addFile(hash, path)) return false
    } else if (!entry.isDirectory()) return false
    else if (depth > 0 && !addFolder(hash, path, depth - 1)) return false
  }
  return true
}

function addFile(hash: Hash, path: string): boolean {
  const stat = lstatSync(path)
  if (!stat.isFile() || stat.size > LONGEST_FILE) return false
  add(hash, readFileSync(path))
  return true
}

/** Each part with its length: no two lists of parts are the same text. */
function add(hash: Hash, ...parts: (string | Buffer | undefined)[]): void {
  for (const part of parts) hash.update(`${part?.length ?? -1}:`).update(part ?? '')
}

const byItsName = (a: Dirent, b: Dirent) => (a.name < b.name ? -1 : 1)

/** Labels may lie in any file: only those beside their model.yaml are looked at above. */
function isCovered({ models }: Project): boolean {
  return Object.values(models).every(
    ({ folder, labels }) =>
      labels === undefined || (dirname(labels.sqlFile) === folder && READ.test(labels.sqlFile)),
  )
}
