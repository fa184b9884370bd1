import type { IncidentKind } from './incident-kinds.ts'

/** What determines the commands. */
export interface Situation {
  /** State of the slot. */
  state: string
  /** Expectations failed, and a person may override all of them. */
  isReleasable: boolean
  evidence: Record<string, unknown>
  /** The version that scored was given by name: another champion changes nothing for this run. */
  isPinned: boolean
  /** Of a model. Undefined: of a view, or not known. */
  versions: { live: number | null; previous: number | null; newest: number | null } | undefined
}

/** Commands that mails and pages can show. */
export type StepName =
  | 'again'
  | 'check'
  | 'doctor'
  | 'drift'
  | 'forced'
  | 'history'
  | 'mute'
  | 'night'
  | 'outcomes'
  | 'parity'
  | 'promote'
  | 'readers'
  | 'release'
  | 'report'
  | 'retrain'
  | 'retrain --dry-run'
  | 'retrain --list'
  | 'rollback'
  | 'show'
  | 'skip'
  | 'status'
  | 'validate'
  | 'versions'

/** A command, with its purpose if that differs from the default text. */
export type Step = StepName | { command: StepName; why: string }

/** The next three commands for one cause, the most useful first. */
export interface Remedy {
  cause: string
  /** What subjects say, where the cause is more than a phone shows. */
  brief?: string
  /** Absent: any other cause of the kind. */
  when?: (at: Situation) => boolean
  steps: [Step, Step, Step]
}

/** A committed output that cannot be moved into place is retried for as long as it takes, and cannot be retried by hand. */
const UNPUBLISHED: Remedy = {
  cause: 'the output cannot be moved into place',
  when: ({ state }) => state === 'publishing',
  steps: [
    'doctor',
    { command: 'show', why: 'See which path is refused; it is tried again by itself' },
    { command: 'status', why: 'See whether it is published by now' },
  ],
}

/** A check that is repeated with the same limit stops again. */
const LIMIT: Step = {
  command: 'validate',
  why: 'If the check took too long, raise `timeouts.monitors` in nightshift.yaml and check the files',
}

const BACK: Step = {
  command: 'rollback',
  why: 'If the last promotion caused it, restore the version before it',
}
const RETRAIN: Step = { command: 'retrain', why: 'Train a new version on newer nights' }
const QUIET: Step = {
  command: 'mute',
  why: 'If the cause is known and someone works on it: no mails about the quality of this model for three days',
}

/**
 * Every kind's causes, and what to do about each: the first cause that applies decides. Mails, pages and `show` read this
 * table; test/alerts/remedies makes each cause happen and runs each command.
 */
