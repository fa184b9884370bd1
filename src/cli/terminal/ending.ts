import { counted } from '../../format/numbers.ts'
import type { Session } from '../../host/session.ts'
import { pathOf } from '../../ledger/nights/published.ts'
import { attemptsOf, type Run } from '../../ledger/nights/run-records.ts'
import { slotTitle } from '../../ledger/nights/slots.ts'
import type { GlobalOptions } from '../command.ts'
import { printNext, printRun } from '../commands/show.ts'
import { runNamed } from './find.ts'
import { printJson, printLine } from './print.ts'
import { runRecord } from './run-json.ts'

/** Prints how a run ended. @returns 0 if it was published, otherwise 1 */
export async function reportEnd(
  { project, database }: Session,
  id: string,
  options: GlobalOptions,
): Promise<number> {
  const { run, attempts } = await runNamed(database.pool, id)
  const published = run.state === 'published'
  if (options.json) printJson(runRecord(project, run, attempts))
  else if (published) {
    printLine(
      `${slotTitle(run)}: published ${counted(run.rows ?? 0, 'row')}${run.version === null ? '' : ` of version ${run.version}`} (run ${run.id})`,
    )
    for (const warning of run.warnings) printLine(`  warning: ${warning}`)
    printLine(`  ${pathOf(project, run)}`)
  } else {
    printRun(project, run, attempts)
    await printNext(database, project, run)
  }
  return published ? 0 : 1
}

/** Prints why nothing was done, with the published run. */
export async function reportNothingToDo(
  { project, database }: Session,
  run: Run,
  options: GlobalOptions,
): Promise<number> {
  const reason = 'the partition exists and its inputs are unchanged'
  if (options.json) {
    const attempts = await attemptsOf(database.pool, run.id)
    printJson({ ...runRecord(project, run, attempts), skipped: reason })
  } else {
    printLine(`${slotTitle(run)}: nothing to do, ${reason} (run ${run.id}; --force computes it again)`)
    printLine(`  ${pathOf(project, run)}`)
  }
  return 0
}
