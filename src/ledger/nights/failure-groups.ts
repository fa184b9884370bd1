import { messageShape } from '../../format/message-shape.ts'
import type { Run, RunFilter } from './run-records.ts'
import { runsWhere } from './run-records.ts'
import type { Connection } from './slots.ts'

/**
 * Failed and held runs with the same cause: the same class, and messages that differ only in names, numbers, times
 * and paths.
 */
export interface FailureGroup {
  class: string
  /** The common part of their messages. */
  shape: string
  runs: number
  /** Views and models, by name. */
  names: string[]
  /** First and last partition, by as-of. */
  from: string
  to: string
  first_at: string
  last_at: string
  /** The newest of them: its id, and its message as an example. */
  newest: { run: string; message: string }
}

type FailedRow = Pick<Run, 'id' | 'name' | 'partition' | 'failure'> & { as_of: string; created_at: string }

/** Groups the failed and held runs that match a filter (ignoring its limit), the largest group first. */
export async function groupFailures(connection: Connection, filter: RunFilter): Promise<FailureGroup[]> {
  const { where, values } = runsWhere({ ...filter, states: filter.states ?? ['failed', 'held'] })
  const { rows } = await connection.query<FailedRow>(
    `select id, name, partition, as_of, failure, created_at from nightshift.runs
      where ${where} and failure is not null order by created_at`,
    values,
  )
  const groups = new Map<string, FailedRow[]>()
  for (const row of rows) {
    const key = `${row.failure?.class}\n${messageShape(row.failure?.message ?? '')}`
    const group = groups.get(key)
    if (group === undefined) groups.set(key, [row])
    else group.push(row)
  }
  return [...groups.entries()]
    .map(([key, members]) => toGroup(key, members))
    .sort((a, b) => b.runs - a.runs || (a.last_at < b.last_at ? 1 : -1))
}

function toGroup(key: string, members: FailedRow[]): FailureGroup {
  const [failureClass = '', shape = ''] = key.split('\n')
  const byNight = members.toSorted((a, b) => Date.parse(a.as_of) - Date.parse(b.as_of))
  const newest = members.at(-1)
  return {
    class: failureClass,
    shape,
    runs: members.length,
    names: [...new Set(members.map(({ name }) => name))].sort(),
    from: byNight[0]?.partition ?? '',
    to: byNight.at(-1)?.partition ?? '',
    first_at: members[0]?.created_at ?? '',
    last_at: newest?.created_at ?? '',
    newest: { run: newest?.id ?? '', message: newest?.failure?.message ?? '' },
  }
}
