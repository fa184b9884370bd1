import { createHash } from 'node:crypto'
import { showPath } from '../../project/object-path.ts'
import type { Duration } from '../../project/project.ts'
import type { LabelKind } from '../../project/rules/label-kind.ts'
import type { LabelWindow } from '../../project/time/label-window.ts'
import { LAST, labelCut } from '../cut/cut.ts'
import type { Engine } from '../engine/duckdb.ts'
import type { Column, InputFile } from '../engine/facts.ts'
import { Failure } from '../engine/failure.ts'
import { identifier, literal, parquet } from '../engine/quote.ts'
import { viewHash } from '../features/view-hash.ts'
import { inputsOf } from '../sources/input-files.ts'
import { hashVisible } from '../sources/visible.ts'
import { openLabelQuery, type WindowPlace } from './label-query.ts'
import { labelTypeFault, labelValuesFault } from './label-values.ts'
import { knownUntil, type Newest } from './maturity.ts'

/** What labels are computed from, and where. */
export interface LabelsPlace extends WindowPlace {
  /** `kind` is what the model predicts. Default: unsaid. */
  labels: { sql: string; sqlFile: string; horizon: Duration; kind?: LabelKind }
  /** False: of the inputs is not asked what their rows come to. Default: true. */
  hashed?: boolean
}

export interface LabelFacts {
  label: Column
  /** The sources that labels.sql reads, with what is seen of them at the label's end. */
  inputs: InputFile[]
  /** Sources that labels.sql reads. */
  used: string[]
  /** Of the SQL, the sources and the horizon. */
  hash: string
}

/** Newest events of the sources that labels.sql reads. */
export async function newestOfLabels(place: LabelsPlace): Promise<Newest[]> {
  const query = await openLabelQuery(place, place.labels, {
    end: { instant: place.now, local: LAST.local },
    complete: place.now,
    asOf: undefined,
  })
  try {
    const used = new Set(query.checked.tables)
    return knownUntil(query.sources.map(({ found }) => found).filter(({ name }) => used.has(name)))
  } finally {
    query.close()
  }
}

/**
 * Writes the labels of one as-of: the entity and the label, as labels.sql gives them over the sources cut at the end
 * of the window. Training sets and outcomes both come through here. Throws Failures: `contract` for SQL and sources
 * that are wrong.
 */
export async function labelsOf(place: LabelsPlace, window: LabelWindow, out: string): Promise<LabelFacts> {
  const { root, view, labels, timezone, now } = place
  const query = await openLabelQuery(place, labels, window)
  try {
    const columns = (await query.engine.rows(`DESCRIBE ${query.sql}`, query.values)).map((row) => ({
      name: String(row.column_name),
      type: String(row.column_type),
    }))
    const file = showPath(root, labels.sqlFile)
    const label = labelColumn(columns, { entity: view.entity, file })
    refuse(labelTypeFault(label), file, window)
    await query.engine.run(
      `COPY (SELECT * FROM (${query.sql}\n)) TO ${literal(out)} (FORMAT parquet)`,
      query.values,
    )
    const { kind = 'unsaid' } = labels
    refuse(await labelValuesFault(query.engine, parquet(out), label, kind), file, window)
    const cut = labelCut(window, now, timezone)
    const read = inputsOf(query.sources)
    const inputs = place.hashed === false ? read : await hashVisible(query.engine, query.tables, cut, read)
    const hash = createHash('sha256')
      .update(JSON.stringify([viewHash(query.checked, view, timezone), labels.horizon.text]))
      .digest('hex')
    return { label, inputs, used: query.checked.tables, hash }
  } finally {
    query.close()
  }
}

function refuse(fault: string | undefined, file: string, { asOf }: LabelWindow): void {
  if (fault === undefined) return
  throw new Failure('contract', `${file}, as of ${asOf.label}: ${fault}`)
}

function labelColumn(columns: Column[], { entity, file }: { entity: string[]; file: string }): Column {
  const names = columns.map(({ name }) => name)
  const [label, ...others] = columns.filter(({ name }) => !entity.includes(name))
  const missing = entity.filter((name) => !names.includes(name))
  if (label === undefined || others.length > 0 || missing.length > 0) {
    throw new Failure(
      'contract',
      `${file}: expected the entity (${entity.join(', ')}) and one more column, the label, got: ${names.join(', ')}`,
    )
  }
  return label
}

/** An entity has one label. `from` is what FROM reads the labels with. Throws a contract Failure. */
export async function refuseDoubles(
  engine: Engine,
  from: string,
  { root, view, labels }: Pick<LabelsPlace, 'root' | 'view' | 'labels'>,
  { asOf }: LabelWindow,
): Promise<void> {
  const entity = view.entity.map(identifier)
  const doubles = await engine.rows(
    `SELECT ${entity.map((name) => `${name}::VARCHAR AS ${name}`).join(', ')}, count(*)::INTEGER AS n FROM ${from} GROUP BY ALL HAVING count(*) > 1 ORDER BY ALL LIMIT 5`,
  )
  if (doubles.length === 0) return
  const examples = doubles.map((row) => `${view.entity.map((name) => row[name]).join('/')} (${row.n} times)`)
  throw new Failure(
    'contract',
    `${showPath(root, labels.sqlFile)}: expected one row for each ${view.entity.join(', ')} as of ${asOf.label}, got several: ${examples.join(', ')}`,
  )
}
