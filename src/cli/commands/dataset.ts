import { relative } from 'node:path'
import { Temporal } from 'temporal-polyfill'
import { makeTrainingSet } from '../../actions/make-training-set.ts'
import type { GlobalOptions } from '../../cli.ts'
import { withLedgerIfAny } from '../../host/session.ts'
import type { DatasetFacts } from '../../pipeline/dataset/build-dataset.ts'
import { openProject } from '../../project/files/load-project.ts'
import { ConfigurationError } from '../../project/files/problem.ts'
import { modelNamed, viewNamed } from '../../project/named.ts'
import type { Model, Project } from '../../project/project.ts'
import { type AsOf, asOfRange, grainOf } from '../../project/time/asof.ts'
import { parseDuration } from '../../project/time/duration.ts'
import { scheduledAsOf } from '../../project/time/scheduled-as-of.ts'
import { knowingKeys, recordUse } from '../../registry/view-promises.ts'
import { withChild } from '../../workers/child/with-child.ts'
import { printJson, printLine, printTable } from '../terminal/print.ts'
import { openProgress } from '../terminal/progress-bar.ts'

interface Options extends GlobalOptions {
  from: string
  to: string
  every: string
  holdoutFrom?: string
}

/** `dataset MODEL --from D --to D --every 1mo [--holdout-from D]`: needs no worker, and the ledger only for the keys recorded for the view. */
export default async function dataset([name = '']: string[], options: Options): Promise<number> {
  const files = openProject(options.project)
  const project = (await withLedgerIfAny(files, ({ pool }) => knowingKeys(pool, files))) ?? files
  const model = modelNamed(project, name)
  const view = viewNamed(project, model.view)
  const { timezone } = project
  const asOfs = stepped(
    scheduledAsOf(project, model, options.from, '--from'),
    scheduledAsOf(project, model, options.to, '--to'),
    options.every,
    timezone,
  )
  const holdoutFrom =
    options.holdoutFrom === undefined
      ? undefined
      : scheduledAsOf(project, model, options.holdoutFrom, '--holdout-from')
  if (
    holdoutFrom !== undefined &&
    asOfs.every((asOf) => Date.parse(asOf.instant) < Date.parse(holdoutFrom.instant))
  ) {
    throw new ConfigurationError(
      `dataset: expected --holdout-from to be one of the as-ofs or earlier than the last one (${asOfs.at(-1)?.label}), got: ${options.holdoutFrom}`,
    )
  }
  const title = `training set of ${model.name}`
  const built = await withChild(project, async (children) => {
    const bar = openProgress(options.json === true)
    try {
      return await makeTrainingSet(
        { project, children },
        model,
        { asOfs, holdoutFrom, now: new Date() },
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
  const path = (file: string) => `${relative(project.root, folder)}/${file}`
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
    left_out: manifest.left_out,
    known,
    warnings,
  }
}

function print(model: Model, record: ReturnType<typeof recordOf>): void {
  const { left_out: out, splits } = record
  printLine(`training set ${record.id} of ${record.model}${record.known ? ', which existed already' : ''}`)
  printTable(
    ['split', 'rows', 'as of', record.label.column, 'file'],
    (['train', 'holdout'] as const).map((name) => [
      name,
      splits[name].rows,
      spanOf(splits[name].as_of),
      balanceOf(splits[name].balance),
      record[name],
    ]),
  )
  if (out.without_label > 0) printLine(`left out: ${out.without_label} rows without a label`)
  for (const { as_of, rows } of out.gap) {
    printLine(
      `left out: ${as_of}, ${rows} rows: its label window of ${record.label.horizon} reaches into the holdout (the gap)`,
    )
  }
  for (const { as_of, reason } of out.immature) printLine(`left out: ${as_of}: ${reason}`)
  for (const warning of record.warnings) printLine(`warning: ${warning}`)
  printLine(
    `next: train a model on it, then nightshift register ${model.name} FILE.onnx --dataset ${record.id}`,
  )
}

function spanOf(asOfs: string[]): string {
  if (asOfs.length === 0) return 'none'
  return asOfs.length <= 2 ? asOfs.join(', ') : `${asOfs[0]} to ${asOfs.at(-1)} (${asOfs.length})`
}

function balanceOf(balance: Record<string, number> | null): string {
  if (balance === null) return ''
  return Object.entries(balance)
    .map(([value, rows]) => `${value}: ${rows}`)
    .join(', ')
}
