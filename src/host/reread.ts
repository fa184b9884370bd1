import { readdirSync, statSync } from 'node:fs'
import { join } from 'node:path'
import type { Logger } from 'pino'
import { openProject } from '../project/files/load-project.ts'
import { ConfigurationError } from '../project/files/problem.ts'
import type { Project } from '../project/project.ts'

const FRESH_MS = 1_000
/** Whatever the files' times say, they are read this often: a file system may be mounted without honest ones. */
const ANYWAY_MS = 60_000
const READ = ['nightshift.yaml', 'features', 'models', 'schedules']

/**
 * Reads the project's files anew where they have changed, looking at most once a second: they may be edited while
 * processes run. An edit that is not valid changes nothing but the log; the last valid reading holds until it is mended.
 */
export function projectReader(first: Project, log: Logger): () => Project {
  let last = first
  let lookedAt = performance.now()
  let readAt = Number.NEGATIVE_INFINITY
  let stamp = ''
  let complaint = ''
  return () => {
    const now = performance.now()
    if (now - lookedAt < FRESH_MS) return last
    lookedAt = now
    const seen = stampOf(first.root)
    if (seen === stamp && now - readAt < ANYWAY_MS) return last
    stamp = seen
    readAt = now
    try {
      const read = openProject(first.root)
      if (read.timezone !== first.timezone) throw new ConfigurationError(movedZone(first, read))
      last = read
      complaint = ''
    } catch (error) {
      if (!(error instanceof ConfigurationError)) throw error
      if (error.message !== complaint) log.error(`the files as they were before still hold: ${error.message}`)
      complaint = error.message
    }
    return last
  }
}

/** Labels mean instants by the zone: within one process they mean one thing. */
function movedZone(first: Project, read: Project): string {
  return `nightshift.yaml: timezone: expected ${first.timezone}, which this process was started with, got: ${read.timezone}. Restore it, or check it with nightshift validate and start the process again`
}

/** Names, sizes and times of the files that a project is read from: 2 ms for 20 models, where reading takes 20. */
function stampOf(root: string): string {
  const look = (path: string): string => {
    const stat = statSync(path, { throwIfNoEntry: false })
    if (stat === undefined) return `${path} absent`
    if (!stat.isDirectory()) return `${path} ${stat.ino} ${stat.size} ${stat.mtimeMs}`
    return readdirSync(path)
      .map((name) => look(join(path, name)))
      .join('\n')
  }
  return READ.map((name) => look(join(root, name))).join('\n')
}
