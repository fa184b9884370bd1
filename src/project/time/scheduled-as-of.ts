import { ConfigurationError } from '../files/problem.ts'
import type { Model, Project, View } from '../project.ts'
import { type AsOf, grainOf, parseAsOf } from './asof.ts'

/**
 * Reads an as-of for which a model or view is to be computed. Throws a ConfigurationError if it is an hour and all
 * schedules are daily, or a date and all are hourly.
 */
export function scheduledAsOf(project: Project, of: Model | View, text: string, option = '--as-of'): AsOf {
  const asOf = parseAsOf(text, project.timezone)
  const schedules = Object.values(project.schedules).filter(({ score, refresh }) =>
    isView(of)
      ? refresh.includes(of.name) || score.some((model) => project.models[model]?.view === of.name)
      : score.includes(of.name),
  )
  const [grain, ...others] = new Set(schedules.map((schedule) => schedule.grain))
  if (grain === undefined || others.length > 0 || grain === grainOf(asOf)) return asOf
  const [legal, how] =
    grain === 'day' ? ['a date such as 2026-11-22', 'daily'] : ['an hour such as 2026-11-22T03Z', 'hourly']
  throw new ConfigurationError(
    `${option}: expected ${legal}, since every schedule of ${of.name} is ${how} (${schedules.map(({ name }) => name).join(', ')}), got: ${text}`,
  )
}

function isView(of: Model | View): of is View {
  return 'entity' in of
}
