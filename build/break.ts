import { spawnSync } from 'node:child_process'
import { readFileSync, writeFileSync } from 'node:fs'
import { copyProgram, GUARDS, type Guard } from '../test/faults/guards.ts'
import { rowsOf, TABLES, textTable, withTable } from '../test/faults/table.ts'

const HEADER = ['guard', 'promise', 'checker', 'with it', 'without it']

/**
 * Takes the guards away one at a time and runs the checker of each promise, on a program that has the guard and on one
 * that lacks it: the first has to pass and the second to fail. The table is written into a page; where guards are named
 * (`fence`), only these are tried, and the rows of the others stay. @returns the exit code
 */
export function breakGuards(names: string[], page: string): number {
  const chosen = GUARDS.filter(({ name }) => names.length === 0 || names.some((each) => name.includes(each)))
  if (chosen.length === 0) {
    process.stderr.write(
      `expected one of: ${GUARDS.map(({ name }) => name).join(', ')}; got: ${names.join(', ')}\n`,
    )
    return 2
  }
  const tried = chosen.map((guard) => {
    const whole = passes(guard, undefined)
    return { guard, whole, broken: whole ? passes(guard, guard) : undefined }
  })
  const rows = tried.map(({ guard, whole, broken }) => [
    guard.name,
    guard.promise,
    `\`${guard.checker.file}\``,
    whole ? 'passes' : 'FAILS',
    broken === undefined ? 'not tried' : broken ? 'PASSES: it notices nothing' : 'fails',
  ])
  process.stdout.write(`${textTable([HEADER, ...rows])}\n`)
  const noticed = tried.every(({ whole, broken }) => whole && broken === false)
  if (noticed) {
    const text = readFileSync(page, 'utf8')
    const known = [...rows, ...rowsOf(text, TABLES.guards)]
    const all = GUARDS.flatMap(({ name }) => known.filter(([first]) => first === name).slice(0, 1))
    writeFileSync(page, withTable(text, textTable([HEADER, ...all]), TABLES.guards))
  }
  return noticed ? 0 : 1
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
