import type { Command } from 'commander'
import { nameList, workList } from './terminal/name-list.ts'
import {
  activeNights,
  dayCount,
  placeCount,
  portNumber,
  rowLimit,
  share,
  versionNumber,
} from './terminal/whole-number.ts'

const asOf = [
  '--as-of <as-of>',
  'a date such as 2026-11-22, an hour such as 2026-11-22T03Z, or `latest`, `yesterday`, `today`',
] as const
const by = ['--by <who>', 'the person who does this, for the record'] as const
const host = [
  '--host <address>',
  'the address of the web pages; non-loopback addresses require a user',
  '127.0.0.1',
] as const
const json = ['--json', 'print data instead of text'] as const
const simulation = ['--simulation <id>', 'work within a simulation, as `simulate --list` names it'] as const

/**
 * Every command with its arguments, options and help, in the order of `--help`. `add` takes the usage, the description and the module
 * below commands/.
 */
export function addCommands(
  program: Command,
  add: (usage: string, description: string, module: string) => Command,
): void {
  program.commandsGroup('Project')
  add('init <dir>', 'create a project: a small example, or with --data a proposal over your own data', 'init')
    .option(
      '--data <path...>',
      'your data: files, folders and globs of Parquet, CSV or JSON; it stays where it is',
    )
    .option('--model <file>', 'with --data: an ONNX file, whose inputs the features are to have')
    .option('--features <file>', 'with --data: a features.sql of your own, instead of a proposed one')
    .option('--entity <column...>', 'with --data: the column or columns that say what a row is of')
    .option(...json)
  add('validate', 'check all files, the SQL and the source schemas in one run', 'validate')
    .option('--leaks <model>', 'also check its training sets for data that is not available at scoring time')
    .option(
      '--as-of <as-of>',
      'with --leaks: a night to recompute; repeatable (default: three nights)',
      (text: string, before: string[] | undefined) => [...(before ?? []), text],
    )
    .option(...json)
  add('test [view]', 'run the examples of features/<view>/examples: rows in, rows out', 'test').option(
    ...json,
  )

  program.commandsGroup('Services')
  add('up', 'run scheduler, worker and web pages in one process', 'up')
    .option('--port <port>', 'the port of the web pages', portNumber, 8080)
    .option(...host)
    .option('--places <n>', 'how many runs execute concurrently', placeCount)
  add('scheduler', 'run only the scheduler', 'scheduler')
  add('worker', 'run one worker', 'worker')
    .option('--places <n>', 'how many runs execute concurrently', placeCount)
    .option(
      '--only <work>',
      'take only this: features, scoring, monitoring, retraining, operations; several with commas',
      workList,
    )
    .option('--models <names>', 'take only features and scoring of these models, as in a,b', nameList)
  add('workers', 'list the workers: where, which version, how large, what they take', 'workers').option(
    ...json,
  )
  add('web', 'run the web pages and the queue board', 'web')
    .option('--port <port>', 'the port of the web pages', portNumber, 8080)
    .option(...host)
  add(
    'user <add|list|remove> [name]',
    'manage who may sign in: `user add NAME --role ROLE`, `user list`, `user remove NAME`',
    'user',
  )
    .option('--role <role>', 'viewer or operator')
    .option(...json)

  program.commandsGroup('Runs and backfills')
  add('run <model>', 'score one night: refresh its features, score, publish', 'run')
    .requiredOption(...asOf)
    .option(
      '--version <n>',
      'score with this version, which need not be live, into warehouse/trials: nothing is published',
      versionNumber,
    )
    .option('--force', 'run even if nothing has changed')
    .option(...by)
    .option(...json)
  add('refresh <view>', 'compute the features of one night', 'refresh')
    .requiredOption(...asOf)
    .option('--force', 'run even if nothing has changed')
    .option(...by)
    .option(...json)
  add('backfill <model...>', 'score many nights of one or more models; shows the plan first', 'backfill')
    .requiredOption('--from <as-of>', 'the first as-of')
    .requiredOption('--to <as-of>', 'the last as-of, included')
    .option('--missing', 'nights without a partition (the default)')
    .option('--failed', 'nights that failed or are held')
    .option('--stale', 'nights whose inputs have changed since they were published')
    .option('--all', 'every night, published or not')
    .option('--version <n>', 'score with this version', versionNumber)
    .option('--as-was', 'score with the version that was champion on each night')
    .option('--max-active <n>', 'how many nights run concurrently', activeNights)
    .option('--dry-run', 'show the plan and stop')
    .option('--yes', 'do not ask for confirmation')
    .option(...by)
    .option(...json)

  add('backfills [model]', 'list backfills and their progress', 'backfills').option(...json)
  add('pause <backfill>', 'pause a backfill: no new nights start', 'change-backfill')
    .option(...by)
    .option(...json)
  add('resume <backfill>', 'continue a backfill and follow it', 'change-backfill')
    .option(...by)
    .option(...json)
  add('cancel <backfill>', 'cancel a backfill: nights not started are unchanged', 'change-backfill')
    .option(...by)
    .option(...json)

  program.commandsGroup('Status')
  add('status [model]', 'show the calendar of slots', 'status')
    .option(...simulation)
    .option(
      '--as-of <as-of>',
      'only the slots of one as-of, of a date also those of its hours; or `latest`, `yesterday`, `today`',
    )
    .option('--days <n>', 'how many days back from the newest night (default: 14; --json: all)', dayCount)
    .option(
      '--limit <n>',
      'how many nights to print: open ones first, then the newest (default: 40; --json: all)',
      rowLimit,
    )
    .option(...json)
  add('runs [name]', 'list runs, newest first', 'runs')
    .option(...simulation)
    .option('--state <state>', 'queued, running, published, held, failed, ...')
    .option('--class <class>', 'the failure class')
    .option('--text <text>', 'text in the error message')
    .option('--version <n>', 'the model version', versionNumber)
    .option('--from <as-of>', 'the first as-of')
    .option('--to <as-of>', 'the last as-of, included')
    .option('--group', 'group failed and held runs by class and similar message')
    .option('--limit <n>', 'how many runs', rowLimit, 50)
    .option(...json)
  add(
    'show <run>',
    'show one run, by its id or its slot (churn:2026-11-22): steps, attempts, expectations, inputs, failure',
    'show',
  )
    .option(...simulation)
    .option(...json)
  add('report <model>', 'write one night as a self-contained HTML file', 'report')
    .requiredOption(...asOf)
    .option('--out <file>', 'the output file (default: reports/<model>-<as-of>.html in the project)')
    .option(...json)
  add('incidents [incident]', 'list open incidents, or show one', 'incidents')
    .option(...simulation)
    .option('--all', 'include closed incidents')
    .option(...json)

  program.commandsGroup('Failures and alerts')
  add('retry <run>', 'run a failed or held slot again; one that waits for data looks at once', 'retry')
    .option(...by)
    .option(...json)
  add('release <run>', 'publish a held run', 'release')
    .requiredOption('--reason <reason>', 'why it may be published')
    .requiredOption(...by)
    .option(...json)
  add('skip <slot>', 'skip a slot, such as churn:2026-11-22', 'skip')
    .requiredOption('--reason <reason>', 'why it is not needed')
    .option(...by)
    .option(...json)
  add('ack <incident...>', 'acknowledge incidents, or a test mail by its code', 'ack')
    .option(...simulation)
    .requiredOption(...by)
    .option(...json)
  add('mute <model>', 'send no mails about a model until a given time', 'mute')
    .option('--kind <kind>', 'only mails of this kind of incident, such as drift')
    .option('--until <time>', 'an ISO 8601 time, or a duration such as 4h')
    .option('--off', 'send mails again from now on')
    .option(...by)
    .option(...json)
  add(
    'alert <test|digest>',
    '`alert test` sends a real mail; `alert digest` prints what the digest for owners and readers would say now',
    'alert',
  )
    .option(
      '--to <address>',
      'the recipient (default of `test`: everybody who is notified); `digest` mails it there',
    )
    .option(...json)
  add(
    'runbook <model> [name]',
    'write the RUNBOOK.md skeleton and list its open sections; `runbook review MODEL` records who read it',
    'runbook',
  )
    .option(...simulation)
    .option('--add', 'append the sections that are missing')
    .option(...by)
    .option(...json)

  add(
    'adopt',
    'say that this folder is the project whose ledger it is, after a restore or a new checkout',
    'adopt',
  )
    .option('--yes', 'do not ask')
    .option(...json)
  add(
    'ledger <ls|dump|restore|rm> [name]',
    '`ls` lists embedded ledgers outside of their projects, `rm NAME` removes one; `dump FILE` copies the ledger of this project, `restore FILE` fills an empty one',
    'ledger',
  )
    .option('--yes', 'do not ask for confirmation')
    .option(...json)
  add(
    'completion <bash|zsh|fish>',
    'print the script that completes commands, options and names: bash, zsh or fish',
    'completion',
  )
  add('doctor', 'check database, queue, mail, disk and files', 'doctor').option(...json)

  program.commandsGroup('Training and evaluation')
  add(
    'dataset <model>',
    'build a point-in-time training set: features as they were served, labels joined',
    'dataset',
  )
    .option('--from <as-of>', 'the first as-of')
    .option('--to <as-of>', 'the last as-of, included')
    .option('--every <step>', 'the step between as-ofs: 1d, 7d, 1mo (hours for hourly models; default: 1mo)')
    .option(
      '--entities <file>',
      'instead of --from and --to: a Parquet or CSV file of entities, each with a time (as_of): any instant',
    )
    .option('--holdout-from <as-of>', 'as-ofs from this one on form the holdout')
    .option(
      '--holdout-groups <share>',
      'instead: this share of the groups forms the holdout, at all as-ofs',
      share,
    )
    .option(
      '--group-by <column...>',
      'with --holdout-groups: the columns that make a group (default: the entity)',
    )
    .option(...json)
  add(
    'evaluate <model>',
    'evaluate a version on the holdout of a training set and compare it with the champion',
    'evaluate',
  )
    .option(...simulation)
    .requiredOption('--version <n>', 'which version', versionNumber)
    .requiredOption('--dataset <id>', 'the training set whose holdout is scored')
    .option('--html <file>', 'also write the evaluation with its pictures as a self-contained HTML file')
    .option(...by)
    .option(...json)
  add('parity <model>', 'compare published features with the training path, value by value', 'parity')
    .requiredOption(...asOf)
    .option('--dataset <id>', 'compare with the stored rows of a training set')
    .option('--file <path>', 'compare with rows computed elsewhere: CSV or Parquet')
    .option('--allow-missing', 'with --file: the file is a sample and may lack published entities')
    .option(...json)
  add('drift <model>', 'show the drift of one night’s features and scores from the reference', 'drift')
    .option(...simulation)
    .requiredOption(...asOf)
    .option(...json)
  add('outcomes <model>', 'show realized outcomes of the scores, night by night', 'outcomes')
    .option(...simulation)
    .option('--from <as-of>', 'the first as-of')
    .option('--to <as-of>', 'the last as-of, included')
    .option('--measure', 'measure the nights that are due now, instead of leaving them to a worker')
    .option(
      '--new-horizon',
      'with --measure: also re-measure nights of another horizon, with the horizon of model.yaml',
    )
    .option(...json)
  add(
    'explain <model> <entity>',
    'show how one score was produced: features, version, run, inputs',
    'explain',
  )
    .option(...simulation)
    .requiredOption(...asOf)
    .option(...json)
  add(
    'replay <run>',
    're-run without publishing and report whether the output is identical',
    'replay',
  ).option(...json)

  add(
    'retrain <model>',
    'train a new version with the team’s command: register, evaluate, start its shadow',
    'retrain',
  )
    .option(...simulation)
    .option('--dry-run', 'make the training set, run the command, try its model; register nothing')
    .option('--list', 'list the retrainings of the model')
    .option(...by)
    .option(...json)
  add('simulate [model]', 'live through nights on a simulated clock, in a ledger of their own', 'simulate')
    .option('--from <as-of>', 'the first as-of')
    .option('--to <as-of>', 'the last as-of, included')
    .option('--challenger <n>', 'a version that scores beside the champion', versionNumber)
    .option('--continue <id>', 'go on with a simulation, with the versions that are live in it by now')
    .option('--list', 'list the simulations that are kept')
    .option('--remove <id>', 'remove a simulation: its ledger, warehouse and mails')
    .option(...by)
    .option(...json)

  program.commandsGroup('Registry')
  add('register <model> <file>', 'register an ONNX file as the next version', 'register')
    .option('--dataset <id>', 'the training set the model was trained on')
    .option(...asOf)
    .option(...by)
    .option(...json)
  add('versions <model>', 'list the versions of a model', 'versions')
    .option(...simulation)
    .option(...json)
  add('check <model>', 'ask the readiness gate: what a version still lacks before it may go live', 'check')
    .option(...simulation)
    .option('--version <n>', 'which version (default: the newest that is not champion)', versionNumber)
    .option(...json)
  add('waive <model> <item>', 'excuse an item of the gate until a date; it never counts as a pass', 'waive')
    .option(...simulation)
    .requiredOption('--until <date>', 'the last day on which it holds, at most 90 days ahead')
    .requiredOption('--reason <reason>', 'why')
    .requiredOption(...by)
    .option(...json)
  add('accept <model>', 'take a model over from its owner', 'accept')
    .option(...simulation)
    .requiredOption(...by)
    .option(...json)
  add(
    'handoff <model>',
    'write one page for whoever takes the model over: purpose, limits, evidence, runbook',
    'handoff',
  )
    .option('--version <n>', 'which version (default: the champion, else the newest)', versionNumber)
    .option('--out <file>', 'the output file (default: reports/handoff-<model>.html in the project)')
    .option(...json)
  add(
    'shadow <model>',
    'score a version in shadow every night, or show how the versions in shadow compare',
    'shadow',
  )
    .option(...simulation)
    .option('--version <n>', 'the version that starts', versionNumber)
    .option('--stop', 'with --version: it scores no further nights; its nights are kept')
    .option(...by)
    .option(...json)
  add('promote <model>', 'make a version the champion', 'promote')
    .option(...simulation)
    .requiredOption('--version <n>', 'which version', versionNumber)
    .option('--override <reason>', 'promote despite the gate; the reason is recorded')
    .option('--reason <reason>', 'why')
    .option(...by)
    .option(...json)
  add('rollback <model>', 'make the previous champion the champion again', 'rollback')
    .option(...simulation)
    .option('--to <n>', 'which version (default: the previous champion)', versionNumber)
    .option('--from <as-of>', 'restore its scores from this night on (default: the newest night only)')
    .option('--withdraw', 'no version before it: take it out of service, and its scores from their path')
    .option('--reason <reason>', 'why')
    .option(...by)
    .option(...json)
  add(
    'drill <model> <rollback|failure|alert|drift>',
    'try a rollback, failure, alert or drift for real where it harms nothing, and time it',
    'drill',
  )
    .option('--version <n>', 'which version (default: the newest that is not champion)', versionNumber)
    .option('--wait <time>', 'alert: how long everybody on call has to answer', '15m')
    .option(...by)
    .option(...json)
  add('history <model>', 'show which version was live when, and who changed it', 'history')
    .option(...simulation)
    .option(...json)
}
