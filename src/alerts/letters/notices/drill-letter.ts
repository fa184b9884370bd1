import type { Letter } from '../letter.ts'

/** A drill of a schedule that failed, or could not be tried. */
export interface FailedDrill {
  model: string
  drill: string
  version: number | null
  schedule: string
  /** False: it could not be tried, so nothing is known of what it would have shown. */
  tried: boolean
  /** What happened, in a sentence. */
  note: string
}

export function drillLetter({ model, drill, version, schedule, tried, note }: FailedDrill): {
  subject: string
  letter: Letter
} {
  const of = version === null ? '' : ` --version ${version}`
  return {
    subject: `${model}: drill ${drill} ${tried ? 'failed' : 'could not be tried'}`,
    letter: {
      tone: 'alert',
      lead: [
        `The drill ${drill} of ${model}, which schedule ${schedule} asks for, ${tried ? 'failed' : 'could not be tried'}.`,
        'It ran in a copy: the scores that readers have are not touched, and the model goes on scoring.',
      ],
      sections: [
        { title: 'What happened', items: [{ kind: 'quote', text: note }] },
        {
          title: 'Next',
          items: [
            {
              kind: 'command',
              command: `npx nightshift drill ${model} ${drill}${of}`,
              why: 'To try it again, once the cause is mended',
            },
            {
              kind: 'command',
              command: `npx nightshift check ${model}${of}`,
              why: 'What the readiness gate makes of it',
            },
          ],
        },
      ],
      foot: [],
    },
  }
}
