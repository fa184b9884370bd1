import { existsSync } from 'node:fs'
import { resolve } from 'node:path'
import { datasetNamed } from '../../actions/dataset-named.ts'
import { postIfAlone } from '../../host/deliver-if-alone.ts'
import { type Session, withSession } from '../../host/session.ts'
import { ledgerClock } from '../../ledger/connection/ledger-clock.ts'
import { publishedRun } from '../../ledger/nights/published.ts'
import type { Run } from '../../ledger/nights/run-records.ts'
import { compareParity } from '../../monitoring/parity/job.ts'
import { describeParity } from '../../monitoring/parity/parity-words.ts'
import { certificateOf, recordCertificate } from '../../monitoring/parity/record.ts'
import { certificateReport, recordComparison } from '../../monitoring/parity/record-comparison.ts'
import type { Against, ParityFacts } from '../../pipeline/parity/parity-facts.ts'
import { ConfigurationError } from '../../project/files/problem.ts'
import { modelNamed, viewNamed } from '../../project/named.ts'
import { parseAsOf } from '../../project/time/asof.ts'
import { champion, findVersion } from '../../registry/version-records.ts'
import { withChild } from '../../workers/child/with-child.ts'
import type { GlobalOptions } from '../command.ts'
import { printJson, printLine, printTable } from '../terminal/print.ts'

interface Options extends GlobalOptions {
  asOf: string
  dataset?: string
  file?: string
  allowMissing?: boolean
}

/** `parity MODEL --as-of D`: exit 1 on any difference. Accepts the name of a view, too. */
export default function parity([name = '']: string[], options: Options): Promise<number> {
  return withSession(options, async (session) => {
    const { project, database } = session
    const view = viewNamed(project, await viewOf(session, name))
    const asOf = parseAsOf(options.asOf, project.timezone)
    const run = await publishedRun(database.pool, 'features', view.name, asOf.label)
    if (run === undefined) {
      throw new ConfigurationError(
        `parity: view ${view.name} has no published features as of ${asOf.label}: nightshift refresh ${view.name} --as-of ${asOf.label}`,
      )
    }
    const against = await againstOf(session, name, options)
    const facts = await withChild(project, (children) => compareParity(children, project, view, run, against))
    await record(session, run, facts)
    if (options.json) printJson(facts)
    else print(view.name, facts)
    return facts.differing + facts.late === 0 ? 0 : 1
  })
}

/** A comparison by hand takes the place of the night's own where that was not completed. Otherwise it opens no incident. */
async function record(session: Session, run: Run, facts: ParityFacts): Promise<void> {
  const { project, database, log } = session
  if (facts.against === 'recomputed') {
    const before = await certificateOf(database.pool, run.id)
    const context = { database, log, project: () => project, clock: ledgerClock(database) }
    await recordComparison(context, run, facts, { isOwn: before !== undefined && before.differing === null })
    await postIfAlone(session)
    return
  }
  await recordCertificate(database.pool, {
    run: run.id,
    view: run.name,
    as_of: run.as_of,
    partition: run.partition,
    against: facts.against,
    differing: facts.differing,
    report: certificateReport(facts),
  })
}

/** The champion's view; without a champion, the view in model.yaml. */
async function viewOf({ project, database }: Session, name: string): Promise<string> {
  if (project.models[name] === undefined && project.views[name] !== undefined) return name
  const model = modelNamed(project, name)
  const live = await champion(database.pool, model.name)
  const version = live && (await findVersion(database.pool, model.name, live.version))
  return version?.view ?? model.view
}

async function againstOf(session: Session, name: string, options: Options): Promise<Against> {
  if (options.dataset !== undefined && options.file !== undefined) {
    throw new ConfigurationError('parity: expected --dataset ID or --file F, got both')
  }
  if (options.allowMissing === true && options.file === undefined) {
    throw new ConfigurationError(
      'parity: expected --allow-missing together with --file F, got only --allow-missing',
    )
  }
  if (options.file !== undefined) {
    const path = resolve(options.file)
    if (!existsSync(path)) {
      throw new ConfigurationError(
        `--file: expected a CSV or Parquet file, got: ${options.file}, which does not exist`,
      )
    }
    return { kind: 'file', path, allowMissing: options.allowMissing === true }
  }
  if (options.dataset === undefined) return { kind: 'recomputed' }
  const { manifest, train, holdout } = await datasetNamed(
    session,
    modelNamed(session.project, name).name,
    options.dataset,
  )
  return { kind: 'dataset', id: manifest.id, viewHash: manifest.view_hash, files: [train, holdout] }
}

function print(view: string, facts: ParityFacts): void {
  const { published, now } = facts.view_hash
  printLine(`parity of ${view} ${facts.as_of} (run ${facts.run}), ${facts.against}: ${describeParity(facts)}`)
  if (published !== now)
    printLine(`  view hash  published ${published.slice(0, 12)}, now ${now.slice(0, 12)}`)
  const differing = facts.by_column.filter((column) => column.differing > 0)
  if (differing.length > 0) {
    printTable(
      ['column', 'differing', 'of', 'largest', 'hint', 'example (entity: published, other)'],
      differing.map((column) => [
        column.column,
        column.differing,
        column.values,
        column.largest_difference,
        hint(column),
        column.examples
          .slice(0, 2)
          .map(({ entity, published: a, other }) => `${entity}: ${a ?? 'null'}, ${other ?? 'null'}`)
          .join('; '),
      ]),
    )
  }
  if (facts.only_other > 0)
    printLine(`  ${facts.only_other} rows were not published: ${facts.examples_only.other.join(', ')}`)
  if (facts.cause === 'file' && facts.only_published > 0)
    printLine(`  published but not in the file: ${facts.examples_only.published.join(', ')}`)
  if (facts.against === 'recomputed' && facts.only_published > 0) {
    printLine(
      `  ${facts.only_published} published rows no longer exist: ${facts.examples_only.published.join(', ')}`,
    )
  }
  for (const file of facts.changed_files.slice(0, 5)) printLine(`  ${file}`)
  for (const note of facts.notes) printLine(`  note: ${note}`)
}

function hint({
  null_or_zero,
  null_published,
  null_other,
  shift,
  differing,
}: ParityFacts['by_column'][number]): string {
  if (null_or_zero > 0) return `${null_or_zero} are null on one side and 0 on the other`
  if (null_published > 0) return `${null_published} are null on the published side`
  if (null_other > 0) return `${null_other} are null on the other side`
  return shift !== null && differing > 1 ? `always ${shift > 0 ? '+' : ''}${shift}` : ''
}
