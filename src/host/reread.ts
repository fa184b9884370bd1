import { createHash } from 'node:crypto'
import { readdirSync, statSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { Logger } from 'pino'
import { openProject } from '../project/files/load-project.ts'
import { ConfigurationError } from '../project/files/problem.ts'
import { LONGEST_FILE } from '../project/files/project-file.ts'
import type { Project } from '../project/project.ts'
import { withinSimulation } from './simulation/simulation-folder.ts'

const FRESH_MS = 1_000
/** A look at more files comes less often by as much: a thousand models are some 5,000 files, which take 50 ms. */
const FILES_AT_ONCE = 1_000
/** Contents are compared this often: some mounted file systems do not report modification times correctly. */
const COMPARE_MS = 60_000
const READ = ['nightshift.yaml', 'features', 'models', 'schedules']

/**
 * Rereads the project's files when they have changed, and checks at most once every `freshMs`, by default a second, for
 * each thousand files: they may be edited while processes run. An invalid edit is only logged; the last valid project stays in use until
 * it is fixed.
 */
export function projectReader(
  first: Project,
  log: Logger,
  {
    simulation,
    freshMs = FRESH_MS,
    compareMs = COMPARE_MS,
  }: { simulation?: string | undefined; freshMs?: number; compareMs?: number } = {},
): () => Project {
  let last = first
  let checkedAt = performance.now()
  let comparedAt = checkedAt
  let stamp = ''
  let contents: Promise<string> | undefined
  let restMs = freshMs
  let lastError = ''
  /** Files whose contents changed, whatever their times say, are reread at the next look. */
  const compare = (files: FoundFile[]) => {
    const before = contents
    void Promise.all([before, contentsOf(files)]).then(([then, now]) => {
      if (then !== now && contents === before) stamp = ''
    })
  }
  return () => {
    const now = performance.now()
    if (now - checkedAt < restMs) return last
    checkedAt = now
    const files = filesOf(first.root)
    restMs = freshMs * Math.max(1, files.length / FILES_AT_ONCE)
    const seen = files.map(({ path, stamp }) => `${path} ${stamp}`).join('\n')
    if (seen === stamp) {
      if (now - comparedAt >= compareMs) {
        comparedAt = now
        compare(files)
      }
      return last
    }
    stamp = seen
    comparedAt = now
    contents = contentsOf(files)
    try {
      const outer = openProject(first.root)
      const read = simulation === undefined ? outer : withinSimulation(outer, simulation)
      if (read.timezone !== first.timezone) throw new ConfigurationError(movedZone(first, read))
      if (read.schema !== first.schema) throw new ConfigurationError(movedLedger(first, read))
      last = read
      lastError = ''
    } catch (error) {
      if (!(error instanceof ConfigurationError)) throw error
      if (error.message !== lastError)
        log.error(`the project files are invalid, the last valid version stays in use: ${error.message}`)
      lastError = error.message
    }
    return last
  }
}

/** The zone decides which instant a label means, so it must not change within a process. */
function movedZone(first: Project, read: Project): string {
  return `nightshift.yaml: timezone: expected ${first.timezone}, which this process was started with, got: ${read.timezone}. Restore it, or check it with nightshift validate and start the process again`
}

/** Another schema is another ledger: this process stays with the one that it opened. */
function movedLedger(first: Project, read: Project): string {
  return `nightshift.yaml: schema: expected ${first.schema}, the ledger that this process was started with, got: ${read.schema}. Restore it, or start the process again`
}

interface FoundFile {
  path: string
  /** What changes with the file. */
  stamp: string
  bytes: number
}

/** Names, sizes and times of the project's files: takes 2 ms for 20 models; reading them takes 20 ms. */
function filesOf(root: string): FoundFile[] {
  const found = (path: string): FoundFile[] => {
    const stat = statSync(path, { throwIfNoEntry: false })
    if (stat === undefined) return [{ path, stamp: 'absent', bytes: 0 }]
    if (!stat.isDirectory())
      return [{ path, stamp: `${stat.ino} ${stat.size} ${stat.mtimeMs}`, bytes: stat.size }]
    return readdirSync(path).flatMap((name) => found(join(path, name)))
  }
  return READ.flatMap((name) => found(join(root, name)))
}

/** A digest of the files that a project is read from, taken beside what the process does: those of a thousand models take half a second. */
async function contentsOf(files: FoundFile[]): Promise<string> {
  const digest = createHash('sha256')
  for (const { path, bytes } of files) {
    const content = bytes > LONGEST_FILE ? '' : await readFile(path).catch(() => '')
    digest.update(`${path}\n`).update(content)
  }
  return digest.digest('base64')
}
