import type { FailureFacts } from '../../../src/alerts/incidents/incident-facts.ts'
import type { Incident } from '../../../src/alerts/incidents/incident-record.ts'
import { letterHtml } from '../../../src/alerts/letters/letter-html.ts'
import { letterText } from '../../../src/alerts/letters/letter-text.ts'
import type { Occasion } from '../../../src/alerts/letters/thread.ts'
import { threadLetter } from '../../../src/alerts/letters/thread-mail.ts'
import { SETTINGS } from '../sample.ts'

export const NOW = new Date('2026-11-22T03:00:35Z')

export function incident(of: FailureFacts, id = 12): Incident {
  return {
    id,
    subject: of.subject,
    subjectKind: of.subjectKind,
    kind: of.failure.class,
    openedAt: new Date('2026-11-22T03:00:05Z'),
    closedAt: undefined,
    ackedAt: undefined,
    ackedBy: undefined,
    facts: of,
    nights: [
      {
        partition: of.partition ?? null,
        run: of.run ?? null,
        slot: of.slot ?? null,
        state: of.state,
        failedAt: '2026-11-22T03:00:05Z',
        late: false,
        recovered: null,
      },
    ],
  }
}

export function text(incidents: [Incident, ...Incident[]], occasion: Occasion = 'opened'): string {
  return letterText(
    threadLetter({ occasion, incidents, recipient: 'oncall@example.com', now: NOW, settings: SETTINGS }),
  )
}

export function html(incidents: [Incident, ...Incident[]]): string {
  return letterHtml(
    threadLetter({
      occasion: 'opened',
      incidents,
      recipient: 'oncall@example.com',
      now: NOW,
      settings: SETTINGS,
    }),
    'subject',
  )
}
