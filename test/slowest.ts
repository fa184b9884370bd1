import type { Reporter, TestModule } from 'vitest/node'

const FILES = 20
/** Tests that take longer are listed. In milliseconds. */
const LONG = 10_000

/** Prints the files and the tests that took longest, files with what their setup and imports took. */
export class Slowest implements Reporter {
  onTestRunEnd(modules: readonly TestModule[]): void {
    const files = modules.map((module) => ({ name: module.relativeModuleId, ms: tookOf(module) }))
    const tests = modules.flatMap((module) =>
      [...module.children.allTests()].map((test) => ({
        name: `${module.relativeModuleId}: ${test.fullName}`,
        ms: test.diagnostic()?.duration ?? 0,
      })),
    )
    print(`The ${FILES} slowest files:`, files.sort(byTime).slice(0, FILES))
    print(`Tests of more than ${LONG / 1000} s:`, tests.filter(({ ms }) => ms > LONG).sort(byTime))
  }
}

interface Timed {
  name: string
  ms: number
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
