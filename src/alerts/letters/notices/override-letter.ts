import type { Letter } from '../letter.ts'

/** A promotion that the gate refused and a person made all the same. */
export interface Overridden {
  model: string
  version: number
  from: number | null
  by: string
  reason: string
  /** What is open, with its evidence. */
  open: { title: string; evidence: string }[]
}

export function overriddenLetter({ model, version, from, by, reason, open }: Overridden): {
  subject: string
  letter: Letter
} {
  return {
    subject: `${model}: version ${version} promoted despite the gate`,
    letter: {
      tone: 'alert',
      lead: [
        `${by} made version ${version} the champion of ${model} although the readiness gate is not green.`,
        from === null ? 'There was no champion before.' : `Version ${from} was the champion before.`,
      ],
      sections: [
        { title: 'Reason', items: [{ kind: 'quote', text: reason }] },
        {
          title: 'What the gate lacks',
          items: open.map(({ title, evidence }) => ({ kind: 'fact', label: title, text: evidence })),
        },
        {
          title: 'Next',
          items: [
            {
              kind: 'command',
              command: `npx nightshift check ${model} --version ${version}`,
              why: 'What would make the gate green',
            },
            ...(from === null
              ? []
              : [
                  {
                    kind: 'command' as const,
                    command: `npx nightshift rollback ${model} --to ${from} --by YOU`,
                    why: 'To go back',
                  },
                ]),
          ],
        },
      ],
      foot: [],
    },
  }
}
