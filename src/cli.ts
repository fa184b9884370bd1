#!/usr/bin/env node
import { Command, CommanderError, InvalidArgumentError } from 'commander'
import { ConfigurationError } from './project/files/problem.ts'
import { printable } from './project/files/value-text.ts'

/** What a command is handed beside its arguments; `json` asks for data instead of text. */
export interface GlobalOptions {
  project: string
  json?: boolean
  debug?: boolean
}

/** A command prints what it has to say and returns the exit code: 0 done, 1 the work failed or is held. */
export type CommandModule<Options extends GlobalOptions> = {
  default: (args: string[], options: Options) => Promise<number>
}

const program = new Command('nightshift')
  .description('Batch scoring that somebody else can run at night.')
  .option('--project <dir>', 'the project: the folder that holds nightshift.yaml', '.')
  .option('--debug', 'show stack traces')
  .showHelpAfterError('(nightshift --help lists the commands)')
  .exitOverride()
  .configureHelp({ sortSubcommands: false })

const asOf = ['--as-of <as-of>', 'a date such as 2026-11-22, or an hour such as 2026-11-22T03Z'] as const
const by = ['--by <who>', 'who does it'] as const
const host = [
  '--host <address>',
  'where the web pages listen; beyond this machine only with users',
  '127.0.0.1',
] as const
const json = ['--json', 'print data instead of text'] as const

program.commandsGroup('A project')
add('init <dir>', 'make a small project that passes validate, with comments that teach', 'init').option(
  ...json,
)
add('validate', 'check all the files, the SQL and the schemas of the sources, in one go', 'validate')
  .option('--leaks <model>', 'look, too, for what its training sets would know that no night could')
  .option(
    '--as-of <as-of>',
    'with --leaks: a night to recompute; may be repeated (default: three)',
    (text: string, before: string[] | undefined) => [...(before ?? []), text],
  )
  .option(...json)

program.commandsGroup('Running')
add('up', 'scheduler, worker and web in one process', 'up')
  .option('--port <port>', 'where the web pages listen', integer, 8080)
  .option(...host)
  .option('--places <n>', 'how many runs at once', integer)
add('scheduler', 'the scheduler alone', 'scheduler')
add('worker', 'one worker', 'worker').option('--places <n>', 'how many runs at once', integer)
add('web', 'the pages and the queue board', 'web')
  .option('--port <port>', 'where to listen', integer, 8080)
  .option(...host)
add(
  'user <what> [name]',
  '`user add NAME --role ROLE`, `user list`, `user remove NAME`: who may sign in',
  'user',
)
  .option('--role <role>', 'viewer or operator')
  .option(...json)

program.commandsGroup('One night, or many')
add('run <model>', 'score one night: refresh its features, score, publish', 'run')
  .requiredOption(...asOf)
  .option('--force', 'also where nothing has changed')
  .option(...by)
  .option(...json)
add('refresh <view>', 'compute the features of one night', 'refresh')
  .requiredOption(...asOf)
  .option('--force', 'also where nothing has changed')
  .option(...by)
  .option(...json)
add('backfill <model>', 'score many nights: shows its plan first', 'backfill')
  .requiredOption('--from <as-of>', 'the first as-of')
  .requiredOption('--to <as-of>', 'the last as-of, included')
  .option('--missing', 'nights without a partition (the default)')
  .option('--failed', 'nights that failed or are held')
  .option('--stale', 'nights whose inputs have changed since they were published')
  .option('--all', 'every night, published or not')
  .option('--version <n>', 'score with this version', integer)
  .option('--as-was', 'score with the version that was champion on each night')
  .option('--max-active <n>', 'how many nights at once', integer)
  .option('--dry-run', 'show the plan and stop')
  .option('--yes', 'do not ask')
  .option(...by)
  .option(...json)

add('backfills [model]', 'the backfills, and how far they are', 'backfills').option(...json)
add('pause <backfill>', 'begin no further night of a backfill', 'pause').option(...json)
add('resume <backfill>', 'go on with a backfill, and follow it', 'resume').option(...json)
add('cancel <backfill>', 'end a backfill: what has not begun stays as it was', 'cancel').option(...json)

program.commandsGroup('What happened')
add('status [model]', 'the calendar of slots', 'status')
  .option('--days <n>', 'how many nights back', integer, 14)
  .option(...json)
add('runs [name]', 'the runs, newest first', 'runs')
  .option('--state <state>', 'queued, running, published, held, failed, ...')
  .option('--class <class>', 'failure class')
  .option('--text <text>', 'text in the error')
  .option('--version <n>', 'model version', integer)
  .option('--from <as-of>', 'the first as-of')
  .option('--to <as-of>', 'the last as-of, included')
  .option('--group', 'failed and held runs by class and by what their messages have in common')
  .option('--limit <n>', 'how many', integer, 50)
  .option(...json)
add('show <run>', 'one run: steps, attempts, expectations, inputs, failure', 'show').option(...json)
add('report <model>', 'one night as one HTML file that opens anywhere', 'report')
  .requiredOption(...asOf)
  .option('--out <file>', 'where to, instead of reports/<model>-<as-of>.html in the project')
  .option(...json)
add('incidents', 'open incidents', 'incidents')
  .option('--all', 'closed ones too')
  .option(...json)

program.commandsGroup('When something failed')
add('retry <run>', 'run a failed or held slot again', 'retry')
  .option(...by)
  .option(...json)
