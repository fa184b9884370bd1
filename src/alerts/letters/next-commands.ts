import { kindOf } from '../../failures/incident-kinds.ts'
import { remedyFor, type Situation, type Step, type StepName } from '../../failures/remedies.ts'
import { brokenStructure } from '../../pipeline/features/releasable.ts'
import type { FailureFacts } from '../incidents/incident-facts.ts'
import { badNights, type Incident, type Night } from '../incidents/incident-record.ts'

export interface Command {
  /** What it is in the table of remedies; absent: another command. */
  step?: StepName
  command: string
  /** What the command shows or does, in the imperative: `See what it waited for`. */
  why: string
}

/** What went wrong, as far as commands depend on it. */
export type Trouble = Pick<
  FailureFacts,
  | 'subject'
  | 'subjectKind'
  | 'partition'
  | 'run'
  | 'slot'
  | 'state'
  | 'failure'
  | 'checks'
  | 'models'
  | 'quality'
  | 'versions'
  | 'isPinned'
  | 'people'
>

/** The next three commands, ready for the recipient to paste. */
export function nextCommands(
  incident: Pick<Incident, 'facts' | 'nights' | 'kind'>,
  recipient: string,
): Command[] {
  const { facts, kind } = incident
  const chosen = commandsFor({ ...facts, failure: { ...facts.failure, class: kind } }, recipient)
  const bad = badNights(incident.nights)
  const several =
    bad.length > 1 && kindOf(kind).runAgain
      ? repair(facts, bad[0]?.partition, bad.at(-1)?.partition)
      : undefined
  return several === undefined ? chosen : [...chosen.slice(0, 2), several]
}

/** The next three commands about one run or night, by the table of remedies. */
export function commandsFor(trouble: Trouble, recipient: string): Command[] {
  return remedyOf(trouble).steps.map((step) => written(step, trouble, recipient))
}

/** The entry of the table of remedies that a trouble falls under. */
export function remedyOf(trouble: Trouble): ReturnType<typeof remedyFor> {
  return remedyFor(trouble.failure.class, situation(trouble))
}

function situation({ state, failure, checks, versions, isPinned }: Trouble): Situation {
  return {
    state,
    isReleasable: isReleasable({ state, checks }),
    evidence: failure.evidence,
    isPinned: isPinned === true,
    versions,
  }
}

/** A run is held with an output only for expectations that failed. Those that a person may override can be released. */
function isReleasable({ state, checks }: Pick<Trouble, 'state' | 'checks'>): boolean {
  return state === 'held' && checks.some(({ passed }) => !passed) && brokenStructure(checks).length === 0
}

function written(step: Step, trouble: Trouble, recipient: string): Command {
  const name = typeof step === 'string' ? step : step.command
  const [text, why] = WRITTEN[name](partsOf(trouble, recipient))
  return { step: name, command: `npx nightshift ${text}`, why: typeof step === 'string' ? why : step.why }
}

/** What commands are written from, ready for a shell. */
interface Parts {
  trouble: Trouble
  subject: string
  run: string | undefined
  /** ` --as-of 2026-11-22`, or nothing. */
  asOf: string
  /** ` --by ann@example.com`. */
  by: string
  /** What computes the night: `run churn --as-of 2026-11-22`. */
  night: string
}

function partsOf(trouble: Trouble, recipient: string): Parts {
  const subject = quoted(trouble.subject)
  const asOf = trouble.partition === undefined ? '' : ` --as-of ${quoted(trouble.partition)}`
  return {
    trouble,
    subject,
    asOf,
    run: trouble.run === undefined ? undefined : quoted(trouble.run),
    by: ` --by ${authorOf(trouble, recipient)}`,
    night: `${trouble.subjectKind === 'model' ? 'run' : 'refresh'} ${subject}${asOf}`,
  }
}

