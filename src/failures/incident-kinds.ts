import { CLASSES, keysOf } from './classes.ts'
import type { Kind, RunbookText } from './kind.ts'

const ANSWERS = { command: 'doctor', why: 'Is a worker alive, does everything answer?' } as const

/** The checks that follow a night, as a headline names them. */
const MONITORS: Record<string, string> = {
  parity: 'The comparison of serving with training',
  drift: 'The drift check',
}

/** What an incident can be about: a class of failure, or a promise that was broken without a failed run. */
const PROMISES = {
  deadline: {
    name: 'missed deadline',
    means: 'Nothing was published by the time that was promised to readers.',
    headline: ({ what, forNights, atDeadline }) => `No ${what}${forNights} by the deadline${atDeadline}.`,
    face: 'late',
    runAgain: true,
    commands: ({ hasRun }) => (hasRun ? ['show', ANSWERS, 'status'] : ['status', ANSWERS, 'again']),
  },
  drift: {
    name: 'drift',
    means: 'What goes in or comes out no longer looks like the baseline.',
    meant: 'What went in or came out no longer looked like the baseline.',
    headline: ({ subject, forNights, inColumns, isClosed }) =>
      isClosed
        ? `${subject} drifted${forNights}${inColumns}.`
        : `${subject} drifts${forNights}${inColumns}: look before you trust its scores.`,
    face: 'failed',
    runAgain: false,
    commands: () => [
      { command: 'drift', why: 'See which columns moved, and how far' },
      { command: 'report', why: 'See the night as one page, with the picture of each column' },
      'mute',
    ],
    runbook: {
      title:
        'The features or the scores moved away from the reference, on several nights. The scores are published all the same.',
      steps: (model) => [
        `\`nightshift drift ${model} --as-of D\` lists each column with its figures and its threshold; \`nightshift report ${model} --as-of D\` shows the pictures.`,
        `A fault in a source (nulls, a new unit, a value nobody has seen): have it repaired, then \`nightshift backfill ${model} --from D --to D --stale\`.`,
        `The world has changed (prices, a campaign, a season): \`nightshift mute ${model} --until 7d\`, and train on newer nights; the holdout of the new version is what nights are compared with then.`,
      ],
      todo: 'which columns move for harmless reasons, and how far the scores may move before somebody has to be told.',
    },
  },
  quality: {
    name: 'quality',
    means: 'Measured against what came true, the scores are worse than required.',
    meant: 'Measured against what came true, the scores were worse than required.',
    headline: ({ subject, forNights, isClosed }) =>
      `${subject} ${isClosed ? 'was' : 'is'} worse than required${forNights}.`,
    face: 'failed',
    runAgain: false,
    commands: () => [
      { command: 'report', why: 'Open the night as one page' },
      { command: 'history', why: 'What was live when' },
      'rollback',
    ],
  },
  parity: {
    name: 'parity',
    means: 'The training path computes other values than were served.',
    meant: 'The training path computed other values than were served.',
    headline: ({ subject, forNights, isClosed }) =>
      `Serving and training of ${subject} ${isClosed ? 'disagreed' : 'disagree'}${forNights}.`,
    face: 'failed',
    runAgain: false,
    commands: () => [{ command: 'parity', why: 'See which values differ' }, 'validate', 'show'],
  },
  unchecked: {
    name: 'check not done',
    means: 'The night is published, and a check that follows each night could not be done.',
    headline: ({ subject, forNights, monitor }) =>
      `${MONITORS[String(monitor)] ?? 'A check'} of ${subject}${forNights} could not be done.`,
    face: 'failed',
    runAgain: false,
    commands: ({ monitor }) => [
      {
        command: monitor === 'parity' ? 'parity' : 'drift',
        why: 'Do the check now, and see where it ends',
      },
      'show',
      'doctor',
    ],
  },
  retrain: {
    name: 'retraining',
    means: 'The retraining command did not end well; the champion stays.',
    meant: 'The retraining command did not end well; the champion stayed.',
    headline: ({ subject }) => `Retraining of ${subject} failed.`,
    face: 'failed',
    runAgain: false,
    commands: () => [
      { command: 'history', why: 'See what was tried when' },
      { command: 'versions', why: 'See what is registered' },
      'doctor',
    ],
  },
} satisfies Record<string, Kind>

const KINDS = { ...CLASSES, ...PROMISES }

export type IncidentKind = keyof typeof KINDS

export const INCIDENT_KINDS = keysOf(KINDS)

export function kindOf(kind: IncidentKind): Kind {
  return KINDS[kind]
}

/** The sections of RUNBOOK.md, in its order: what mails and `show` link to. */
export const RUNBOOK_SECTIONS = INCIDENT_KINDS.flatMap(
  (kind): { kind: IncidentKind; text: RunbookText }[] => {
    const text = kindOf(kind).runbook
    return text === undefined ? [] : [{ kind, text }]
  },
)
