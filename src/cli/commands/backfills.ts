import { clockTime } from '../../format/clock-time.ts'
import { withSession } from '../../host/session.ts'
import { listBackfills } from '../../jobs/backfills/backfill-records.ts'
import { modelNamed } from '../../project/named.ts'
import type { GlobalOptions } from '../command.ts'
import { printJson, printLine, printTable } from '../terminal/print.ts'

/** `backfills [MODEL]`: lists backfills and their progress. */
export default function backfills([name]: string[], options: GlobalOptions): Promise<number> {
  return withSession(options, async ({ project, database }) => {
    const model = name === undefined ? undefined : modelNamed(project, name).name
    const rows = await listBackfills(database.pool, model)
    if (options.json) printJson(rows)
    else if (rows.length === 0) printLine('no backfills')
    else {
      printTable(
        [
          'id',
          'model',
          'state',
          'nights',
          'published',
          'failed',
          'held',
          'skipped',
          'active',
          'left',
          'by',
          'started',
        ],
        rows.map((row) => [
          row.id,
          row.model,
          row.state,
          `${row.from} to ${row.to}`,
          `${row.published} of ${row.nights}`,
          row.failed,
          row.held,
          row.skipped,
          row.active,
          row.left,
          row.by,
          clockTime(row.started_at, project.timezone),
        ]),
      )
    }
    return 0
  })
}
