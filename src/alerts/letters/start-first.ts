import type { StepName } from '../../failures/remedies.ts'
import { leadsHome } from '../../project/loopback.ts'
import type { Incident } from '../incidents/incident-record.ts'
import type { Item, Section } from './letter.ts'
import { nextCommands } from './next-commands.ts'
import type { ThreadMail } from './thread.ts'

/** What does not happen without a process; pages and commands say the same. */
export const IDLE = {
  worker: 'No worker is running: what is requested waits until one is.',
  scheduler: 'No scheduler is running: no night starts by its schedule.',
}

/** What waits although workers are running. */
export function nobodyTakes(untaken: string[]): string[] {
  return untaken.length === 0 ? [] : [`No worker takes ${untaken.join(', ')}: that waits until one does.`]
}

/** Steps that ask for a run of a night, here or on a page. */
const RUNS = new Set<StepName | undefined>(['again', 'forced', 'night', 'readers'])

/** What has to be started before a night that the mail asks to run can run; nothing if all runs, or none is asked for. */
export function startFirst({ alive, settings, recipient }: ThreadMail, open: Incident[]): Section[] {
  if (!open.some((incident) => asksForRun(incident, recipient))) return []
  const idle = [
    ...(alive.worker ? nobodyTakes(alive.untaken) : [IDLE.worker]),
    ...(alive.scheduler || !settings.isScheduled ? [] : [IDLE.scheduler]),
  ]
  const which = idle.length === 1 ? 'Start one' : 'Start both'
  const items: Item[] =
    idle.length === 0
      ? []
      : [{ kind: 'command', command: 'npx nightshift up', why: `${idle.join(' ')} ${which}` }]
  const address = open.map(({ facts }) => facts.baseUrl).find(leadsHome)
  if (address !== undefined)
    items.push({
      kind: 'text',
      text: `The links of this mail open only on host ${settings.host}, and only while npx nightshift up or npx nightshift web runs there: alerts.base_url in nightshift.yaml is ${address}.`,
    })
  return items.length === 0 ? [] : [{ title: 'Start first', items }]
}

/** All failed nights at once are run again too: that command is no step of the table. */
function asksForRun(incident: Incident, recipient: string): boolean {
  return nextCommands(incident, recipient).some(({ step }) => step === undefined || RUNS.has(step))
}
