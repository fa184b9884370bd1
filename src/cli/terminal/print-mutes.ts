import { activeMutes, mutedText } from '../../alerts/incidents/mutes.ts'
import { clockTime } from '../../format/clock-time.ts'
import type { Database } from '../../ledger/connection/database.ts'
import type { Project } from '../../project/project.ts'
import { printLine } from './print.ts'

/** A line for each mute that holds now. */
export async function printMutes(
  { pool }: Database,
  { timezone }: Pick<Project, 'timezone'>,
  now: Date,
): Promise<void> {
  for (const mute of await activeMutes(pool, now))
    printLine(
      `muted: no mails about ${mutedText(mute)} until ${clockTime(mute.until, timezone)}${mute.by === null ? '' : `, by ${mute.by}`}`,
    )
}
