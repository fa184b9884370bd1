import { type Command, CommanderError, type Option } from 'commander'
import { ownVersion } from '../program/own-files.ts'
import { nameSources } from '../program/source-names.ts'
import { didYouMean } from '../project/files/nearest.ts'
import { ConfigurationError } from '../project/files/problem.ts'
import { printable } from '../project/files/value-text.ts'
import { interruption } from '../workers/interruption.ts'
import type { CommandModule, GlobalOptions } from './command.ts'
import { addCommands } from './command-list.ts'
import { describeCommands, Program, usageOf } from './terminal/program.ts'
import { projectFolder } from './terminal/project-folder.ts'

export { untilInterrupted } from '../workers/interruption.ts'

nameSources()
// `pg` asks whether it runs at Cloudflare: by `navigator`, or where that is missing, as in Node 20, with a Response, for
// which Node loads all of `fetch`, 50 ms of each start. This is the navigator of Node 21.
const major = process.versions.node.split('.')[0]
if (!('navigator' in globalThis)) Object.assign(globalThis, { navigator: { userAgent: `Node.js/${major}` } })

const program = new Program('nightshift')
  .description('Batch scoring that someone else can run at night.')
  .option(
    '--project <dir>',
    'the folder with nightshift.yaml (default: NIGHTSHIFT_PROJECT, else the nearest one, from here upwards)',
  )
  .option('--debug', 'show stack traces')
  .addHelpText('after', '\n`nightshift --version` prints the version of the program.')
  .exitOverride()
  .configureHelp({ sortSubcommands: false, commandUsage: usageOf })
  .helpCommand(false)

/** Adds a command whose module is loaded only when it is called: `--help` loads none. */
function add(usage: string, description: string, module: string): Command {
  const command = program.command(usage).description(description)
  return command.action(async (...given: unknown[]) => {
    if (onlyParses) return
    const args = given
      .slice(0, -2)
      .flat()
      .filter((arg): arg is string => typeof arg === 'string')
    const project = projectFolder(program.opts<Partial<GlobalOptions>>().project)
    const isAsOf = (option: Option) => option.flags.endsWith('<as-of>')
    if (
      command.options.some(
        (each) => isAsOf(each) && command.getOptionValue(each.attributeName()) !== undefined,
      )
    ) {
      const { readAsOfs } = await import('./terminal/as-of-options.ts')
      await readAsOfs(command, args, project)
    }
    const loaded: CommandModule<GlobalOptions> = await import(`./commands/${module}.ts`)
    code = await loaded.default(args, { ...command.optsWithGlobals(), project }, command.name())
  })
}

addCommands(program, add)

program
  .command('help [command]')
  .description('show the help of a command')
  .action((name: string | undefined) => {
    const meant = name === undefined ? program : program.commands.find((each) => each.name() === name)
    if (meant === undefined) throw new ConfigurationError(unknownCommand(name ?? ''))
    meant.help()
  })

/** `help: there is no command stauts; did you mean status? ...`. */
function unknownCommand(name: string): string {
  const names = program.commands.map((each) => each.name())
  return `help: there is no command ${name}${didYouMean(name, names) || ':'} \`nightshift --help\` lists them`
}

// What the scripts of `completion` ask for: the words that fit behind those that are typed.
program
  .command('complete [words...]', { hidden: true })
  .allowUnknownOption()
  .action(async (words: string[]) => {
    const { complete } = await import('./terminal/complete.ts')
    const given = words.indexOf('--project')
    const root = projectFolder(given < 0 ? undefined : words[given + 1])
    const found = complete(program, words, root)
    process.stdout.write(found.map(({ value, description }) => `${value}\t${description}\n`).join(''))
  })

// What docs/commands.md is written from.
program.command('describe', { hidden: true }).action(() => {
  process.stdout.write(`${JSON.stringify(describeCommands(program))}\n`)
})

// Reads calls from stdin (a JSON list of lists of arguments) and prints for each null, or why it is not legal. Runs none.
let onlyParses = false
program.command('parse', { hidden: true }).action(async () => {
  const { text } = await import('node:stream/consumers')
  const calls: string[][] = JSON.parse(await text(process.stdin))
  onlyParses = true
  const problems: (string | null)[] = []
  for (const call of calls) {
    const refusal: string[] = []
    const write = { writeErr: (line: string) => void refusal.push(line), writeOut: () => {} }
    for (const command of [program, ...program.commands]) command.configureOutput(write)
    await program.parseAsync(call, { from: 'user' }).catch(() => refusal.push('not legal'))
    problems.push(
      refusal[0]
        ?.trim()
        .split('\n')[0]
        ?.replace(/^error: /, '') ?? null,
    )
  }
  process.stdout.write(`${JSON.stringify(problems)}\n`)
})

/** Of the command that ran last. */
let code = 0

/**
 * Carries out one call: parses it, runs its command, and reports what went wrong on stderr.
 *
 * @returns the exit code: 0 done, 1 the work failed or is held, 2 a wrong call or wrong files, 128 and the signal
 */
export async function carryOut(args: string[], interrupted?: Promise<never>): Promise<number> {
  code = 0
  onlyParses = false
  try {
    // Alone: after a command, `--version N` is the version of a model.
    if (args.join(' ') === '--version') process.stdout.write(`${ownVersion()}\n`)
    else
      await Promise.race([program.parseAsync(args, { from: 'user' }), ...(interrupted ? [interrupted] : [])])
    return code
  } catch (error) {
    return report(error)
  }
}

function report(error: unknown): number {
  if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : 2
  const stopped = interruption()
  if (stopped !== undefined) {
    const how = stopped.signal === 'SIGINT' ? 'Ctrl-C' : stopped.signal
    process.stderr.write(`nightshift: stopped by ${how}: ${printable(stopped.outlook)}\n`)
    if (program.opts<GlobalOptions>().debug && error instanceof Error)
      process.stderr.write(`${error.stack}\n`)
    return stopped.code
  }
  const wrongCall = error instanceof ConfigurationError
  const message = error instanceof Error ? error.message : String(error)
  process.stderr.write(`nightshift: ${printable(message)}\n`)
  if (program.opts<GlobalOptions>().debug && error instanceof Error) process.stderr.write(`${error.stack}\n`)
  return wrongCall ? 2 : 1
}
