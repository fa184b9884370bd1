import { figure } from '../../format/numbers.ts'
import type { Engine } from '../engine/duckdb.ts'
import type { Column } from '../engine/facts.ts'
import { identifier, parquet } from '../engine/quote.ts'
import { classify, orderOf } from '../evaluation/metrics.ts'
import type { Leak } from './leak.ts'

/** An area under the curve beyond this, or below one minus this, is too good to be true. */
const TOO_GOOD = 0.98
/** Fewer of either class say nothing. */
const ENOUGH = 10
/** Rows beyond this are drawn by the hash of their entity. */
const MOST_ROWS = 200_000
const FOLDS = 5

export interface Labelled {
  engine: Engine
  view: string
  /** A training set of the as-ofs: entity, as_of, features, label. */
  file: string
  entity: string[]
  features: Column[]
  label: Column
}

export interface Separation {
  leaks: Leak[]
  /** Largest area of each feature, either way: 0.5 is chance, 1 tells all. Null where one class has too few rows. */
  auc: Record<string, number | null>
  /** Why nothing could be concluded; undefined if something was. */
  note: string | undefined
  rows: number
}

/**
 * Features that alone tell a label of two classes: by their value (a text or date by the share of positives among its
 * other rows, taken from the four folds that the row is not in, so that an id does not tell itself), and by being
 * null.
 */
export async function findSeparating(labelled: Labelled): Promise<Separation> {
  const { engine, label, features } = labelled
  const file = parquet(labelled.file)
  const y = `${identifier(label.name)}::DOUBLE`
  const none = (note: string, rows: number): Separation => ({ leaks: [], auc: {}, note, rows })
  if (!isNumber(label.type) && label.type !== 'BOOLEAN') {
    return none(`the label ${label.name} is ${label.type}: features were not tested against it`, 0)
  }
  const facts = await engine.row(
    `SELECT count(*) AS rows, count(*) FILTER (${y} = 1) AS yes, count(*) FILTER (${y} = 0) AS no FROM ${file}`,
  )
  const [rows, yes, no] = [Number(facts.rows), Number(facts.yes), Number(facts.no)]
  if (yes + no < rows)
    return none(
      `the label ${label.name} has values other than 0 and 1: features were not tested against it`,
      rows,
    )
  if (Math.min(yes, no) < ENOUGH) {
    return none(
      `${yes} of ${rows} labelled rows are positive, but ${ENOUGH} of each class are needed to test features against the label`,
      rows,
    )
  }
  const key = labelled.entity.map((name) => identifier(name)).join(', ')
  const step = Math.ceil(rows / MOST_ROWS)
  const some = `(SELECT *, ${y} AS _y, hash(${key}) % ${FOLDS} AS _fold FROM ${file} WHERE hash(${key}, 7) % ${step} = 0)`
  const separation: Separation = { leaks: [], auc: {}, note: undefined, rows }
  for (const feature of features) {
    const { value, missing } = await areas(engine, some, feature)
    const known = [value, missing].filter((auc) => auc !== null).map((auc) => Math.max(auc, 1 - auc))
    separation.auc[feature.name] = known.length === 0 ? null : Math.max(...known)
    const found = [
      ...(value !== null && (value > TOO_GOOD || value < 1 - TOO_GOOD)
        ? [{ by: 'its value', auc: value }]
        : []),
      ...(missing !== null && (missing > TOO_GOOD || missing < 1 - TOO_GOOD)
        ? [{ by: 'being null', auc: missing }]
        : []),
    ]
    if (found.length === 0) continue
    separation.leaks.push({
      kind: 'separates-label',
      severity: 'error',
      view: labelled.view,
      source: null,
      column: feature.name,
      features: [feature.name],
      as_of: null,
      rows,
      examples: [],
      message: `feature ${feature.name} alone separates the label ${label.name}, by ${found.map(({ by, auc }) => `${by} (AUC ${figure(auc)})`).join(' and by ')}, over ${rows} labelled rows: it is probably derived from the same data as the label`,
      fix: `find out where ${feature.name} comes from (a status that is set together with the label, or the label's own time), and remove it from features.sql`,
    })
  }
  return separation
}

/** AUC of a feature's values among rows that have one, and of its being null. */
async function areas(
  engine: Engine,
  from: string,
  { name, type }: Column,
): Promise<{ value: number | null; missing: number | null }> {
  const x = identifier(name)
  const { columns } = await read(engine, `SELECT (${x} IS NULL)::INTEGER::DOUBLE AS x, _y AS y FROM ${from}`)
  const missing = areaOf(columns)
  const scored =
    isNumber(type) || type === 'BOOLEAN'
      ? `SELECT ${x}::DOUBLE AS x, _y AS y FROM ${from} WHERE ${x} IS NOT NULL`
      : `WITH g AS (SELECT ${x} AS v, _fold AS fold, sum(_y) AS yes, count(*) AS n FROM ${from} WHERE ${x} IS NOT NULL GROUP BY ALL),
              w AS (SELECT v, sum(yes) AS yes, sum(n) AS n FROM g GROUP BY v),
              m AS (SELECT avg(_y) AS y FROM ${from})
         SELECT coalesce((w.yes - g.yes) / nullif(w.n - g.n, 0), m.y)::DOUBLE AS x, f._y AS y
           FROM ${from} f JOIN g ON g.v = f.${x} AND g.fold = f._fold JOIN w ON w.v = f.${x}, m`
  return { value: areaOf((await read(engine, scored)).columns), missing }
}

async function read(
  engine: Engine,
  sql: string,
): Promise<{ columns: { scores: Float64Array; labels: Float64Array } }> {
  const rows = await engine.rows(`SELECT list(x) AS xs, list(y) AS ys FROM (${sql})`)
  const numbers = (value: unknown) => Float64Array.from(Array.isArray(value) ? value : [], Number)
  return { columns: { scores: numbers(rows[0]?.xs), labels: numbers(rows[0]?.ys) } }
}

function areaOf(sample: { scores: Float64Array; labels: Float64Array }): number | null {
  const positives = sample.labels.reduce((sum, label) => sum + label, 0)
  if (Math.min(positives, sample.labels.length - positives) < ENOUGH) return null
  return classify(sample, orderOf(sample.scores), 1).auc ?? null
}

function isNumber(type: string): boolean {
  return /^(?:U?(?:TINYINT|SMALLINT|INTEGER|BIGINT|HUGEINT)|FLOAT|DOUBLE|DECIMAL.*)$/.test(type)
}
