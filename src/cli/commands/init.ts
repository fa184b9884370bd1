import { relative, resolve } from 'node:path'
import { Temporal } from 'temporal-polyfill'
import { SAMPLE_MODEL, startProject } from '../../actions/beginning/start-project.ts'
import type { GlobalOptions } from '../../cli.ts'
import { printJson, printLine } from '../terminal/print.ts'

export default async function init([dir = '.']: string[], options: GlobalOptions): Promise<number> {
  const root = resolve(dir)
  const files = await startProject(root, Temporal.Now.plainDateISO().toString())
  if (options.json) {
    printJson({ root, files })
    return 0
  }
  printLine(`created a project in ${dir}:`)
  for (const file of files) printLine(`  ${file}`)
  printLine('')
  printLine('next, the first scores:')
  if (relative('.', root) !== '') printLine(`  cd ${dir}`)
  printLine(`  nightshift register lapse ${SAMPLE_MODEL}`)
  printLine('  nightshift run lapse --as-of latest --version 1')
  printLine('README.md there explains the files, and what comes next')
  return 0
}
