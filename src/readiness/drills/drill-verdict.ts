import { localDay } from '../../format/clock-time.ts'
import type { DrillKind } from '../../project/project.ts'
import type { Answer, Asked } from '../item.ts'
import { fail } from '../item.ts'
import { viewOf } from '../view-of.ts'
import { type Drill, drillsOf } from './drill-record.ts'

const DAY_MS = 86_400_000
/** After this many days a drill is evidence no more. */
export const DRILL_DAYS = 90

/**
 * The newest drill of this kind, where it is evidence for the version that is asked about and for today's definition of its
 * view; else why it is none.
 */
export async function standingDrill(
  asked: Asked,
  kind: DrillKind,
): Promise<{ drill: Drill; day: string } | Answer> {
  const { database, project, model, version, now } = asked
  const fix = `nightshift drill ${model.name} ${kind}`
  const link = `/models/${model.name}/readiness#drills`
  if (version === undefined) return fail(`no version exists yet, so no drill ${kind} is on record`, fix, link)
  const drills = await drillsOf(database.pool, model.name, kind)
  const drill = drills.find((each) => each.version === version.version)
  if (drill === undefined) {
    const [other] = drills
    return fail(
      other === undefined
        ? `no drill ${kind} is on record`
        : `the drill of ${localDay(other.at, project.timezone)} was of version ${other.version}, not of version ${version.version}`,
      `${fix} --version ${version.version}`,
      link,
    )
  }
  const view = await viewOf(asked)
  if (typeof view === 'string') return fail(view, fix, link)
  const day = localDay(drill.at, project.timezone)
  const again = `${fix} --version ${version.version}`
  if (drill.view_hash !== version.view_hash)
    return fail(`the drill of ${day} was of another definition of ${version.view}`, again, link)
  if (Date.parse(drill.at) > now.getTime()) return fail(`the drill lies in the future (${day})`, again, link)
  if (!drill.passed) return fail(`the drill of ${day} failed: ${drill.note}`, again, link)
  if (now.getTime() - Date.parse(drill.at) > DRILL_DAYS * DAY_MS)
    return fail(`the last drill was on ${day}, more than ${DRILL_DAYS} days ago`, again, link)
  return { drill, day }
}
