import { FAILURE_CLASSES } from '../../../failures/classes.ts'
import { RUN_STATES, type RunState } from '../../../ledger/nights/run-records.ts'
import type { RunSearch } from '../../../ledger/nights/search-runs.ts'
import type { Kind } from '../../../ledger/nights/slots.ts'
import { ConfigurationError } from '../../../project/files/problem.ts'
import type { Project } from '../../../project/project.ts'
import { type AsOf, addDays, grainOf, parseAsOf } from '../../../project/time/asof.ts'
import { choiceProblem } from '../../filters.ts'
import { pageNumber, pageProblem } from '../../pager.ts'

export const KINDS = ['scores', 'features'] as const satisfies Kind[]
const A_PAGE = 50

/** The search in the address, as written. Illegal values are ignored and reported in `problems`. */
export interface Search {
  text: string
  name: string
  state: RunState | ''
  kind: Kind | ''
  class: string
  shape: string
  from: string
  to: string
  page: number
  /** Group failures by similar message. */
  grouped: boolean
  problems: string[]
  filter: RunSearch
}

export function readSearch(query: Record<string, string>, project: Pick<Project, 'timezone'>): Search {
  const problems: string[] = []
  const of = (name: string) => (query[name] ?? '').trim()
  const one = <Legal extends string>(name: string, legal: readonly Legal[]): Legal | '' => {
    const given = of(name)
    problems.push(...choiceProblem(name, given, legal))
    return legal.find((each) => each === given) ?? ''
  }
  const date = (name: string): AsOf | undefined => {
    if (of(name) === '') return undefined
    try {
      return parseAsOf(of(name), project.timezone)
    } catch (error) {
      if (!(error instanceof ConfigurationError)) throw error
      problems.push(`${name}: ${error.message}`)
      return undefined
    }
  }
  const [state, kind, failureClass] = [
    one('state', RUN_STATES),
    one('kind', KINDS),
    one('class', FAILURE_CLASSES),
  ]
  const [from, to] = [date('from'), date('to')]
  const [text, name, shape] = [of('text'), of('name'), of('shape')]
  const page = pageNumber(of('page'))
  const grouped = one('group', ['1']) === '1'
  problems.push(...pageProblem(of('page')))
  return {
    text,
    name,
    state,
    kind,
    class: failureClass,
    shape,
    from: of('from'),
    to: of('to'),
    page,
    grouped,
    problems,
    filter: {
      limit: A_PAGE,
      offset: (page - 1) * A_PAGE,
      ...(text === '' ? {} : { text }),
      ...(name === '' ? {} : { name }),
      ...(state === '' ? {} : { states: [state] }),
      ...(kind === '' ? {} : { kind }),
      ...(failureClass === '' ? {} : { failureClass }),
      ...(shape === '' ? {} : { shape }),
      ...(from === undefined ? {} : { from: from.instant }),
      ...(to === undefined ? {} : { to: lastInstant(to, project.timezone) }),
    },
  }
}

/** A date includes all of its hours. */
function lastInstant(asOf: AsOf, timezone: string): string {
  if (grainOf(asOf) === 'hour') return asOf.instant
  return new Date(Date.parse(addDays(asOf, 1, timezone).instant) - 1).toISOString()
}
