import type { Kind } from './kind.ts'

/** What follows a failed attempt (src/jobs/planning/retry-decision.ts carries it out). */
export type Policy = 'wait' | 'hold' | 'stop' | 'retry' | 'retry once'

export interface FailureKind extends Kind {
  policy: Policy
  /** What belongs to the class. */
  covers: string
}

/** The classes of failure. Whether to wait, retry, hold or stop follows from the class alone. */
export const CLASSES = {
  'late-data': {
    name: 'late-data',
    policy: 'wait',
    covers: 'the data of the night is not there yet',
    means: 'The data of the night was not there when the time to wait for it was over.',
    face: 'late',
    runAgain: true,
    commands: ({ hasSlot }) => [
      'show',
      { command: 'again', why: 'Once the data is there, run the night again' },
      hasSlot ? 'skip' : 'status',
    ],
    runbook: {
      title:
        'A source of the night was not there in time: the night waited for it, then gave up. Nothing was published.',
      steps: (model) => [
        '`nightshift show RUN` names the source, its newest row and how new it had to be.',
        'Ask whoever loads that source when it comes. Once it is there: `nightshift retry RUN`.',
        `If it does not come today: \`nightshift skip ${model}:AS-OF --reason "..."\`, and tell the readers.`,
      ],
      todo: 'for each source, which job writes it, who runs that job, how they are reached at night.',
    },
  },
  contract: {
    name: 'contract',
    policy: 'hold',
    covers: 'data, schema or SQL break what was promised',
    means:
      'Data, schema or SQL break what was promised, so nothing was published; it is not retried by itself.',
    meant: 'Data, schema or SQL broke what was promised, so nothing was published.',
    face: 'failed',
    runAgain: true,
    commands: ({ isReleasable }) =>
      isReleasable
        ? ['show', 'release', { command: 'again', why: 'Or, once the data is repaired, run it again' }]
        : ['show', 'validate', { command: 'again', why: 'Once it is repaired, run it again' }],
    runbook: {
      title:
        'The data or the SQL broke a promise: an expectation failed, a column is missing or has another type. The night is held.',
      steps: () => [
        '`nightshift show RUN` lists each failed expectation with its value, its bound and sample rows.',
        'The data is wrong: have it loaded again, then `nightshift retry RUN`.',
        'The data is right and the bound was too tight: `nightshift release RUN --reason "..." --by YOU`, and mend the bound in view.yaml by day.',
      ],
      todo: 'which expectations break for harmless reasons (campaigns, holidays), and who may say that a night is right.',
    },
  },
  model: {
    name: 'model',
    policy: 'stop',
    covers: 'the model file or its output is wrong',
    means: 'The model file or its output is wrong; it is not retried by itself.',
    meant: 'The model file or its output was wrong.',
    face: 'failed',
    runAgain: true,
    commands: ({ isModel }) =>
      isModel
        ? ['show', 'rollback', { command: 'again', why: 'Then run the night again' }]
        : ['show', 'validate', 'again'],
    runbook: {
      title:
        'The ONNX file failed, or gave scores that are not finite or out of range. Trying again would not help.',
      steps: (model) => [
        `\`nightshift history ${model}\` says what was promoted lately.`,
        `After a promotion: \`nightshift rollback ${model}\`, then \`nightshift run ${model} --as-of D\` scores the night with the former champion.`,
        'Without one: compare the inputs of the night with those of the last good one (`nightshift show` of both).',
      ],
      todo: 'who trained the model and can tell whether an older version may be used.',
    },
  },
  resource: {
    name: 'resource',
    policy: 'retry',
    covers: 'memory, disk or time ran out, or the warehouse may not be written',
    means: 'Memory, disk or time ran out, or a permission is missing.',
    face: 'failed',
    runAgain: true,
    // What is computed and cannot be moved into place is tried again by itself.
    commands: ({ state }) =>
      state === 'publishing'
        ? ['show', 'doctor', 'status']
        : ['doctor', 'show', { command: 'again', why: 'Once there is room, run it again' }],
    runbook: {
      title: 'Memory, disk or time ran out, on every attempt.',
      steps: () => [
        '`nightshift doctor` says what is short: disk, memory, connections.',
        'Make room (never delete below `warehouse/.attempts/` while a run works), then `nightshift retry RUN`.',
        'The timeout was too short: raise `timeout` in the schedule, `nightshift validate`, then `nightshift retry RUN`.',
      ],
      todo: 'how long a night usually takes, how much memory it needs, and who gives more of it.',
    },
  },
  transient: {
    name: 'transient',
    policy: 'retry',
    covers: 'a connection, a lock or a process was lost',
    means: 'A connection, a lock or a process was lost, again and again.',
    face: 'failed',
    runAgain: true,
    commands: ({ state }) =>
      state === 'publishing'
        ? ['doctor', 'show', 'status']
        : ['doctor', { command: 'again', why: 'Once everything answers, run it again' }, 'show'],
    runbook: {
      title: 'A connection, a lock or a process was lost, on every attempt.',
      steps: () => [
        '`nightshift doctor` checks PostgreSQL, Redis, SMTP and the warehouse.',
        'Bring back what it names, then `nightshift retry RUN`.',
        'Everything is there: `nightshift retry RUN` once; if it fails again, treat it as `bug`.',
      ],
      todo: 'who runs those servers, and where their own alerts are.',
    },
  },
  bug: {
    name: 'bug',
    policy: 'retry once',
    covers: 'anything else',
    means: 'Unclassified error: a fault in a program.',
    face: 'failed',
    runAgain: true,
    commands: () => ['show', 'doctor', 'again'],
    runbook: {
      title: 'An error that no other class covers.',
      steps: (model) => [
        '`nightshift show RUN --json > run.json` keeps what is known.',
        'Retry once: `nightshift retry RUN`. It worked: write down what you saw, and go back to bed.',
        `It did not: since a change? \`nightshift history ${model}\`, and the log of this project's files in git. Undo it, retry.`,
      ],
      todo: 'whom to call at night, and from which hour the readers have to be told.',
    },
  },
} satisfies Record<string, FailureKind>

export type FailureClass = keyof typeof CLASSES

export const FAILURE_CLASSES = keysOf(CLASSES)

/** The keys of a table, as their own type. */
export function keysOf<Key extends string>(table: Record<Key, unknown>): Key[] {
  const isKey = (key: string): key is Key => Object.hasOwn(table, key)
  return Object.keys(table).filter(isKey)
}

export function isFailureClass(kind: string): kind is FailureClass {
  return Object.hasOwn(CLASSES, kind)
}
