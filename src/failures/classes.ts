import type { Kind } from './kind.ts'

/** What happens after a failed attempt (implemented in src/jobs/planning/retry-decision.ts). */
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
    means: 'The data of the night had not arrived.',
    face: 'late',
    runAgain: true,
    runbook: {
      title:
        'A source of the night did not arrive in time: the night waited for it, then gave up. Nothing was published.',
      steps: (model) => [
        '`nightshift show RUN` names the source, its newest row and the newest row required.',
        'Ask the owner of that source when it will arrive. Once it is there: `nightshift retry RUN`.',
        `If it does not come today: \`nightshift skip ${model}:AS-OF --reason "..."\`, and notify the readers.`,
      ],
      todo: 'for each source: which job writes it, who runs that job, and how to reach them at night.',
    },
  },
  contract: {
    name: 'contract',
    policy: 'hold',
    covers: 'data, schema or SQL violates the contract',
    means:
      'Data, schema or SQL violates the contract, so nothing was published; there is no automatic retry.',
    meant: 'Data, schema or SQL violated the contract, so nothing was published.',
    face: 'failed',
    runAgain: true,
    runbook: {
      title:
        'The data or the SQL violated the contract: an expectation failed, or a column is missing or has a different type. The night is held.',
      steps: () => [
        '`nightshift show RUN` lists each failed expectation with its value, its bound and sample rows.',
        'If the data is wrong: have it reloaded, then `nightshift retry RUN`.',
        'If the data is correct and the bound is too tight: `nightshift release RUN --reason "..." --by YOU`, and fix the bound in view.yaml during the day.',
      ],
      todo: 'which expectations fail for harmless reasons (campaigns, holidays), and who may approve a night.',
    },
  },
  model: {
    name: 'model',
    policy: 'stop',
    covers: 'the model file or its output is wrong',
    means: 'The model file or its output is wrong; there is no automatic retry.',
    meant: 'The model file or its output was wrong.',
    face: 'failed',
    runAgain: true,
    runbook: {
      title:
        'The ONNX file failed, or its scores are not finite or are out of range. A retry would not help.',
      steps: (model) => [
        `\`nightshift history ${model}\` lists recent promotions.`,
        `After a promotion: \`nightshift rollback ${model}\`, then \`nightshift run ${model} --as-of D\` scores the night with the previous champion.`,
        'Otherwise: compare the inputs of the night with those of the last good night (`nightshift show` for both).',
      ],
      todo: 'who trained the model and can decide whether an older version may be used.',
    },
  },
  resource: {
    name: 'resource',
    policy: 'retry',
    covers: 'memory, disk or time ran out, or the warehouse is not writable',
    means: 'Memory, disk or time ran out, or a permission is missing.',
    face: 'failed',
    runAgain: true,
    runbook: {
      title: 'Memory, disk or time ran out, on every attempt.',
      steps: () => [
        '`nightshift doctor` shows what is short: disk, memory or connections.',
        'Free space (never delete anything in `warehouse/.attempts/` while a run is running), then `nightshift retry RUN`.',
        'If the timeout was too short: raise `timeout` in the schedule, `nightshift validate`, then `nightshift retry RUN`.',
      ],
      todo: 'how long a night usually takes, how much memory it needs, and who can provide more.',
    },
  },
  transient: {
    name: 'transient',
    policy: 'retry',
    covers: 'a connection, a lock or a process was lost',
    means: 'A connection, a lock or a process was lost repeatedly.',
    face: 'failed',
    runAgain: true,
    runbook: {
      title: 'A connection, a lock or a process was lost, on every attempt.',
      steps: () => [
        '`nightshift doctor` checks PostgreSQL, Redis, SMTP and the warehouse.',
        'Restore what it reports, then `nightshift retry RUN`.',
        'If everything is available: `nightshift retry RUN` once; if it fails again, treat it as `bug`.',
      ],
      todo: 'who runs those servers, and where their own alerts are.',
    },
  },
  bug: {
    name: 'bug',
    policy: 'retry once',
    covers: 'anything else',
    means: 'Unclassified error: probably a bug in a program.',
    face: 'failed',
    runAgain: true,
    runbook: {
      title: 'An error that no other class covers.',
      steps: (model) => [
        '`nightshift show RUN --json > run.json` saves the details.',
        'Retry once: `nightshift retry RUN`. If it works, write down what you saw and go back to bed.',
        `If it fails, look for a recent change: \`nightshift history ${model}\` and the git log of this project. Revert it, then retry.`,
      ],
      todo: 'whom to call at night, and from which hour readers must be notified.',
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
