import { relative, resolve } from 'node:path'
import { Temporal } from 'temporal-polyfill'
import { type Started, startFromData } from '../../actions/beginning/start-from-data.ts'
import { SAMPLE_MODEL, startProject } from '../../actions/beginning/start-project.ts'
import { count } from '../../format/numbers.ts'
import { formatProblems } from '../../project/files/format-problems.ts'
import { ConfigurationError } from '../../project/files/problem.ts'
import type { GlobalOptions } from '../command.ts'
import { printJson, printLine } from '../terminal/print.ts'

interface Options extends GlobalOptions {
  data?: string[]
  model?: string
  entity?: string[]
  features?: string
}

/** `init DIR [--data PATH... [--model FILE] [--features FILE] [--entity COLUMN...]]`: an example, or a proposal over data that is there. */
export default async function init([dir = '.']: string[], options: Options): Promise<number> {
  const root = resolve(dir)
  const today = Temporal.Now.plainDateISO().toString()
  const { data, model, entity, features } = options
  if (data !== undefined) {
    const started = await startFromData({ root, data, model, entity, features, today })
    const isWhole = started.problems.every(({ severity }) => severity !== 'error')
    if (options.json) printJson({ root, ...started })
    else printProposal(dir, started)
    return isWhole ? 0 : 1
  }
  const alone = Object.entries({ model, features, entity }).find(([, value]) => value !== undefined)
  if (alone !== undefined)
    throw new ConfigurationError(
      `init: expected --${alone[0]} together with --data PATH: it is about data of your own`,
    )
  const files = await startProject(root, today)
  if (options.json) {
    printJson({ root, files })
    return 0
  }
  printFiles(dir, files)
  printNext(dir, [
    `nightshift register lapse ${SAMPLE_MODEL}`,
    'nightshift run lapse --as-of latest --version 1',
  ])
  printLine('README.md there explains the files, and what comes next')
  return 0
}

function printFiles(dir: string, files: string[]): void {
  printLine(`created a project in ${dir}:`)
  for (const file of files) printLine(`  ${file}`)
  printLine('')
}

function printNext(dir: string, commands: string[]): void {
  printLine('next, the first scores:')
  if (relative('.', resolve(dir)) !== '') printLine(`  cd ${dir}`)
  // As it was typed here: of a package in a folder no shell finds `nightshift` itself.
  const before = process.env.npm_command === 'exec' ? 'npx ' : ''
  for (const command of commands) printLine(`  ${command.startsWith('nightshift ') ? before : ''}${command}`)
}

function printProposal(dir: string, started: Started): void {
  printFiles(
    dir,
    started.files.filter((file) => !file.startsWith('schemas/')),
  )
  printLine('guessed, as README.md there says too:')
  for (const { sure, what, why } of started.guesses) printLine(`  ${sure.padEnd(6)}  ${what}: ${why}`)
  if (started.left_out.length > 0) {
    printLine('')
    printLine('no features were made of:')
    for (const each of started.left_out) printLine(`  ${each}`)
  }
  printLine('')
  if (started.problems.length > 0) printLine(formatProblems(started.problems))
  if (started.rows > 0)
    printLine(
      `the data stays where it is; features computed as of ${started.as_of}: ${count(started.rows)} ${started.rows === 1 ? 'row' : 'rows'} of ${started.entity.join(', ')}, in a temporary folder`,
    )
  printNext(dir, started.next)
}
