import { appendFileSync, writeFileSync } from 'node:fs'
import { join, relative, resolve } from 'node:path'
import { reviewRunbook } from '../../actions/review-runbook.ts'
import { withSession } from '../../host/session.ts'
import { openProject } from '../../project/files/load-project.ts'
import { ConfigurationError } from '../../project/files/problem.ts'
import { readProjectFile } from '../../project/files/project-file.ts'
import { missingSections, runbookSections, runbookSkeleton } from '../../project/init/runbook-skeleton.ts'
import { modelNamed } from '../../project/named.ts'
import { personNamed } from '../../project/people.ts'
import { examineRunbook } from '../../readiness/runbook/examine-runbook.ts'
import { readRunbook } from '../../readiness/runbook/runbook-file.ts'
import type { GlobalOptions } from '../command.ts'
import { printJson, printLine } from '../terminal/print.ts'

interface Options extends GlobalOptions {
  by?: string
  add?: boolean
}

/**
 * `runbook MODEL`: writes the skeleton if there is no runbook, and lists what is open; `--add` appends the sections that
 * are missing. `runbook review MODEL --by WHO`.
 */
export default async function runbook([what = '', name]: string[], options: Options): Promise<number> {
  if (name !== undefined) return review(what, name, options)
  const project = openProject(resolve(options.project))
  const model = modelNamed(project, what)
  const path = join(model.folder, 'RUNBOOK.md')
  const shown = relative(project.root, path)
  const found = readProjectFile(project.root, shown)
  const written = typeof found !== 'string' && found.missing
  if (typeof found !== 'string' && !written) throw new ConfigurationError(`${shown}: ${found.fault}`)
  // `wx` creates a file here or fails: it does not follow a dangling link.
  if (written) writeFileSync(path, runbookSkeleton(model), { flag: 'wx' })
  else if (options.add === true && typeof found === 'string') {
    const missing = missingSections(model, found)
    // A file that does not end in a line break would take the first heading into its last line.
    if (missing !== '') appendFileSync(path, `${found.endsWith('\n') ? '' : '\n'}\n${missing}`)
  }
  const file = readRunbook(project, model)
  if (typeof file === 'string') throw new ConfigurationError(file)
  const { open, commands } = await examineRunbook(project, model, file, { run: false })
  if (options.json) printJson({ path: shown, written, sections: runbookSections(file.text), open, commands })
  else {
    printLine(`${shown}: ${written ? 'written' : 'exists'}`)
    if (open.length === 0) printLine('every section is answered')
    else {
      printLine('still open:')
      for (const finding of open) printLine(`  ${finding}`)
    }
    for (const finding of commands) printLine(finding)
    if (open.length + commands.length === 0)
      printLine(`next: nightshift runbook review ${model.name} --by WHO`)
  }
  return 0
}

function review(what: string, name: string, options: Options): Promise<number> {
  if (what !== 'review')
    throw new ConfigurationError(
      `runbook: expected \`runbook MODEL\` or \`runbook review MODEL\`, got: runbook ${what} ${name}`,
    )
  return withSession(options, async (session) => {
    const model = modelNamed(session.project, name)
    const by = personNamed(session.project, options.by)
    if (by === null)
      throw new ConfigurationError(`runbook review ${name}: expected --by WHO, the person who has read it`)
    const { path, sha256 } = await reviewRunbook(session, model, by)
    if (options.json) printJson({ model: name, path, sha256, by })
    else printLine(`${path} (${sha256.slice(0, 12)}) reviewed by ${by}; another text needs another review`)
    return 0
  })
}
