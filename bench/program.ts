import { execFile, execFileSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { MARK } from './memory.ts'

const root = fileURLToPath(new URL('..', import.meta.url))

/** Where the programs of this folder that are measured are compiled to. */
const COMPILED = join(root, '.nightshift/bench/program')

export const PROGRAMS = {
  limit: join(COMPILED, 'limit.js'),
  plain: join(root, 'bench/plain/score.js'),
} as const

/** What a side prints: a program of its own, which times itself after it has loaded its libraries. */
export interface Measured {
  seconds: number
  /** User and system, of all threads. */
  processor_seconds: number
  rows: number
  steps: Record<string, number>
}

/** Compiles the limit, and installs the packages of the plain script where they are missing. */
export function preparePrograms({ plain }: { plain: boolean }): void {
  execFileSync(process.execPath, [join(root, 'node_modules/typescript/bin/tsc'), '-p', join(root, 'bench')])
  const folder = join(root, 'bench/plain')
  if (plain && !existsSync(join(folder, 'node_modules')))
    execFileSync('npm', ['ci'], { cwd: folder, stdio: ['ignore', 'ignore', 'inherit'] })
}

/** `mark` is what the process is known by to the watch of memory. */
export async function runProgram(
  program: keyof typeof PROGRAMS,
  task: unknown,
  mark: string,
): Promise<Measured> {
  const { stdout } = await promisify(execFile)(process.execPath, [PROGRAMS[program], JSON.stringify(task)], {
    env: { ...process.env, [MARK]: mark },
  })
  return JSON.parse(stdout)
}
