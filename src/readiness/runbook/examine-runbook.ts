import { didYouMean } from '../../project/files/nearest.ts'
import type { Model, Project } from '../../project/project.ts'
import { refusals, trial } from './own-program.ts'
import { openSections } from './own-words.ts'
import { commandsOf, READING_COMMANDS, type RunbookCommand } from './runbook-commands.ts'
import type { RunbookFile } from './runbook-file.ts'

const MOST_SAFE_COMMANDS = 10

/** What a runbook still lacks, one sentence each. */
export interface RunbookFindings {
  open: string[]
  commands: string[]
  /** Commands that were checked, and how many of them were run. */
  checked: number
  ran: number
}

/** Reads a runbook as the gate does: every section answered, every command legal, the safe ones run. */
export async function examineRunbook(
  project: Pick<Project, 'root'>,
  model: Model,
  { path, text }: RunbookFile,
  { run }: { run: boolean },
): Promise<RunbookFindings> {
  const open = openSections(model, text).map(({ section, why }) => `section ${section} ${why}`)
  const all = commandsOf(text)
  const answers = await refusals(all.map(({ args }) => args.map((arg) => (arg === 'N' ? '1' : arg))))
  const commands = all.flatMap(({ line, text: command, args, named }, index) => {
    const refused = answers[index]
    if (refused == null || (named && !refused.startsWith('unknown command'))) return []
    const hint = refused.startsWith('unknown command') ? didYouMean(args[0] ?? '', READING_COMMANDS) : ''
    return [`${path}:${line}: \`${command}\` is not legal: ${refused}${hint}`]
  })
  const safe = all.filter(({ safe }, index) => safe && answers[index] == null)
  const changing = safe.filter(({ args }) => !READING_COMMANDS.includes(args[0] ?? ''))
  commands.push(
    ...changing.map(
      ({ line, text: command }) =>
        `${path}:${line}: \`${command}\` changes something, so it cannot stand in a safe block`,
    ),
  )
  if (safe.length > MOST_SAFE_COMMANDS)
    commands.push(
      `${path}: expected at most ${MOST_SAFE_COMMANDS} commands in safe blocks, got: ${safe.length}`,
    )
  const runnable = run ? safe.filter((each) => !changing.includes(each)).slice(0, MOST_SAFE_COMMANDS) : []
  for (const each of runnable) {
    const failed = await tried(each, project.root)
    if (failed !== undefined) commands.push(`${path}:${each.line}: ${failed}`)
  }
  return { open, commands, checked: all.length, ran: runnable.length }
}

async function tried({ args, text }: RunbookCommand, root: string): Promise<string | undefined> {
  const error = await trial(args, root)
  return error === null ? undefined : `\`${text}\` fails: ${error}`
}
