import type { Logger } from 'pino'
import { openProject } from '../project/load.ts'
import { ConfigurationError } from '../project/problem.ts'
import type { Project } from '../project/project.ts'

const FRESH_MS = 1_000

/**
 * Reads the project's files anew, at most once a second: they may be edited while processes run. An edit that is not
 * valid changes nothing but the log; the last valid reading holds until it is mended.
 */
export function projectReader(first: Project, log: Logger): () => Project {
  let last = first
  let readAt = performance.now()
  let complaint = ''
  return () => {
    if (performance.now() - readAt < FRESH_MS) return last
    readAt = performance.now()
    try {
      last = openProject(first.root)
      complaint = ''
    } catch (error) {
      if (!(error instanceof ConfigurationError)) throw error
      if (error.message !== complaint) log.error(`the files as they were before still hold: ${error.message}`)
      complaint = error.message
    }
    return last
  }
}
