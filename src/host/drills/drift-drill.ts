import { duration } from '../../format/elapsed.ts'
import { readPersist } from '../../pipeline/drift/persistence.ts'
import type { Project } from '../../project/project.ts'
import type { Children, TaskOptions } from '../../workers/child/children.ts'
import type { FactsOf, RequestOf, TaskName } from '../../workers/child/tasks.ts'
import { endOf } from '../simulation/simulate.ts'
import { type DrillRequest, type DrillResult, failed } from './drill.ts'
import { drillNights, inLife, nightOf } from './life-of-drill.ts'

const ALERT = `
select i.opened_at, count(r.last_mail_at)::int as mailed, min(r.last_mail_at) as at,
       (select min(due) from nightshift.slots where kind = 'scores' and name = $1 and partition = $2) as due
  from nightshift.incidents i left join nightshift.incident_readers r on r.incident = i.id
 where i.subject_kind = 'model' and i.subject = $1 and i.kind = 'drift' group by i.id order by i.id limit 1`

/**
 * Lets a copy live through one night as it was and through shifted nights, as many as `drift.persist` asks for. The figure is
 * the time from the first shifted night's due time until the mail, by the copy's clock.
 */
export async function driftDrill(request: DrillRequest): Promise<DrillResult> {
  const { model, version, say } = request
  const { drifted } = readPersist(model.drift.persist)
  const nights = await drillNights(request, drifted + 1)
  const [, first] = nights.slice(-drifted - 1)
  const last = nights.at(-1)
  if (first === undefined || last === undefined) throw new Error('a drift drill needs two nights')
  const tamper = (children: Children) => shiftingFrom(children, first.instant)
  const champions = [version.version]
  return inLife(request, 'drift', { nights, champions, tamper, adjust: unbounded }, async (copy) => {
    say(
      `a copy lives through ${drifted} shifted ${drifted === 1 ? 'night' : 'nights'}, ${first.label} to ${last.label}`,
    )
    await copy.life.through({ until: endOf(nights, copy.project.timezone) })
    const slot = await nightOf(copy)
    if (slot.state !== 'published')
      return failed(
        `the shifted night ${slot.partition} was not published in the copy: ${slot.reason ?? slot.state}`,
      )
    const { rows } = await copy.database.pool.query<{
      opened_at: string
      mailed: number
      at: string | null
      due: string
    }>(ALERT, [model.name, first.label])
    const [alert] = rows
    const shift = `${drifted} shifted ${drifted === 1 ? 'night' : 'nights'} (${first.label} to ${last.label})`
    if (alert === undefined) {
      const { rows: notes } = await copy.database.pool.query<{ note: string | null }>(
        'select note from nightshift.profiles where model = $1 order by as_of desc limit 1',
        [model.name],
      )
      const why = notes[0]?.note ?? 'no column persisted over its threshold'
      return failed(`${shift} of version ${version.version} opened no alert: ${why}`)
    }
    if (alert.at === null) return failed(`${shift} opened an incident, but no mail was written`)
    const seconds = (Date.parse(alert.at) - Date.parse(alert.due)) / 1000
    return {
      passed: true,
      seconds,
      note: `${shift} of version ${version.version} alerted ${alert.mailed} ${alert.mailed === 1 ? 'address' : 'addresses'}, ${duration(seconds * 1000)} after the first of them was due`,
    }
  })
}

/** Features of nights from an instant on are shifted. */
function shiftingFrom(children: Children, from: string): Children {
  return {
    ...children,
    run<Name extends TaskName>(
      task: Name,
      request: RequestOf<Name>,
      options?: TaskOptions,
    ): Promise<FactsOf<Name>> {
      if (task !== 'features') return children.run(task, request, options)
      const features = request as RequestOf<'features'>
      const shift = Date.parse(features.asOf.instant) >= Date.parse(from)
      return children.run('features', { ...features, shift }, options) as Promise<FactsOf<Name>>
    },
  }
}

/** Expectations would hold a shifted night before anybody compares it, and references of earlier nights are not there. */
function unbounded(project: Project): Project {
  const views = Object.entries(project.views).map(
    ([name, view]) => [name, { ...view, columns: {}, expect: { rows: undefined, fresh: {} } }] as const,
  )
  const models = Object.entries(project.models).map(
    ([name, model]) =>
      [name, { ...model, drift: { ...model.drift, reference: { kind: 'holdout' as const } } }] as const,
  )
  return { ...project, views: Object.fromEntries(views), models: Object.fromEntries(models) }
}
