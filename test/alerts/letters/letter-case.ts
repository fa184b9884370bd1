import type { FailureFacts } from '../../../src/alerts/incidents/incident-facts.ts'
import type { Incident } from '../../../src/alerts/incidents/incident-record.ts'
import { letterHtml } from '../../../src/alerts/letters/letter-html.ts'
import { letterText } from '../../../src/alerts/letters/letter-text.ts'
import type { Occasion, ThreadMail } from '../../../src/alerts/letters/thread.ts'
import { threadLetter } from '../../../src/alerts/letters/thread-mail.ts'
import { SETTINGS } from '../sample.ts'

/** The processes that nights need are alive. */
export const ALIVE = { worker: true, scheduler: true, untaken: [] }
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

export function text(
  incidents: [Incident, ...Incident[]],
  occasion: Occasion = 'opened',
  changes: Partial<ThreadMail> = {},
): string {
  return letterText(threadLetter({ ...mail(incidents), occasion, ...changes }))
}

export function html(incidents: [Incident, ...Incident[]]): string {
  return letterHtml(threadLetter(mail(incidents)), 'subject')
}

function mail(incidents: [Incident, ...Incident[]]): ThreadMail {
  const recipient = 'oncall@example.com'
  return { occasion: 'opened', incidents, recipient, now: NOW, alive: ALIVE, settings: SETTINGS }
}
