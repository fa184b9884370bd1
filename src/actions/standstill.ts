import { delivering } from '../alerts/delivery/delivering.ts'
import { IDLE, nobodyTakes } from '../alerts/letters/start-first.ts'
import { oneLine } from '../format/one-line.ts'
import type { Database } from '../ledger/connection/database.ts'
import { whoIsAlive } from '../ledger/nights/alive.ts'
import { loopbackLinks } from '../project/loopback.ts'
import type { Project } from '../project/project.ts'

export const NO_WORKER = `${IDLE.worker}${startWith('nightshift')}`
const LONGEST_ERROR = 200

/**
 * What keeps runs or mails from moving although nothing has failed, and what to start: one sentence each. `command`: what is typed
 * for Nightshift; null: the reader can start nothing.
 */
export async function standstill(
  database: Pick<Database, 'pool'>,
  project: Pick<Project, 'schedules' | 'alerts'>,
  command: string | null = 'nightshift',
): Promise<string[]> {
  const [{ worker, scheduler, untaken }, mails] = await Promise.all([
    whoIsAlive(database),
    delivering(database.pool),
  ])
  const isScheduled = Object.values(project.schedules).some(({ paused }) => !paused)
  const links = loopbackLinks(project)
  const stuck = mails.waiting + mails.gave_up
  const what = [counted(stuck - mails.posts, 'mail'), counted(mails.posts, 'post')].filter(
    (each) => each !== '',
  )
  const why = mails.error === null ? '' : `: ${oneLine(mails.error, LONGEST_ERROR)}`
  return [
    ...(worker ? nobodyTakes(untaken) : [IDLE.worker]).map((idle) => `${idle}${startWith(command)}`),
    ...(scheduler || !isScheduled ? [] : [`${IDLE.scheduler}${startWith(command)}`]),
    ...(stuck === 0
      ? []
      : [
          `${what.join(' and ')} ${stuck === 1 ? 'was' : 'were'} not delivered${why}. ` +
            (mails.waiting === 0
              ? 'Delivery was given up.'
              : `Delivery is tried again${command === null ? '' : `; ${command} doctor checks ${mails.posts === stuck ? 'the webhooks' : 'the mail server'}`}.`),
        ]),
    ...(links === undefined || !mails.by_server ? [] : [links]),
  ]
}

function startWith(command: string | null): string {
  return command === null ? '' : ` Start one: ${command} up`
}

function counted(number: number, what: string): string {
  if (number === 0) return ''
  return number === 1 ? `1 ${what}` : `${number} ${what}s`
}
