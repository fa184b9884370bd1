import { resolve } from 'node:path'
import { Temporal } from 'temporal-polyfill'
import { makeTrainingSet, type TrainingRows } from '../../actions/make-training-set.ts'
import { count } from '../../format/numbers.ts'
import { spanText } from '../../format/time-text.ts'
import { withLedgerIfAny } from '../../host/session.ts'
import type { DatasetFacts } from '../../pipeline/dataset/build-dataset.ts'
import { openProject } from '../../project/files/load-project.ts'
import { ConfigurationError } from '../../project/files/problem.ts'
import { modelNamed, viewNamed } from '../../project/named.ts'
import { shownFile } from '../../project/object-path.ts'
import type { Model, Project } from '../../project/project.ts'
import { type AsOf, asOfRange, grainOf } from '../../project/time/asof.ts'
import { parseDuration } from '../../project/time/duration.ts'
import { scheduledAsOf } from '../../project/time/scheduled-as-of.ts'
import { knowingKeys, recordUse } from '../../registry/view-promises.ts'
import { withChild } from '../../workers/child/with-child.ts'
import type { GlobalOptions } from '../command.ts'
import { printJson, printLine, printTable } from '../terminal/print.ts'
import { openProgress } from '../terminal/progress-bar.ts'

interface Options extends GlobalOptions {
  from?: string
  to?: string
  every?: string
  entities?: string
  holdoutFrom?: string
  holdoutGroups?: number
  groupBy?: string[]
}

/** `dataset MODEL --from D --to D --every 1mo [--holdout-from D]`, or `--entities FILE`: needs no worker, and the ledger only for the keys recorded for the view. */
export default async function dataset([name = '']: string[], options: Options): Promise<number> {
  const files = openProject(options.project)
  const project = (await withLedgerIfAny(files, ({ pool }) => knowingKeys(pool, files))) ?? files
  const model = modelNamed(project, name)
  const view = viewNamed(project, model.view)
  const rows = rowsAsked(project, model, options)
  const title = `training set of ${model.name}`
  const built = await withChild(project, async (children) => {
    const bar = openProgress(options.json === true)
    try {
      return await makeTrainingSet(
        { project, children },
        model,
        { ...rows, now: new Date() },
        {
          progress: (text, done, total) =>
            bar.show('dataset', title, text, {
              ...(done === undefined ? {} : { rows: done }),
              ...(total === undefined ? {} : { total }),
            }),
        },
      )
    } finally {
      bar.close()
    }
  })
  const use = { view: view.name, viewHash: built.manifest.view_hash, sources: built.sources }
  await withLedgerIfAny(project, ({ pool }) => recordUse(pool, use))
  const record = recordOf(project, built)
  if (options.json) printJson(record)
  else print(model, record)
  return 0
}

/** Which rows the options ask for. Throws a ConfigurationError where they contradict each other. */
function rowsAsked(project: Project, model: Model, options: Options): TrainingRows {
  const { from, to, every, entities, holdoutFrom: text, holdoutGroups: share, groupBy } = options
  const { timezone } = project
  const both = (a: string, b: string) =>
    new ConfigurationError(`dataset: expected ${a} or ${b}, got both: they say the same thing differently`)
  if (entities !== undefined && (from ?? to ?? every) !== undefined)
    throw both('--entities', '--from, --to and --every')
  if (text !== undefined && share !== undefined) throw both('--holdout-from', '--holdout-groups')
  if (groupBy !== undefined && share === undefined)
    throw new ConfigurationError('dataset: expected --holdout-groups SHARE together with --group-by')
  const holdoutFrom = text === undefined ? undefined : scheduledAsOf(project, model, text, '--holdout-from')
  const entity = viewNamed(project, model.view).entity
  const held = {
    holdoutFrom,
    holdoutGroups: share === undefined ? undefined : { share, by: groupBy ?? entity },
  }
  if (entities !== undefined)
    return { asOfs: [], entities: { shown: entities, path: resolve(entities) }, ...held }
  if (from === undefined || to === undefined) {
    throw new ConfigurationError(
      'dataset: expected --from AS-OF and --to AS-OF, or --entities FILE with an entity and a time in each row',
    )
  }
  const asOfs = stepped(
    scheduledAsOf(project, model, from, '--from'),
    scheduledAsOf(project, model, to, '--to'),
    every ?? '1mo',
    timezone,
  )
  if (
    holdoutFrom !== undefined &&
    asOfs.every((asOf) => Date.parse(asOf.instant) < Date.parse(holdoutFrom.instant))
  ) {
    throw new ConfigurationError(
      `dataset: expected --holdout-from to be one of the as-ofs or earlier than the last one (${asOfs.at(-1)?.label}), got: ${text}`,
    )
  }
  return { asOfs, ...held }
}