export const REMEDIES: Record<IncidentKind, [...Remedy[], Omit<Remedy, 'when'>]> = {
  'late-data': [
    {
      cause: 'the features that are to be scored are not published',
      when: ({ evidence }) => typeof evidence.view === 'string',
      steps: ['show', { command: 'night', why: 'Compute the features of the night, then score it' }, 'skip'],
    },
    {
      cause: 'the data of a source has not arrived',
      steps: ['show', { command: 'again', why: 'Once the data is there, re-run the night' }, 'skip'],
    },
  ],
  contract: [
    UNPUBLISHED,
    {
      cause: 'an expectation failed that a person may override',
      when: ({ isReleasable }) => isReleasable,
      steps: ['show', 'release', { command: 'again', why: 'Or, once the data is fixed, re-run it' }],
    },
    {
      cause: 'an expectation failed that nobody may override',
      when: ({ evidence }) => Array.isArray(evidence.checks),
      steps: ['show', { command: 'again', why: 'Once the data or the SQL is fixed, re-run it' }, 'skip'],
    },
    {
      cause: 'the view is not what the version was registered on',
      when: ({ evidence }) => typeof evidence.wanted === 'string',
      steps: [
        { command: 'validate', why: 'See what differs, and how to keep both definitions' },
        { command: 'night', why: 'Once the view is restored, compute its features again and score them' },
        'skip',
      ],
    },
    {
      cause: 'the published features have to be computed again',
      when: ({ evidence }) => evidence.outdated === true,
      steps: [{ command: 'forced', why: 'Compute the night again' }, 'show', 'skip'],
    },
    {
      cause: 'files, SQL or sources are wrong',
      steps: ['show', 'validate', { command: 'again', why: 'Once it is fixed, re-run it' }],
    },
  ],
  model: [
    {
      cause: 'no version is registered',
      when: ({ versions }) => versions !== undefined && versions.newest === null,
      steps: [
        { command: 'versions', why: 'See that the model has no version: register one, then promote it' },
        { command: 'again', why: 'Once a version is live, run the night' },
        'skip',
      ],
    },
    {
      cause: 'no version is live',
      when: ({ versions, isPinned }) => versions !== undefined && versions.live === null && !isPinned,
      steps: ['check', 'promote', { command: 'again', why: 'Once a version is live, run the night' }],
    },
    {
      cause: 'a version that was given by name cannot score',
      when: ({ isPinned }) => isPinned,
      steps: ['show', { command: 'night', why: 'Score the night with the live version instead' }, 'skip'],
    },
    {
      cause: 'scores are outside their range, after a promotion',
      when: ({ isReleasable, versions }) => isReleasable && versions?.previous != null,
      steps: [
        'rollback',
        { command: 'again', why: 'Then score the night with it' },
        { command: 'release', why: 'Or, if the scores are correct after all, publish them' },
      ],
    },
    {
      cause: 'scores are outside their range, and no version was live before',
      when: ({ isReleasable }) => isReleasable,
      steps: [
        'show',
        { command: 'release', why: 'If the scores are correct after all, publish them' },
        { command: 'again', why: 'Or, once the range or the model is corrected, re-run the night' },
      ],
    },
    {
      cause: 'the live version cannot score, after a promotion',
      brief: 'its new version cannot score',
      when: ({ versions }) => versions?.previous != null,
      steps: ['show', 'rollback', { command: 'again', why: 'Then score the night with it' }],
    },
    {
      cause: 'the file of the live version is gone or changed',
      when: ({ evidence }) => typeof evidence.missing === 'string' || typeof evidence.expected === 'string',
      steps: [
        { command: 'show', why: 'See which file it is, and what puts it back' },
        {
          command: 'versions',
          why: 'See the SHA-256 of the file that was registered: `register` with it puts it back',
        },
        { command: 'again', why: 'Once the file is back, re-run the night' },
      ],
    },
    {
      cause: 'the live version cannot score, and no version was live before',
      brief: 'its version cannot score',
      steps: [
        'show',
        { command: 'versions', why: 'See which versions there are; another one has to be promoted' },
        { command: 'again', why: 'Once another version is live, score the night with it' },
      ],
    },
  ],
  resource: [
    UNPUBLISHED,
    {
      cause: 'the time ran out',
      when: ({ evidence }) => evidence.ended === 'timeout',
      steps: [
        { command: 'show', why: 'See how long each step took' },
        { command: 'validate', why: 'After raising `timeout` in the schedule, check the files' },
        { command: 'again', why: 'Then re-run it with the new timeout' },
      ],
    },
    {
      cause: 'the memory ran out',
      when: ({ evidence }) => evidence.ended === 'memory' || evidence.engine === 'Out of Memory',
      steps: [
        { command: 'show', why: 'See which step ran out of memory, and what it had' },
        { command: 'again', why: 'Once `memory` in nightshift.yaml gives it more, re-run it' },
        'skip',
      ],
    },
    {
      cause: 'the compute process was killed',
      when: ({ evidence }) => evidence.signal === 'SIGKILL',
      steps: [
        { command: 'show', why: 'See what it did, and how much memory it had' },
        { command: 'again', why: 'Once the machine has more memory free, re-run it' },
        'skip',
      ],
    },
    {
      cause: 'there is no space, or a folder may not be written',
      steps: [
        { command: 'show', why: 'See which path is refused, and why' },
        { command: 'doctor', why: 'See how much disk is free' },
        { command: 'again', why: 'Once it can be written, re-run it' },
      ],
    },
  ],
  transient: [
    UNPUBLISHED,
    {
      cause: 'the published features were removed or replaced',
      when: ({ evidence }) => typeof evidence.view === 'string',
      steps: [{ command: 'night', why: 'Publish the features again and score them' }, 'show', 'skip'],
    },
    {
      cause: 'a connection, a lock or a process was lost',
      steps: ['doctor', { command: 'again', why: 'Once everything answers, re-run it' }, 'show'],
    },
  ],
  bug: [
    UNPUBLISHED,
    {
      cause: 'an error that no class covers',
      steps: ['show', 'doctor', 'again'],
    },
  ],
  deadline: [
    {
      cause: 'no worker has taken it',
      when: ({ state }) => state === 'queued',
      steps: [
        { command: 'doctor', why: 'See whether a worker is alive; start one' },
        { command: 'night', why: 'Or compute the night here' },
        'status',
      ],
    },
    {
      cause: 'it waits for data',
      when: ({ state }) => state === 'waiting',
      steps: [
        { command: 'show', why: 'See which data it waits for' },
        { command: 'again', why: 'It looks for the data from time to time. Once it is there, look at once' },
        'skip',
      ],
    },
    {
      cause: 'it is still running',
      when: ({ state }) => state === 'running' || state === 'publishing',
      steps: [{ command: 'show', why: 'See what it is doing' }, 'status', 'doctor'],
    },
    {
      cause: 'it has not started',
      steps: ['status', { command: 'night', why: 'Run the night now' }, 'skip'],
    },
  ],
  'given-up': [
    {
      cause: 'catch_up skipped the night',
      steps: [{ command: 'night', why: 'Compute the night after all' }, 'status', 'doctor'],
    },
  ],
  drift: [
    {
      cause: 'columns moved',
      steps: [
        { command: 'drift', why: 'See which columns moved and by how much' },
        { command: 'report', why: 'Open the report of the night, with a picture of each column' },
        'mute',
      ],
    },
  ],
  quality: [
    {
      cause: 'worse since a promotion, and the model can be retrained',
      when: ({ evidence }) => evidence.can_roll_back === true && evidence.can_retrain === true,
      steps: ['outcomes', BACK, RETRAIN],
    },
    {
      cause: 'worse since a promotion',
      when: ({ evidence }) => evidence.can_roll_back === true,
      steps: ['outcomes', BACK, QUIET],
    },
    {
      cause: 'the live version is worse, and can be retrained',
      when: ({ evidence }) => evidence.can_retrain === true,
      steps: ['outcomes', RETRAIN, QUIET],
    },
    {
      cause: 'the live version is worse',
      when: ({ evidence }) => evidence.is_live === true,
      steps: ['outcomes', QUIET, 'history'],
    },
    {
      cause: 'a version that is not live any more was worse',
      steps: ['outcomes', 'history', QUIET],
    },
  ],
  parity: [
    {
      cause: 'the view was edited after it had served',
      when: ({ evidence }) => evidence.cause === 'logic' || evidence.cause === 'type',
      steps: [
        { command: 'validate', why: 'See what differs from what the live version was registered on' },
        { command: 'forced', why: 'Once the view is as it should be, compute its features again' },
        'readers',
      ],
    },
    {
      cause: 'the past of a source was changed',
      steps: [
        { command: 'parity', why: 'See which values differ' },
        { command: 'forced', why: 'Once the sources are right, compute the features again' },
        'readers',
      ],
    },
  ],
  unchecked: [
    {
      cause: 'the comparison of serving with training was not completed',
      when: ({ evidence }) => evidence.monitor === 'parity',
      steps: [LIMIT, { command: 'parity', why: 'Then compare the night by hand' }, 'show'],
    },
    {
      cause: 'the drift check was not completed',
      steps: [LIMIT, { command: 'drift', why: 'Then check the night by hand' }, 'show'],
    },
  ],
  // Opens no incident: the mail to the owners has these commands.
  retrain: [
    {
      cause: 'the training command failed',
      steps: ['retrain --list', 'retrain --dry-run', 'retrain'],
    },
  ],
}

/** What to do in a situation, and about which cause. */
export function remedyFor(kind: IncidentKind, at: Situation): Omit<Remedy, 'when'> {
  const remedies: Remedy[] = REMEDIES[kind]
  const found = remedies.find(({ when }) => when === undefined || when(at))
  if (found === undefined) throw new Error(`kind ${kind}: expected a last remedy without a condition`)
  return found
}
