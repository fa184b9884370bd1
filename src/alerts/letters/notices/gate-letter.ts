import type { Letter } from '../letter.ts'

/** What the daily look at the gate found about a champion. */
export interface GateNews {
  model: string
  version: number
  /** Items that passed, or were waived, when they were last asked, with the command that would fix each. */
  lost: { title: string; evidence: string; fix: string | null }[]
  /** Waivers that end within a week. */
  ending: { title: string; until: string; by: string; reason: string }[]
}

export function gateLetter({ model, version, lost, ending }: GateNews): { subject: string; letter: Letter } {
  const found = [
    ...(lost.length === 0
      ? []
      : [`${items(lost.length)} no longer ${lost.length === 1 ? 'passes' : 'pass'}`]),
    ...(ending.length === 0
      ? []
      : [`${ending.length} ${ending.length === 1 ? 'waiver ends' : 'waivers end'} soon`]),
  ].join(', ')
  return {
    subject: `${model}: ${found}`,
    letter: {
      tone: 'notice',
      lead: [
        `The readiness gate was asked about version ${version}, the champion of ${model}: ${found}.`,
        'The model goes on scoring.',
      ],
      sections: [
        {
          title: 'No longer ready',
          items: lost.flatMap(({ title, evidence, fix }) => [
            { kind: 'fact' as const, label: title, text: evidence },
            ...(fix === null || !fix.startsWith('nightshift ')
              ? []
              : [{ kind: 'command' as const, command: `npx ${fix}`, why: `To mend ${title.toLowerCase()}` }]),
          ]),
        },
        {
          title: 'Waivers that end',
          items: ending.map(({ title, until, by, reason }) => ({
            kind: 'fact' as const,
            label: title,
            text: `until ${until}, by ${by}: ${reason}`,
          })),
        },
        {
          title: 'Next',
          items: [
            {
              kind: 'command' as const,
              command: `npx nightshift check ${model} --version ${version}`,
              why: 'All items with their evidence',
            },
          ],
        },
      ].filter((section) => section.items.length > 0),
      foot: [],
    },
  }
}

function items(count: number): string {
  return `${count} ${count === 1 ? 'item' : 'items'} of the gate`
}
