import { FAILURE_CLASSES } from '../../failures/classes.ts'
import { clockTime } from '../../format/clock-time.ts'
import { duration } from '../../format/elapsed.ts'
import { messageText } from '../../format/message-text.ts'
import { oneLine } from '../../format/one-line.ts'
import { withSession } from '../../host/session.ts'
import { type FailureGroup, groupFailures } from '../../ledger/nights/failure-groups.ts'
import { pathOf } from '../../ledger/nights/published.ts'
import { listRuns, RUN_STATES, type RunFilter } from '../../ledger/nights/run-records.ts'
import { didYouMean } from '../../project/files/nearest.ts'
import { ConfigurationError } from '../../project/files/problem.ts'
import type { Project } from '../../project/project.ts'
import { parseAsOf } from '../../project/time/asof.ts'
import type { GlobalOptions } from '../command.ts'
import { printJson, printLine, printTable } from '../terminal/print.ts'

interface Options extends GlobalOptions {
  state?: string
  class?: string
  text?: string
  version?: number
  from?: string
  to?: string
  group?: boolean
  limit: number
}

export default function runs([name]: string[], options: Options): Promise<number> {
  return withSession(options, async ({ project, database }) => {
    const states = options.state === undefined ? undefined : [oneOf('--state', options.state, RUN_STATES)]
    const failureClass =
      options.class === undefined ? undefined : oneOf('--class', options.class, FAILURE_CLASSES)
    const filter: RunFilter = {
      limit: options.limit,
      ...(options.from === undefined ? {} : { from: parseAsOf(options.from, project.timezone).instant }),
      ...(options.to === undefined ? {} : { to: parseAsOf(options.to, project.timezone).instant }),
      ...(name === undefined ? {} : { name }),
      ...(states === undefined ? {} : { states }),
      ...(failureClass === undefined ? {} : { failureClass }),
      ...(options.text === undefined ? {} : { text: options.text }),
      ...(options.version === undefined ? {} : { version: options.version }),
    }
    if (options.group === true) {
      printGroups(project, await groupFailures(database.pool, filter), options)
      return 0
    }
    const rows = await listRuns(database.pool, filter)
    if (options.json)
      printJson(
        rows.map((run) => ({
          ...run,
          run: run.id,
          as_of: run.partition,
          instant: run.as_of,
          path: pathOf(project, run),
        })),
      )
    else if (rows.length === 0) printLine('no runs')
    else {
      printTable(
        ['run', 'kind', 'name', 'as of', 'state', 'rows', 'started', 'took', 'failure'],
        rows.map((run) => [
          run.id,
          run.kind,
          run.name,
          run.partition,
          run.state,
          run.rows,
          clockTime(run.started_at, project.timezone),
          run.started_at === null || run.ended_at === null
            ? ''
            : duration(Date.parse(run.ended_at) - Date.parse(run.started_at)),
          run.failure === null
            ? ''
            : `${run.failure.class}: ${messageText(run.failure.message, project.timezone)}`,
        ]),
        { spare: ['took', 'rows', 'started'], below: 'failure' },
      )
    }
    return 0
  })
}

function printGroups(project: Project, groups: FailureGroup[], options: GlobalOptions): void {
  if (options.json) printJson(groups)
  else if (groups.length === 0) printLine('no failed or held runs')
  else {
    printTable(
      ['runs', 'class', 'of', 'nights', 'last', 'newest', 'message'],
      groups.map((group) => [
        group.runs,
        group.class,
        group.names.length <= 3 ? group.names.join(', ') : `${group.names.length} models and views`,
        group.from === group.to ? group.from : `${group.from} to ${group.to}`,
        clockTime(group.last_at, project.timezone),
        group.newest.run,
        oneLine(messageText(group.newest.message, project.timezone), 120),
      ]),
      { spare: ['last'], below: 'message' },
    )
  }
}

function oneOf<Legal extends string>(option: string, value: string, legal: readonly Legal[]): Legal {
  const found = legal.find((each) => each === value)
  if (found !== undefined) return found
  throw new ConfigurationError(
    `${option}: expected one of ${legal.join(', ')}, got: ${value}${didYouMean(value, legal)}`,
  )
}