/** Each command, and its purpose where the table of remedies gives none. */
const WRITTEN: Record<StepName, (parts: Parts) => [command: string, why: string]> = {
  again: ({ run, night }) =>
    run === undefined ? [night, 'Run the night now'] : [`retry ${run}`, 'Re-run it'],
  check: ({ subject, trouble }) => [
    `check ${subject}${version(trouble)}`,
    'See what the newest version lacks before it may go live',
  ],
  doctor: () => ['doctor', CHECK_ALL],
  drift: ({ subject, asOf }) => [`drift ${subject}${asOf}`, 'See which columns moved'],
  forced: ({ night }) => [`${night} --force`, 'Compute the night again'],
  history: ({ subject }) => [`history ${subject}`, 'See which version was live when'],
  mute: ({ subject, by, trouble }) => [
    `mute ${subject} --kind ${trouble.failure.class} --until ${MUTED_FOR}${by}`,
    'If the cause is known and harmless, such as a price change or a campaign: no mails about drift of this model for three days',
  ],
  night: ({ night }) => [night, 'Run the night now'],
  outcomes: ({ subject, trouble }) => [
    `outcomes ${subject}${spanOf(trouble)}`,
    'See the measured figures night by night',
  ],
  parity: ({ subject, asOf }) => [`parity ${subject}${asOf}`, 'See which values differ'],
  promote: ({ subject, by, trouble }) => [
    `promote ${subject}${version(trouble)}${by}`,
    'Once it lacks nothing, make it live',
  ],
  readers: ({ trouble, asOf, run }) => readers(trouble, asOf, run),
  release: ({ run = 'RUN', by }) => [
    `release ${run} --reason 'the data is right because ...'${by}`,
    'If the data is correct after all, publish the held output',
  ],
  report: ({ subject, asOf }) => [`report ${subject}${asOf}`, 'Open the report of the night'],
  retrain: ({ subject, by }) => [`retrain ${subject}${by}`, 'Then retrain'],
  'retrain --dry-run': ({ subject }) => [
    `retrain ${subject} --dry-run`,
    'Once it is corrected, try the command; nothing is registered',
  ],
  'retrain --list': ({ subject }) => [
    `retrain ${subject} --list`,
    'See what was tried, and where its log is',
  ],
  rollback: ({ subject, by, trouble }) => [
    `rollback ${subject}${by}`,
    `Make version ${trouble.versions?.previous ?? 'before it'} live again`,
  ],
  show: ({ run, subject }) =>
    run === undefined
      ? [`status ${subject}`, 'See its calendar of nights']
      : [`show ${run}`, 'See the run: steps, failed expectations, rows'],
  skip: ({ trouble }) => [
    `skip ${quoted(trouble.slot ?? 'SLOT')} --reason 'the night is not needed'`,
    'Or give up this night',
  ],
  status: ({ subject }) => [`status ${subject}`, 'See its calendar of nights'],
  validate: () => ['validate', "Check the project's files, SQL and sources"],
  versions: ({ subject }) => [`versions ${subject}`, 'See what is registered'],
}

/** For how long mails and buttons mute. */
export const MUTED_FOR = '3d'

/** What `doctor` looks at. */
export const CHECK_ALL = 'Check database, queue, mail, disk and workers'

function version({ versions }: Trouble): string {
  return versions?.newest == null ? '' : ` --version ${versions.newest}`
}

/** Features that are computed again change no scores: the models are scored again by hand. */
function readers({ models = [] }: Trouble, asOf: string, run: string | undefined): [string, string] {
  const [first, ...others] = models
  if (first === undefined)
    return run === undefined ? ['status', 'See the calendar of nights'] : [`show ${run}`, 'See the run']
  const too = others.length === 0 ? '' : `; the same for ${others.join(', ')}`
  return [`run ${quoted(first)}${asOf}`, `Then score ${first} on them${too}`]
}

/** The nights whose figures a mail about quality shows. */
function spanOf({ quality }: Trouble): string {
  const nights = (quality?.broken ?? [])
    .flatMap((each) => each.nights.map(({ partition }) => partition))
    .sort()
  const [first, last] = [nights[0], nights.at(-1)]
  return first === undefined || last === undefined ? '' : ` --from ${quoted(first)} --to ${quoted(last)}`
}

/** All the bad nights at once. */
function repair(
  { subject, subjectKind }: FailureFacts,
  from: string | null | undefined,
  to: string | null | undefined,
): Command | undefined {
  if (subjectKind !== 'model' || from == null || to == null) return undefined
  return {
    command: `npx nightshift backfill ${quoted(subject)} --from ${quoted(from)} --to ${quoted(to)} --failed`,
    why: 'Re-run all failed nights',
  }
}

/** What `--by` takes: the reader, where the project knows them, or has declared nobody. `WHO` is answered with the names. */
export function authorOf(facts: Pick<FailureFacts, 'people'> | undefined, recipient: string): string {
  const people = facts?.people ?? []
  return people.length === 0 || people.includes(recipient) ? quoted(recipient) : 'WHO'
}

/** How nights that were given up are computed after all. */
export function computeAfterAll(facts: FailureFacts, nights: Pick<Night, 'partition'>[]): Command[] {
  const labels = nights.flatMap(({ partition }) => partition ?? [])
  const [first, last] = [labels[0], labels.at(-1)]
  if (first === undefined || last === undefined) return []
  const subject = quoted(facts.subject)
  if (facts.subjectKind === 'model') {
    const range = `--from ${quoted(first)} --to ${quoted(last)}`
    return [{ command: `npx nightshift backfill ${subject} ${range}`, why: 'Compute them now' }]
  }
  return labels.slice(-3).map((label) => ({
    command: `npx nightshift refresh ${subject} --as-of ${quoted(label)}`,
    why: 'Compute it now',
  }))
}

/** Quotes a word for the shell: a name with a quote or a semicolon must remain one word. */
export function quoted(word: string): string {
  return /^[\w.@:/=+-]+$/.test(word) ? word : `'${word.replaceAll("'", `'\\''`)}'`
}
