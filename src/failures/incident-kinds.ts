import { CLASSES, keysOf } from './classes.ts'
import type { Kind, RunbookText } from './kind.ts'

/** Names of the checks that follow a night, for headlines. */
const MONITORS: Record<string, string> = {
  parity: 'The comparison of serving with training',
  drift: 'The drift check',
}

/** What an incident can be about: a failure class, or a violated promise without a failed run. */
const PROMISES = {
  deadline: {
    name: 'missed deadline',
    means: 'Nothing was published by the time promised to readers.',
    headline: ({ what, forNights, atDeadline }) => `No ${what}${forNights} by the deadline${atDeadline}.`,
    brief: ({ byTime, cause }) => `not published${byTime}: ${cause}`,
    face: 'late',
    runAgain: false,
    runbook: {
      title:
        'The deadline has passed and the scores are not published. Perhaps nothing failed, and nothing ran.',
      steps: (model) => [
        `\`nightshift status ${model}\` shows the state of the night: \`waiting\` (see late-data), \`queued\` (no worker has taken it: start one), \`running\` (look again in a minute), \`expected\` (no scheduler: start one).`,
        '`nightshift doctor` checks workers, queue, database and mail.',
        'A late night still runs and is published; the mail thread closes by itself.',
      ],
      todo: 'until when readers can wait, what they use instead, and who tells them.',
    },
  },
  'given-up': {
    name: 'night given up',
    means: 'The night was missed, and catch_up of its schedule gives missed nights up: nothing computes it.',
    headline: ({ what, forNights }) => `No ${what}${forNights}: skipped by the schedule.`,
    brief: () => 'not computed: skipped by the schedule',
    face: 'late',
    runAgain: false,
    runbook: {
      title: 'The night was missed while nothing ran, and `catch_up` of its schedule skips missed nights.',
      steps: (model) => [
        `If readers need the night after all: \`nightshift run ${model} --as-of D\`.`,
        '`nightshift doctor` shows whether scheduler and worker run now.',
      ],
      todo: 'which missed nights readers need (the first of a month, a report day), and who knows.',
    },
  },
  drift: {
    name: 'drift',
    means: 'Model input or output no longer matches the baseline.',
    meant: 'Model input or output no longer matched the baseline.',
    headline: ({ subject, forNights, inColumns, isClosed }) =>
      isClosed
        ? `${subject} drifted${forNights}${inColumns}.`
        : `${subject} has drifted${forNights}${inColumns}: check its scores before you use them.`,
    brief: ({ columns }) => (columns === '' ? 'drifted' : `drifted: ${columns}`),
    face: 'failed',
    runAgain: false,
    canWait: true,
    runbook: {
      title:
        'The features or the scores moved away from the reference on several nights. The scores are published anyway.',
      steps: (model) => [
        `\`nightshift drift ${model} --as-of D\` lists each column with its figures and its threshold; \`nightshift report ${model} --as-of D\` shows the pictures.`,
        `If a source is wrong (nulls, a new unit, an unknown value): have it fixed, then \`nightshift backfill ${model} --from D --to D --stale\`.`,
        `If the world has changed (prices, a campaign, a season): \`nightshift mute ${model} --until 7d\`, and train on newer nights; nights are then compared with the holdout of the new version.`,
      ],
      todo: 'which columns move for harmless reasons, and how far the scores may move before someone must be notified.',
    },
  },
  quality: {
    name: 'quality',
    means: 'Measured against realized outcomes, the scores are worse than required.',
    meant: 'Measured against realized outcomes, the scores were worse than required.',
    headline: ({ subject, forNights, isClosed }) =>
      `${subject} ${isClosed ? 'was' : 'is'} worse than required${forNights}.`,
    brief: ({ metrics }) => (metrics === '' ? 'worse than required' : `worse than required: ${metrics}`),
    face: 'failed',
    runAgain: false,
    canWait: true,
    runbook: {
      title: 'Outcomes of nights whose labels are known say that the scores are worse than required.',
      steps: (model) => [
        `\`nightshift outcomes ${model}\` lists the figures night by night; \`nightshift history ${model}\` shows which version was live.`,
        `After a promotion: \`nightshift rollback ${model}\`.`,
        `Otherwise train on newer nights: \`nightshift retrain ${model}\`.`,
      ],
      todo: 'what a loss of quality costs per day, and from which figure on readers must stop using the scores.',
    },
  },
  parity: {
    name: 'parity',
    means: 'The training path computes values that differ from those served.',
    meant: 'The training path computed values that differed from those served.',
    headline: ({ subject, forNights, isClosed }) =>
      `Serving and training of ${subject} ${isClosed ? 'disagreed' : 'disagree'}${forNights}.`,
    brief: () => 'differ from those of training',
    face: 'failed',
    runAgain: false,
    runbook: {
      title:
        'The training path computes other feature values than were served. Scores are published and may be wrong.',
      steps: (model) => [
        `\`nightshift parity ${model} --as-of D\` lists columns and entities that differ; rows that arrived after the night had read are counted as late.`,
        `If the past of a source was changed: \`nightshift backfill ${model} --from D --to D --stale\`.`,
      ],
      todo: 'which sources may change their past, who does that, and how many late rows are normal.',
    },
  },
  unchecked: {
    name: 'check not done',
    means: 'The night is published, but a check that follows each night could not be completed.',
    headline: ({ subject, forNights, monitor }) =>
      `${MONITORS[String(monitor)] ?? 'A check'} of ${subject}${forNights} could not be completed.`,
    brief: ({ monitor }) => (monitor === 'parity' ? 'not compared with training' : 'not checked for drift'),
    face: 'failed',
    runAgain: false,
    runbook: {
      title:
        'A check of a published night (drift or parity) could not be completed. The scores are published.',
      steps: (model) => [
        `By day: \`nightshift drift ${model} --as-of D\` and \`nightshift parity ${model} --as-of D\` show why it stops.`,
        'If it takes too long: raise `timeouts.monitors` in nightshift.yaml.',
      ],
      todo: 'how long these checks take on a normal night, and who may raise the limit.',
    },
  },
  retrain: {
    name: 'retraining',
    means: 'The retraining command failed; the champion is unchanged.',
    meant: 'The retraining command failed; the champion was unchanged.',
    headline: ({ subject }) => `Retraining of ${subject} failed.`,
    brief: () => 'retraining failed',
    face: 'failed',
    runAgain: false,
    runbook: {
      title: 'The retraining command failed. The champion is unchanged; nothing is to be done at night.',
      steps: (model) => [
        `\`nightshift retrain ${model} --list\` shows the attempts and where their logs are.`,
        `By day: \`nightshift retrain ${model} --dry-run\` runs the command and registers nothing.`,
      ],
      todo: 'who wrote the training command, what it needs, and how old the champion may become.',
    },
  },
} satisfies Record<string, Kind>

const KINDS = { ...CLASSES, ...PROMISES }

export type IncidentKind = keyof typeof KINDS

export const INCIDENT_KINDS = keysOf(KINDS)

export function kindOf(kind: IncidentKind): Kind {
  return KINDS[kind]
}

/** Whether incidents of a kind can wait until the day. */
export function canWait(kind: IncidentKind): boolean {
  return kindOf(kind).canWait === true
}

/** The sections of RUNBOOK.md in order; mails and `show` link to them. */
export const RUNBOOK_SECTIONS = INCIDENT_KINDS.flatMap(
  (kind): { kind: IncidentKind; text: RunbookText }[] => {
    const text = kindOf(kind).runbook
    return text === undefined ? [] : [{ kind, text }]
  },
)
