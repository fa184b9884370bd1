import { type Replayed, replayRun } from '../../actions/replay-run.ts'
import { withSession } from '../../host/session.ts'
import { slotTitle } from '../../ledger/nights/slots.ts'
import type { GlobalOptions } from '../command.ts'
import { runNamed } from '../terminal/find.ts'
import { printJson, printLine, printTable } from '../terminal/print.ts'

/** `replay RUN`: re-runs it without publishing; exit 1 if the output is not identical. */
export default function replay([id = '']: string[], options: GlobalOptions): Promise<number> {
  return withSession(options, async (session) => {
    const { run } = await runNamed(session.database.pool, id)
    const result = await replayRun(session, run)
    if (options.json) printJson(result)
    else print(result)
    return result.same ? 0 : 1
  })
}

function print(found: Replayed): void {
  const title = slotTitle({
    kind: found.kind === 'features' ? 'features' : 'scores',
    name: found.name,
    partition: found.as_of,
  })
  printLine(
    `${title}, run ${found.run}: ${found.same ? 'identical output' : 'output DIFFERS'}; ${found.summary}`,
  )
  const differing = found.by_column.filter((column) => column.differing > 0)
  if (differing.length > 0) {
    printTable(
      ['column', 'differing', 'of', 'largest', 'example (entity: published, now)'],
      differing.map((column) => [
        column.column,
        column.differing,
        column.values,
        column.largest_difference,
        column.examples
          .slice(0, 2)
          .map(({ entity, published, other }) => `${entity}: ${published ?? 'null'}, ${other ?? 'null'}`)
          .join('; '),
      ]),
    )
  }
  for (const note of found.notes) printLine(`  note: ${note}`)
}
