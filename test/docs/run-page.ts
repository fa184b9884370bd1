import { spawn } from 'node:child_process'
import { existsSync } from 'node:fs'
import { hostname } from 'node:os'
import { join } from 'node:path'
import { expect } from 'vitest'
import { freePort } from '../alerts/mail-server.ts'
import { CLI, ended, nightshift, start } from '../cli/nightshift.ts'
import { blocksOf, commandsOf, commandsWithin, formsOf, PAGES, type PageCommand, wordsOf } from './blocks.ts'
import { NOT_RUN } from './not-run.ts'
import { notPrinted } from './shown-output.ts'

/** The state in which the commands of a page are run, one after the other. */
export interface Stage {
  project: string
  env: Record<string, string>
  /** What stands in the page, and what is meant here. Files of the project are found without. */
  words: Record<string, string | ((command: string) => string | Promise<string>)>
  /** Done before each command that contains the text. */
  before?: Record<string, () => unknown>
  /** Exit codes other than 0, by a text that the command contains, and why. */
  ends?: Record<string, { code: number; why: string }>
  /** Texts of commands that ask at a terminal before they begin: here `--yes` says so. */
  asks?: string[]
  /** Commands that stay until they are ended, by a text that they contain, and what they print when they are ready. */
  stays?: Record<string, RegExp>
  /** Told what each command printed. */
  after?: (command: PageCommand, printed: string) => unknown
}

export function isRun({ page, text }: PageCommand): boolean {
  return !NOT_RUN.some(
    ({ page: only, command }) => (only === undefined || only === page) && command.test(text),
  )
}

/** Runs the commands of a page that can be run. Throws on what ends otherwise than it should, or prints other things than shown. */
export async function runPage(
  page: string,
  stage: Stage,
  only: (text: string, line: number) => boolean = () => true,
): Promise<number> {
  const commands = blocksOf(page)
    .flatMap(commandsOf)
    .filter((command) => isRun(command) && only(command.text, command.line))
  for (const command of commands) await runEach(command, stage)
  return commands.length
}

/** What a page shows is printed by the first form. */
async function runEach(command: PageCommand, stage: Stage): Promise<void> {
  const [first = '', ...others] = formsOf(command.text)
  await runOne({ ...command, text: first }, stage)
  for (const text of others) await runOne({ ...command, text, shown: [] }, stage)
}

/** Commands within the sentences of all pages that no block has, each once. */
export function proseCommands(): PageCommand[] {
  const bare = (text: string) => text.replace(/^npx /, '')
  const seen = new Set(
    PAGES.flatMap(blocksOf)
      .flatMap(commandsOf)
      .filter(isRun)
      .map(({ text }) => bare(text)),
  )
  return PAGES.flatMap(commandsWithin).filter((command) => {
    const text = bare(command.text)
    if (seen.has(text) || !isRun(command)) return false
    seen.add(text)
    return true
  })
}

/** Runs commands that stand within sentences. */
export async function runProse(commands: PageCommand[], stage: Stage): Promise<void> {
  for (const command of commands) await runEach(command, stage)
}

async function runOne(command: PageCommand, stage: Stage): Promise<void> {
  const { text, page, line } = command
  const about = `${page}:${line}: ${text}`
  const [program, ...rest] = wordsOf(text)
  if (program === 'cd') {
    stage.project = await meant(rest[0] ?? '', text, stage)
    return
  }
  const given = program === 'npx' ? rest.slice(1) : rest
  if (program !== 'nightshift' && rest[0] !== 'nightshift')
    throw new Error(`${about}: expected nightshift or cd; add others to test/docs/not-run.ts with the reason`)
  for (const [part, work] of Object.entries(stage.before ?? {})) if (text.includes(part)) await work()
  const args = await Promise.all(given.map((word) => meant(word, text, stage)))
  if (stage.asks?.some((part) => text.includes(part)) && !args.includes('--yes')) args.push('--yes')
  const ready = Object.entries(stage.stays ?? {}).find(([part]) => text.includes(part))?.[1]
  if (ready !== undefined) return await startAndStop(args, stage, ready, about)
  // `--version` is legal alone, without a project.
  const { code, stdout, stderr } = args[0]?.startsWith('-')
    ? await ended(spawn(process.execPath, [CLI, ...args]))
    : await nightshift(args, stage)
  const expected = Object.entries(stage.ends ?? {}).find(([part]) => text.includes(part))?.[1].code ?? 0
  expect(code, `${about}\n${args.join(' ')}\n${stdout}\n${stderr}`).toBe(expected)
  expect(
    notPrinted(command.shown, asShown(stdout + stderr, stage)),
    `${about} is shown with, but did not print\n${stdout}\n${stderr}`,
  ).toEqual([])
  learn(command, stdout, stage)
  await stage.after?.(command, stdout)
}

/** Folders, and this machine, that stand for a name of the page, by that name. */
function asShown(printed: string, { words }: Stage): string {
  return Object.entries(words).reduce(
    (text, [word, here]) =>
      typeof here === 'string' && (here.startsWith('/') || here === hostname())
        ? text.replaceAll(here, word)
        : text,
    printed,
  )
}

/** Ids that a page shows stand for those that were printed here, and so does `ID`. */
function learn({ shown }: PageCommand, stdout: string, { words }: Stage): void {
  const set = /training set ([0-9a-f]{12})/
  const made = set.exec(stdout)?.[1]
  if (made === undefined) return
  words.ID = made
  const inPage = set.exec(shown.join('\n'))?.[1]
  if (inPage !== undefined) words[inPage] = made
}

async function meant(word: string, command: string, { words, project }: Stage): Promise<string> {
  const known = words[word]
  if (known !== undefined) return typeof known === 'string' ? known : await known(command)
  const file = join(project, word)
  return !word.startsWith('-') && word.includes('.') && existsSync(file) ? file : word
}

async function startAndStop(args: string[], stage: Stage, ready: RegExp, about: string): Promise<void> {
  const port = args[0] === 'web' || args[0] === 'up' ? ['--port', String(await freePort())] : []
  const child = start([...args, ...port], stage)
  let printed = ''
  const isReady = new Promise<void>((resolve, reject) => {
    for (const stream of [child.stdout, child.stderr])
      stream?.setEncoding('utf8').on('data', (text: string) => {
        printed += text
        if (ready.test(printed)) resolve()
      })
    child.once('exit', (code) => reject(new Error(`${about} ended with ${code}:\n${printed}`)))
  })
  try {
    await isReady
  } finally {
    child.removeAllListeners('exit')
    const gone = new Promise((resolve) => child.once('exit', resolve))
    child.kill('SIGTERM')
    if (child.exitCode === null) await gone
  }
}
