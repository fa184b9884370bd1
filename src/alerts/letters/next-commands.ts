import { brokenStructure } from '../../pipeline/features/releasable.ts'
import type { FailureFacts } from '../incidents/incident-facts.ts'
import { badNights, type Incident } from '../incidents/incident-record.ts'

export interface Command {
  command: string
  /** What one learns or gets by it, as an order: `See what it waited for`. */
  why: string
}

/** The next three commands, ready to paste by the one who reads the mail. */
export function nextCommands(
  incident: Pick<Incident, 'facts' | 'nights' | 'kind'>,
  recipient: string,
): Command[] {
  const { facts } = incident
  const words = wordsFor(facts, recipient)
  const bad = badNights(incident.nights)
  const chosen = choose(incident.kind, facts, words)
  const first = suggested(facts)
  const several =
    bad.length > 1 && isRunAgain(incident.kind)
      ? words.repair(bad[0]?.partition, bad.at(-1)?.partition)
      : undefined
  const all = first === undefined ? chosen : [first, ...chosen]
  return several === undefined ? all.slice(0, 3) : [...all.slice(0, 2), several]
}

/** Whether running the nights again is the cure. */
function isRunAgain(kind: Incident['kind']): boolean {
  return (
    kind !== 'drift' && kind !== 'quality' && kind !== 'parity' && kind !== 'unchecked' && kind !== 'retrain'
  )
}

function choose(kind: Incident['kind'], facts: FailureFacts, words: Words): Command[] {
  const { show, again, doctor, validate, status, skip } = words
  switch (kind) {
    case 'late-data':
      return [show, { ...again, why: 'Once the data is there, run the night again' }, skip ?? status]
    case 'contract':
      return facts.state === 'held' && brokenStructure(facts.checks).length === 0
        ? [show, words.release, { ...again, why: 'Or, once the data is repaired, run it again' }]
        : [show, validate, { ...again, why: 'Once it is repaired, run it again' }]
    case 'model':
      return facts.subjectKind === 'model'
        ? [show, words.rollback, { ...again, why: 'Then run the night again' }]
        : [show, validate, again]
    case 'resource':
      // What is computed and cannot be moved into place is tried again by itself.
      return facts.state === 'publishing'
        ? [show, doctor, status]
        : [doctor, show, { ...again, why: 'Once there is room, run it again' }]
    case 'transient':
      if (facts.state === 'publishing') return [doctor, show, status]
      return [doctor, { ...again, why: 'Once everything answers, run it again' }, show]
    case 'bug':
      return [show, doctor, again]
    case 'deadline':
      return facts.run === undefined
        ? [status, { ...doctor, why: 'Is a worker alive, does everything answer?' }, again]
        : [show, { ...doctor, why: 'Is a worker alive, does everything answer?' }, status]
    case 'drift':
      return [
        words.named('drift', 'See which columns moved, and how far'),
        words.named('report', 'See the night as one page, with the picture of each column'),
        words.mute,
      ]
    case 'quality':
      return [
        words.named('report', 'Open the night as one page'),
        words.plain('history', 'What was live when'),
        words.rollback,
      ]
    case 'parity':
      return [words.named('parity', 'See which values differ'), validate, show]
    case 'unchecked':
      return [
        words.named(
          facts.failure.evidence.monitor === 'parity' ? 'parity' : 'drift',
          'Do the check now, and see where it ends',
        ),
        show,
        doctor,
      ]
    case 'retrain':
      return [
        words.plain('history', 'See what was tried when'),
        words.plain('versions', 'See what is registered'),
        doctor,
      ]
  }
}

type Words = ReturnType<typeof wordsFor>

function wordsFor(facts: FailureFacts, recipient: string) {
  const subject = quoted(facts.subject)
  const by = quoted(recipient)
  const asOf = facts.partition === undefined ? '' : ` --as-of ${quoted(facts.partition)}`
  const start = facts.subjectKind === 'model' ? 'run' : 'refresh'
  const status: Command = {
    command: `npx nightshift status ${subject}`,
    why: 'See the calendar of its nights',
  }
  return {
    status,
    doctor: {
      command: 'npx nightshift doctor',
      why: 'See whether Redis, PostgreSQL, SMTP and disk are well',
    },
    validate: { command: 'npx nightshift validate', why: "Check the project's files, SQL and sources" },
    show:
      facts.run === undefined
        ? status
        : {
            command: `npx nightshift show ${quoted(facts.run)}`,
            why: 'See the run: steps, failed expectations, rows',
          },
    again:
      facts.run === undefined
        ? { command: `npx nightshift ${start} ${subject}${asOf}`, why: 'Run the night now' }
        : { command: `npx nightshift retry ${quoted(facts.run)}`, why: 'Run it again' },
    release: {
      command: `npx nightshift release ${quoted(facts.run ?? 'RUN')} --reason 'the data is right because ...' --by ${by}`,
      why: 'If the data is right after all, publish what is held',
    },
    rollback: { command: `npx nightshift rollback ${subject}`, why: 'Put the version before back' },
    skip:
      facts.slot === undefined
        ? undefined
        : {
            command: `npx nightshift skip ${quoted(facts.slot)} --reason 'the data will not come'`,
            why: 'Or give this night up',
          },
    mute: {
      command: `npx nightshift mute ${subject} --until 3d --by ${by}`,
      why: 'Known and harmless, such as a price change or a campaign? No mails about this model for three days',
    },
    named: (name: string, why: string): Command => ({
      command: `npx nightshift ${name} ${subject}${asOf}`,
      why,
    }),
    plain: (name: string, why: string): Command => ({ command: `npx nightshift ${name} ${subject}`, why }),
    repair: (from: string | null | undefined, to: string | null | undefined): Command | undefined =>
      facts.subjectKind === 'model' && from != null && to != null
        ? {
            command: `npx nightshift backfill ${subject} --from ${quoted(from)} --to ${quoted(to)} --failed`,
            why: 'Run all the failed nights again',
          }
        : undefined,
  }
}

/** A command that the failure itself names, such as the promotion that is missing. */
function suggested(facts: FailureFacts): Command | undefined {
  const { next } = facts.failure.evidence
  if (typeof next !== 'string' || !/^nightshift [a-z]+( [\w.@=/:-]+)*$/.test(next)) return undefined
  return { command: `npx ${next}`, why: 'What the failure itself asks for' }
}

/** Words as a shell takes them: a name with a quote or a semicolon in it must stay one word. */
export function quoted(word: string): string {
  return /^[\w.@:/=+-]+$/.test(word) ? word : `'${word.replaceAll("'", `'\\''`)}'`
}
