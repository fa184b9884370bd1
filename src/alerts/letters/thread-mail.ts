import { kindOf } from '../../failures/incident-kinds.ts'
import { duration } from '../../format/elapsed.ts'
import { recipientsOf } from '../delivery/recipients.ts'
import { clearLetter } from './clear-letter.ts'
import { groupLetter, lastOpenLetter } from './group-letter.ts'
import { incidentLetter } from './incident-letter.ts'
import type { Letter } from './letter.ts'
import type { ThreadMail } from './thread.ts'

export function threadLetter(mail: ThreadMail): Letter {
  const letter = ownLetter(mail)
  const note = escalationNote(mail)
  return note === undefined ? letter : { ...letter, lead: [...letter.lead, note] }
}

function ownLetter(mail: ThreadMail): Letter {
  const [first, ...rest] = mail.incidents
  const [open, ...others] = mail.incidents.filter(({ closedAt }) => closedAt === undefined)
  if (rest.length > 0 && open !== undefined && others.length === 0) return lastOpenLetter(mail, open)
  if (rest.length > 0) return groupLetter(mail)
  return first.closedAt === undefined ? incidentLetter(first, mail) : clearLetter(first, mail)
}

/** Why an address that is not on call gets the mail. */
function escalationNote({
  escalated = [],
  incidents,
  settings: { escalate },
}: ThreadMail): string | undefined {
  const meant = incidents.filter(({ id }) => escalated.includes(id))
  if (meant.length === 0 || escalate === undefined) return undefined
  const mailed = [...new Set(meant.flatMap(({ facts }) => recipientsOf(facts).addresses))].sort()
  const which = meant.length === 1 ? 'it' : `${meant.map(({ id }) => `#${id}`).join(', ')}`
  return `You get this because nobody acknowledged ${which} within ${duration(escalate.after)}. Mailed before: ${mailed.join(', ')}.`
}

/** Sent if a letter cannot be built: a bug in the wording must not suppress an alert. */
export function plainLetter(mail: ThreadMail): Letter {
  return {
    tone: 'alert',
    lead: mail.incidents
      .slice(0, 50)
      .map((incident) => `#${incident.id} ${incident.subject}: ${kindOf(incident.kind).name}`),
    sections: [
      {
        title: 'Next',
        items: [{ kind: 'command', command: 'npx nightshift incidents', why: 'List open incidents' }],
      },
    ],
    foot: [],
  }
}
