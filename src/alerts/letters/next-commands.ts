import { kindOf } from '../../failures/incident-kinds.ts'
import type { Situation, StepName } from '../../failures/kind.ts'
import { brokenStructure } from '../../pipeline/features/releasable.ts'
import type { FailureFacts } from '../incidents/incident-facts.ts'
import { badNights, type Incident, type Night } from '../incidents/incident-record.ts'

export interface Command {
  command: string
  /** What the command shows or does, in the imperative: `See what it waited for`. */
  why: string
}

/** The next three commands, ready for the recipient to paste. */
export function nextCommands(
  incident: Pick<Incident, 'facts' | 'nights' | 'kind'>,
  recipient: string,
): Command[] {
  const { facts } = incident
  const written = commandsFor(facts, recipient)
  const bad = badNights(incident.nights)
  const { commands, runAgain } = kindOf(incident.kind)
  const chosen = commands(situation(facts)).map((step) =>
    typeof step === 'string' ? written[step] : { ...written[step.command], why: step.why },
  )
  const first = suggested(facts)
  const several =
    bad.length > 1 && runAgain ? repair(facts, bad[0]?.partition, bad.at(-1)?.partition) : undefined
  const all = first === undefined ? chosen : [first, ...chosen]
  return several === undefined ? all.slice(0, 3) : [...all.slice(0, 2), several]
}

function situation(facts: FailureFacts): Situation {
  return {
    state: facts.state,
    isModel: facts.subjectKind === 'model',
    hasRun: facts.run !== undefined,
    hasSlot: facts.slot !== undefined,
    isReleasable: facts.state === 'held' && brokenStructure(facts.checks).length === 0,
    monitor: facts.failure.evidence.monitor,
    evidence: facts.failure.evidence,
  }
}

/** Each command for these facts, with its default text. */
function commandsFor(facts: FailureFacts, recipient: string): Record<StepName, Command> {
  const subject = quoted(facts.subject)
  const run = quoted(facts.run ?? 'RUN')
  const by = authorOf(facts, recipient)
  const asOf = facts.partition === undefined ? '' : ` --as-of ${quoted(facts.partition)}`
  const start = facts.subjectKind === 'model' ? 'run' : 'refresh'
  const command = (text: string, why: string): Command => ({ command: `npx nightshift ${text}`, why })
  const status = command(`status ${subject}`, 'See its calendar of nights')
  const hasRun = facts.run !== undefined
  return {
    status,
    again: hasRun
      ? command(`retry ${run}`, 'Re-run it')
      : command(`${start} ${subject}${asOf}`, 'Run the night now'),
    doctor: command('doctor', 'Check Redis, PostgreSQL, SMTP and disk'),
    drift: command(`drift ${subject}${asOf}`, 'See which columns moved'),
    history: command(`history ${subject}`, 'See which version was live when'),
    mute: command(
      `mute ${subject} --kind ${facts.failure.class} --until 3d --by ${by}`,
      'If the cause is known and harmless, such as a price change or a campaign: no mails about this model for three days',
    ),
    outcomes: command(`outcomes ${subject}${spanOf(facts)}`, 'See the measured figures night by night'),
    parity: command(`parity ${subject}${asOf}`, 'See which values differ'),
    release: command(
      `release ${run} --reason 'the data is right because ...' --by ${by}`,
      'If the data is correct after all, publish the held output',
    ),
    report: command(`report ${subject}${asOf}`, 'Open the report of the night'),
    retrain: command(`retrain ${subject} --by ${by}`, 'Train a new version on newer nights'),
    rollback: command(`rollback ${subject} --by ${by}`, 'Restore the previous version'),
    show: hasRun ? command(`show ${run}`, 'See the run: steps, failed expectations, rows') : status,
    skip: command(
      `skip ${quoted(facts.slot ?? 'SLOT')} --reason 'the data will not come'`,
      'Or give up this night',
    ),
    validate: command('validate', "Check the project's files, SQL and sources"),
    versions: command(`versions ${subject}`, 'See what is registered'),
  }
}

/** The nights whose figures a mail about quality shows. */
function spanOf({ quality }: FailureFacts): string {
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

/** A command that the failure itself suggests, such as the missing promotion. */
function suggested(facts: FailureFacts): Command | undefined {
  const { next } = facts.failure.evidence
  if (typeof next !== 'string' || !/^nightshift [a-z]+( [\w.@=/:-]+)*$/.test(next)) return undefined
  return { command: `npx ${next}`, why: 'Suggested by the failure' }
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
