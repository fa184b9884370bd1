import { clockTime } from '../../../format/clock-time.ts'
import type { Project } from '../../../project/project.ts'
import type { ListedIncident } from '../../incidents/list-incidents.ts'
import { type Mute, mutedText } from '../../incidents/mutes.ts'
import type { Letter } from '../letter.ts'
import { openIncidentsLink } from '../links.ts'

/** A mute is over: mails are sent again, and this is what is open. */
export function muteLetter(
  ended: Mute,
  open: Pick<ListedIncident, 'id' | 'kind' | 'openedAt'>[],
  { timezone, alerts }: Pick<Project, 'timezone' | 'alerts'>,
): { subject: string; letter: Letter } {
  const what = mutedText(ended)
  const href = open.length === 0 ? undefined : openIncidentsLink(alerts?.base_url)
  const by = ended.by === null ? '' : `, set by ${ended.by},`
  return {
    subject: `${what}: mails are sent again`,
    letter: {
      tone: 'notice',
      lead: [
        `The mute of ${what}${by} ended at ${clockTime(ended.until, timezone)}: mails are sent again.`,
        open.length === 0
          ? 'No incident is open.'
          : `${open.length} ${open.length === 1 ? 'incident is' : 'incidents are'} open.`,
      ],
      button: href === undefined ? undefined : { text: 'Act on the open incidents', href },
      sections: [
        {
          title: 'Open',
          items: open.map(({ id, kind, openedAt }) => ({
            kind: 'point' as const,
            text: `#${id} ${kind}, since ${clockTime(openedAt.toISOString(), timezone)}`,
          })),
        },
        {
          title: 'Next',
          items: [
            {
              kind: 'command' as const,
              command: 'npx nightshift incidents',
              why: 'What is open, and since when',
            },
          ],
        },
      ].filter(({ items }) => items.length > 0),
      foot: [],
    },
  }
}
