import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, relative } from 'node:path'
import type { Reporter, TestModule } from 'vitest/node'

const FILES = 25
/** Tests that take longer are listed. In milliseconds. */
const LONG = 10_000

/**
 * Prints the files and the tests that took longest, files with what their setup and imports took, and the files that took
 * most of the processor, which says more on a busy machine.
 */
export class Slowest implements Reporter {
  readonly #folder = mkdtempSync(join(tmpdir(), 'nightshift-slowest-'))
  /** Where test/processor-time.ts writes what each file takes of the processor. */
  readonly processorFile = join(this.#folder, 'processor.jsonl')

  onTestRunEnd(modules: readonly TestModule[]): void {
    const files = modules.map((module) => ({ name: module.relativeModuleId, ms: tookOf(module) }))
    const tests = modules.flatMap((module) =>
      [...module.children.allTests()].map((test) => ({
        name: `${module.relativeModuleId}: ${test.fullName}`,
        ms: test.diagnostic()?.duration ?? 0,
      })),
    )
    const used = processorTimes(this.processorFile)
    print(`The ${FILES} slowest files:`, files.sort(byTime).slice(0, FILES))
    print(`Tests of more than ${LONG / 1000} s:`, tests.filter(({ ms }) => ms > LONG).sort(byTime))
    print(`The ${FILES} files that took most of the processor:`, used.sort(byTime).slice(0, FILES))
    print('All together:', [{ name: 'of the processor', ms: used.reduce((sum, { ms }) => sum + ms, 0) }])
    rmSync(this.#folder, { recursive: true, force: true })
  }
}

interface Timed {
  name: string
  ms: number
}

function processorTimes(file: string): Timed[] {
  if (!existsSync(file)) return []
  const lines = readFileSync(file, 'utf8').trim().split('\n')
  return lines.map((line) => {
    const { path, seconds }: { path: string; seconds: number } = JSON.parse(line)
    return { name: relative(process.cwd(), path), ms: seconds * 1000 }
  })
}

function tookOf(module: TestModule): number {
  const { duration, setupDuration, collectDuration } = module.diagnostic()
  return duration + setupDuration + collectDuration
}

const byTime = (a: Timed, b: Timed) => b.ms - a.ms

function print(title: string, lines: Timed[]): void {
  console.log(`\n${title}`)
  for (const { name, ms } of lines) console.log(`${(ms / 1000).toFixed(1).padStart(8)} s  ${name}`)
}
