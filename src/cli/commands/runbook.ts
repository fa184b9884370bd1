import { writeFileSync } from 'node:fs'
import { join, relative, resolve } from 'node:path'
import type { GlobalOptions } from '../../cli.ts'
import { openProject } from '../../project/files/load-project.ts'
import { ConfigurationError } from '../../project/files/problem.ts'
import { readProjectFile } from '../../project/files/project-file.ts'
import { runbookSections, runbookSkeleton } from '../../project/init/runbook-skeleton.ts'
import { modelNamed } from '../../project/named.ts'
import { printJson, printLine } from '../terminal/print.ts'

/** `runbook MODEL`: writes the skeleton if there is no runbook, and lists the sections that are still empty. */
export default async function runbook([name = '']: string[], options: GlobalOptions): Promise<number> {
  const project = openProject(resolve(options.project))
  const model = modelNamed(project, name)
  const path = join(model.folder, 'RUNBOOK.md')
  const shown = relative(project.root, path)
  const found = readProjectFile(project.root, shown)
  const written = typeof found !== 'string' && found.missing
  if (typeof found !== 'string' && !written) throw new ConfigurationError(`${shown}: ${found.fault}`)
  const text = typeof found === 'string' ? found : runbookSkeleton(model)
  // `wx` creates a file here or fails: it does not follow a dangling link.
  if (written) writeFileSync(path, text, { flag: 'wx' })
  const sections = runbookSections(text)
  const empty = sections.filter((section) => section.empty).map((section) => section.class)
  if (options.json) printJson({ path: shown, written, sections })
  else {
    printLine(`${shown}: ${written ? 'written' : 'exists'}`)
    printLine(empty.length === 0 ? 'every section has text' : `still empty: ${empty.join(', ')}`)
  }
  return 0
}
