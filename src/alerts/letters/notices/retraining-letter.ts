import type { Letter, Section } from '../letter.ts'
import { commandsFor, type Trouble } from '../next-commands.ts'

/** What a mail about a retraining tells. */
export interface RetrainingNews {
  model: string
  reason: string
  state: 'done' | 'failed'
  outcome: string
  version: number | null
  dataset: string | null
  /** Of the command, relative to the warehouse. */
  log: string | null
  warnings: string[]
  /** `promote: when-ready`: it goes live by itself once the gate is green. */
  whenReady: boolean
}

export function retrainingSubject({ model, state }: RetrainingNews): string {
  return `${model}: retraining ${state === 'done' ? 'done' : 'failed'}`
}

export function retrainingLetter(news: RetrainingNews): Letter {
  const { model, state, outcome, version, dataset, log, warnings } = news
  const [line = '', ...rest] = outcome.split('\n')
  // The output follows below.
  const first = line.replace(/; its output ends:$/, '.')
  const facts: Section = {
    title: 'What happened',
    items: [
      { kind: 'fact', label: 'why', text: news.reason },
      ...(dataset === null ? [] : [{ kind: 'fact' as const, label: 'training set', text: dataset }]),
      ...(log === null
        ? []
        : [{ kind: 'fact' as const, label: 'output of the command', text: `${log} in the warehouse` }]),
      ...(rest.length === 0
        ? []
        : [
            { kind: 'text' as const, text: 'The output ends:' },
            { kind: 'quote' as const, text: rest.join('\n') },
          ]),
      ...warnings.map((text) => ({ kind: 'point' as const, text })),
    ],
  }
  return {
    tone: state === 'done' ? 'notice' : 'alert',
    lead: [
      state === 'done' ? `${model} was retrained: ${first}` : `The retraining of ${model} failed: ${first}`,
      'The champion is unchanged: scores go on as before.',
      ...(news.whenReady && version !== null ? ['It goes live by itself once the gate is green.'] : []),
    ],
    sections: [
      facts,
      state === 'failed'
        ? { title: 'Next three commands', items: afterFailure(news) }
        : { title: 'Next', items: afterTraining(news) },
    ],
    foot: [],
  }
}

/** As the table of remedies has them. */
function afterFailure({ model, outcome }: RetrainingNews): Section['items'] {
  const trouble: Trouble = {
    subject: model,
    subjectKind: 'model',
    partition: undefined,
    run: undefined,
    slot: undefined,
    state: 'failed',
    failure: { class: 'retrain', message: outcome, anchor: '#retrain', evidence: {} },
    checks: [],
  }
  return commandsFor(trouble, 'YOU').map(({ command, why }) => ({
    kind: 'command',
    command,
    why,
  }))
}

function afterTraining({ model, version }: RetrainingNews): Section['items'] {
  if (version === null) return []
  return [
    {
      kind: 'command',
      command: `npx nightshift shadow ${model}`,
      why: 'How it compares with the champion, night by night',
    },
    {
      kind: 'command',
      command: `npx nightshift check ${model} --version ${version}`,
      why: 'What it still lacks before it may go live',
    },
    {
      kind: 'command',
      command: `npx nightshift promote ${model} --version ${version} --by YOU`,
      why: 'To make it the champion',
    },
  ]
}

/** A retrained version went live by itself. */
export function promotedLetter(
  model: string,
  version: number,
  before: number | null,
  reason: string,
): { subject: string; letter: Letter } {
  return {
    subject: `${model}: version ${version} is live`,
    letter: {
      tone: 'notice',
      lead: [
        `Version ${version} of ${model} is live: every item of the gate passes, and model.yaml says \`promote: when-ready\`.`,
        before === null
          ? 'There was no champion before.'
          : `Version ${before} was the champion, and goes on scoring in shadow.`,
      ],
      sections: [
        {
          title: 'What happened',
          items: [{ kind: 'fact', label: 'it was retrained because', text: reason }],
        },
        {
          title: 'Next',
          items: [
            {
              kind: 'command',
              command: `npx nightshift check ${model} --version ${version}`,
              why: 'The gate, item by item',
            },
            { kind: 'command', command: `npx nightshift rollback ${model} --by YOU`, why: 'To take it back' },
          ],
        },
      ],
      foot: [],
    },
  }
}
