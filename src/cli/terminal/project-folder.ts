import { existsSync } from 'node:fs'
import { dirname, join, resolve } from 'node:path'

/**
 * The folder of the project that a command means: `--project`, else NIGHTSHIFT_PROJECT, else the nearest one with a
 * nightshift.yaml, from the working folder upwards, as git looks for its own; else the working folder.
 */
export function projectFolder(
  given: string | undefined,
  environment: NodeJS.ProcessEnv = process.env,
): string {
  if (given !== undefined) return given
  if (environment.NIGHTSHIFT_PROJECT) return environment.NIGHTSHIFT_PROJECT
  for (let folder = process.cwd(); ; folder = dirname(folder)) {
    if (existsSync(join(folder, 'nightshift.yaml'))) return folder === process.cwd() ? '.' : resolve(folder)
    if (folder === dirname(folder)) return '.'
  }
}
