import { existsSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import type { Command, Option } from 'commander'

/** What can stand at the end of a line, and what it is. */
export interface Candidate {
  value: string
  description: string
}

const NIGHTS = ['latest', 'yesterday', 'today']

/**
 * Completes the last of the words after `nightshift`: commands, their options, and names of models and views, which are read
 * from the folders of the project alone. Empty where a file is meant, or nothing can be proposed.
 */
export function complete(program: Command, words: string[], root: string): Candidate[] {
  const current = words.at(-1) ?? ''
  return proposed(program, words.slice(0, -1), current, root).filter(({ value }) => value.startsWith(current))
}

function proposed(program: Command, before: string[], current: string, root: string): Candidate[] {
  const at = commandAt(program, before)
  const own = at === undefined ? undefined : program.commands.find((each) => each.name() === before[at])
  const options = [...(own?.options ?? []), ...program.options].filter(({ hidden }) => !hidden)
  const open = opensValue(before.at(-1), options)
  if (open !== undefined) return valuesOf(open, root)
  if (current.startsWith('-')) {
    const used = new Set(before)
    return [...options.filter(({ long }) => long !== undefined && !used.has(long)).map(asCandidate), HELP]
  }
  if (own === undefined || at === undefined) return at === undefined ? commandsOf(program) : []
  const place = positional(before.slice(at + 1), options).length
  const argument =
    own.registeredArguments[place] ?? own.registeredArguments.findLast(({ variadic }) => variadic)
  return argument === undefined ? [] : argumentOf(program, own.name(), argument.name(), place, root)
}

const HELP = { value: '--help', description: 'show the help' }

/** Where the command stands among the words: the first that is neither an option nor the value of one. */
function commandAt(program: Command, before: string[]): number | undefined {
  const [first] = positions(before, [...program.options])
  return first
}

function positional(words: string[], options: Option[]): string[] {
  return positions(words, options).map((index) => words[index] ?? '')
}

function positions(words: string[], options: Option[]): number[] {
  return words.flatMap((word, index) =>
    word.startsWith('-') || opensValue(words[index - 1], options) ? [] : [index],
  )
}

/** The option whose value the next word is. */
function opensValue(word: string | undefined, options: Option[]): Option | undefined {
  return options.find(
    (option) => word !== undefined && takesValue(option) && (option.long === word || option.short === word),
  )
}

function takesValue({ required, optional }: Option): boolean {
  return required || optional
}

function asCandidate({ long, description }: Option): Candidate {
  return { value: long ?? '', description }
}

function commandsOf(program: Command): Candidate[] {
  return program
    .createHelp()
    .visibleCommands(program)
    .map((command) => ({ value: command.name(), description: command.description() }))
}

function valuesOf({ flags }: Option, root: string): Candidate[] {
  if (flags.endsWith('<as-of>')) return NIGHTS.map((value) => ({ value, description: 'a night' }))
  return flags.endsWith('<model>') ? namesIn(root, 'models') : []
}

function argumentOf(
  program: Command,
  command: string,
  argument: string,
  place: number,
  root: string,
): Candidate[] {
  // An argument of a few words is named by them: <ls|dump|restore|rm>.
  if (argument.includes('|')) return argument.split('|').map((value) => ({ value, description: '' }))
  switch (argument) {
    case 'model':
      return namesIn(root, 'models')
    case 'view':
      return namesIn(root, 'features')
    case 'name':
      if (command === 'ledger' || command === 'user') return []
      return command === 'runbook' && place > 0
        ? namesIn(root, 'models')
        : [...namesIn(root, 'models'), ...namesIn(root, 'features')]
    case 'command':
      return commandsOf(program)
    default:
      return []
  }
}

const FILES = { models: ['model.yaml', 'model'], features: ['view.yaml', 'view'] } as const

/** Names of folders that hold the file that makes them one. */
function namesIn(root: string, kind: keyof typeof FILES): Candidate[] {
  const [file, description] = FILES[kind]
  const folder = join(root, kind)
  if (!existsSync(folder)) return []
  return readdirSync(folder)
    .filter((name) => existsSync(join(folder, name, file)))
    .map((value) => ({ value, description }))
}
