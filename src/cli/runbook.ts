import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { join, relative, resolve } from 'node:path'
import type { GlobalOptions } from '../cli.ts'
import { openProject } from '../project/load.ts'
import { runbookSections, runbookSkeleton } from '../project/runbook.ts'
import { modelNamed } from './find.ts'
import { printJson, printLine } from './print.ts'

/** `runbook MODEL`: writes the skeleton where there is none, and says which sections are still empty. */
export default async function runbook([name = '']: string[], options: GlobalOptions): Promise<number> {
  const project = openProject(resolve(options.project))
  const model = modelNamed(project, name)
  const path = join(model.folder, 'RUNBOOK.md')
  const written = !existsSync(path)
  if (written) writeFileSync(path, runbookSkeleton(model))
  const sections = runbookSections(readFileSync(path, 'utf8'))
  const empty = sections.filter((section) => section.empty).map((section) => section.class)
  const shown = relative(project.root, path)
  if (options.json) printJson({ path: shown, written, sections })
  else {
    printLine(`${shown}: ${written ? 'written' : 'is there'}`)
    printLine(empty.length === 0 ? 'every section says something' : `still empty: ${empty.join(', ')}`)
  }
  return 0
}