/** The as-ofs of a range at a fixed step. Monthly steps from the 31st fall on the last day of shorter months. */
function stepped(from: AsOf, to: AsOf, every: string, timezone: string): AsOf[] {
  const range = asOfRange(from, to, timezone)
  const months = /^(\d{1,3})mo$/.exec(every)?.[1]
  if (months !== undefined && Number(months) > 0 && grainOf(from) === 'day') {
    const first = Temporal.PlainDate.from(from.label)
    const labels = new Set<string>()
    for (let step = 0; step * Number(months) <= range.length / 28 + 1; step++) {
      labels.add(first.add({ months: step * Number(months) }).toString())
    }
    return range.filter(({ label }) => labels.has(label))
  }
  if (/mo$/.test(every)) {
    throw new ConfigurationError(`expected --every to be such as 1d, 7d, 2w or 1mo, got: ${every}`)
  }
  const duration = parseDuration(every, '--every')
  const step = grainOf(from) === 'day' ? (duration.days ?? 0) : duration.ms / 3_600_000
  if (!Number.isInteger(step) || step < 1) {
    throw new ConfigurationError(
      `expected --every to be ${grainOf(from) === 'day' ? 'whole days or months, such as 1d, 7d or 1mo' : 'whole hours, such as 6h'}, got: ${every}`,
    )
  }
  return range.filter((_, index) => index % step === 0)
}

function recordOf(project: Project, { manifest, folder, known, warnings }: DatasetFacts) {
  const path = (file: string) => `${shownFile(project.root, folder)}/${file}`
  return {
    id: manifest.id,
    model: manifest.model,
    view: manifest.view,
    view_hash: manifest.view_hash,
    train: path('train.parquet'),
    holdout: path('holdout.parquet'),
    manifest: path('manifest.json'),
    rows: { train: manifest.train.rows, holdout: manifest.holdout.rows },
    as_of: manifest.as_of,
    splits: { train: manifest.train, holdout: manifest.holdout },
    label: manifest.label,
    entities: manifest.entities ?? null,
    holdout_groups: manifest.holdout_groups ?? null,
    left_out: manifest.left_out,
    known,
    warnings,
  }
}

/** Lines about as-ofs that are left out. */
const MOST_LINES = 12

function print(model: Model, record: ReturnType<typeof recordOf>): void {
  const { left_out: out, splits } = record
  printLine(`training set ${record.id} of ${record.model}${record.known ? ', which existed already' : ''}`)
  printTable(
    ['split', 'rows', 'as of', record.label.column, 'file'],
    (['train', 'holdout'] as const).map((name) => [
      name,
      splits[name].rows,
      spanText(splits[name].as_of),
      balanceOf(splits[name].balance),
      record[name],
    ]),
  )
  if (record.holdout_groups !== null) {
    const { by, train, holdout } = record.holdout_groups
    printLine(
      `split by ${by.join(', ')}: ${count(train)} groups in train, ${count(holdout)} in the holdout, at the same as-ofs`,
    )
  }
  if (out.without_features !== undefined && out.without_features > 0)
    printLine(
      `left out: ${count(out.without_features)} of ${count(record.entities?.rows ?? 0)} rows asked for, of whose entity the view has no row at that time`,
    )
  if (out.without_label > 0) printLine(`left out: ${out.without_label} rows without a label`)
  for (const { as_of, rows } of out.gap.slice(0, MOST_LINES)) {
    printLine(
      `left out: ${as_of}, ${rows} rows: its label window of ${record.label.horizon} reaches into the holdout (the gap)`,
    )
  }
  for (const { as_of, reason } of out.immature.slice(0, MOST_LINES))
    printLine(`left out: ${as_of}: ${reason}`)
  const more = Math.max(0, out.gap.length - MOST_LINES) + Math.max(0, out.immature.length - MOST_LINES)
  if (more > 0) printLine(`left out: ${count(more)} more as-ofs, which manifest.json lists`)
  for (const warning of record.warnings) printLine(`warning: ${warning}`)
  printLine(
    `next: train a model on it, then nightshift register ${model.name} FILE.onnx --dataset ${record.id}`,
  )
}

function balanceOf(balance: Record<string, number> | null): string {
  if (balance === null) return ''
  return Object.entries(balance)
    .map(([value, rows]) => `${value}: ${rows}`)
    .join(', ')
}