add('release <run>', 'publish a held run after all', 'release')
  .requiredOption('--reason <reason>', 'why it may be published')
  .requiredOption(...by)
  .option(...json)
add('skip <slot>', 'give a slot up, such as churn:2026-11-22', 'skip')
  .requiredOption('--reason <reason>', 'why it is not needed')
  .option(...by)
  .option(...json)
add('ack <incident...>', 'say that you have an incident: its mails stop repeating', 'ack').requiredOption(
  ...by,
)
add('mute <model>', 'no mails about a model until a time', 'mute')
  .option('--until <time>', 'ISO 8601, or a span such as 4h')
  .option('--off', 'mails again from now on')
  .option(...by)
add('alert <what>', '`alert test` sends one mail for real', 'alert').option(
  '--to <address>',
  'to whom, instead of every on-call address',
)
add('runbook <model>', 'write the RUNBOOK.md skeleton, say which sections are empty', 'runbook').option(
  ...json,
)

add('doctor', 'check database, queue, mail, disk and files', 'doctor').option(...json)

program.commandsGroup('Training and evaluation')
add(
  'dataset <model>',
  'a training set, point in time: features as they were served, labels joined',
  'dataset',
)
  .requiredOption('--from <as-of>', 'the first as-of')
  .requiredOption('--to <as-of>', 'the last as-of, included')
  .option('--every <step>', 'from one as-of to the next: 1d, 7d, 1mo (hours for hourly models)', '1mo')
  .option('--holdout-from <as-of>', 'as-ofs from here on are the holdout')
  .option(...json)
add('evaluate <model>', 'a version on the holdout of a training set, beside the champion', 'evaluate')
  .requiredOption('--version <n>', 'which version', integer)
  .requiredOption('--dataset <id>', 'the training set whose holdout is scored')
  .option(...by)
  .option(...json)
add('parity <model>', 'what serving published, value by value against the training path', 'parity')
  .requiredOption(...asOf)
  .option('--dataset <id>', 'against the stored rows of a training set')
  .option('--file <path>', 'against rows computed elsewhere: CSV or Parquet')
  .option('--allow-missing', 'with --file: the file is a sample, and may lack published entities')
  .option(...json)
add('drift <model>', 'how far the features and scores of a night are from the reference', 'drift')
  .requiredOption(...asOf)
  .option(...json)
add('outcomes <model>', 'what came of the scores, night by night, once the labels are there', 'outcomes')
  .option('--from <as-of>', 'the first as-of')
  .option('--to <as-of>', 'the last as-of, included')
  .option('--measure', 'measure now what is due, instead of leaving it to a worker')
  .option(
    '--new-horizon',
    'with --measure: nights measured under another horizon too, under that of model.yaml',
  )
  .option(...json)
add('explain <model> <entity>', 'what one score was made of: features, version, run, inputs', 'explain')
  .requiredOption(...asOf)
  .option(...json)
add('replay <run>', 'run it again aside, and say whether the content is the same', 'replay').option(...json)

program.commandsGroup('The registry')
add('register <model> <file>', 'register an ONNX file as the next version', 'register')
  .option('--dataset <id>', 'the training set that it was trained on')
  .option(...asOf)
  .option(...by)
  .option(...json)
add('versions <model>', 'the versions of a model', 'versions').option(...json)
add('promote <model>', 'make a version the champion', 'promote')
  .requiredOption('--version <n>', 'which version', integer)
  .option('--override <reason>', 'promote against the gate, on record')
  .option(...by)
  .option(...json)
add('rollback <model>', 'put the version back that was champion before', 'rollback')
  .option('--to <n>', 'which version, instead of the one before', integer)
  .option('--from <as-of>', 'put its scores back from this night on, instead of the newest alone')
  .option('--reason <reason>', 'why')
  .option(...by)
  .option(...json)
add('history <model>', 'what was live when, and who changed it', 'history').option(...json)

/** A command whose module is loaded when it is called: `--help` loads none. */
function add(usage: string, description: string, module: string): Command {
  const command = program.command(usage).description(description)
  return command.action(async (...given: unknown[]) => {
    const args = given
      .slice(0, -2)
      .flat()
      .filter((arg): arg is string => typeof arg === 'string')
    const loaded: CommandModule<GlobalOptions> = await import(`./cli/commands/${module}.js`)
    process.exitCode = await loaded.default(args, command.optsWithGlobals())
  })
}

function integer(text: string): number {
  const value = Number(text)
  if (!Number.isSafeInteger(value) || value < 0) throw new InvalidArgumentError('expected a whole number.')
  return value
}

// Whoever reads our output may stop reading, as `| head` does: nothing is wrong then.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code === 'EPIPE') process.exit()
  throw error
})

try {
  await program.parseAsync()
} catch (error) {
  process.exitCode = say(error)
}
// A slow reader has not taken everything yet. What else keeps the process alive has nothing left to do.
await new Promise<void>((flushed) => process.stdout.write('', () => flushed()))
process.exit()

function say(error: unknown): number {
  if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : 2
  const wrongCall = error instanceof ConfigurationError
  const message = error instanceof Error ? error.message : String(error)
  process.stderr.write(`nightshift: ${printable(message)}\n`)
  if (program.opts<GlobalOptions>().debug && error instanceof Error) process.stderr.write(`${error.stack}\n`)
  return wrongCall ? 2 : 1
}
