import { spawnSync } from 'node:child_process'
import { copyProgram, GUARDS, type Guard } from '../test/faults/guards.ts'

/**
 * Takes the guards away one at a time and runs the checker of each promise, on a program that has the guard and on one
 * that lacks it: the first has to pass and the second to fail. Prints a table. @returns the exit code
 */
export function breakGuards(): number {
  const build = spawnSync('npm', ['run', 'build'], { stdio: 'inherit' })
  if (build.status !== 0) return build.status ?? 1
  const rows = GUARDS.map((guard) => {
    const whole = passes(guard, undefined)
    const broken = whole ? passes(guard, guard) : undefined
    return { guard, whole, broken }
  })
  const header = ['guard', 'promise', 'checker', 'with it', 'without it']
  const lines = rows.map(({ guard, whole, broken }) => [
    guard.name,
    guard.promise,
    guard.checker.file,
    whole ? 'passes' : 'FAILS',
    broken === undefined ? 'not tried' : broken ? 'PASSES: it notices nothing' : 'fails, as it should',
  ])
  for (const cells of [header, header.map(() => '---'), ...lines]) {
    process.stdout.write(`| ${cells.join(' | ')} |\n`)
  }
  return rows.every(({ whole, broken }) => whole && broken === false) ? 0 : 1
}

function passes({ checker }: Guard, without: Guard | undefined): boolean {
  const program = copyProgram(without)
  try {
    const state = without === undefined ? 'with every guard' : `without ${without.name}`
    process.stdout.write(`\n${checker.file}, ${state}\n`)
    const { status } = spawnSync('npx', ['vitest', 'run', checker.file, '-t', checker.name], {
      stdio: 'inherit',
      env: { ...process.env, NIGHTSHIFT_DIST: program.dist },
    })
    return status === 0
  } finally {
    program.remove()
  }
}
