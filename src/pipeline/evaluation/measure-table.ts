import { CLASSIFICATION, type Metric, REGRESSION } from '../../project/schema/metric.ts'
import type { Interval } from './bootstrap.ts'
import { type Curves, openCurves } from './curves.ts'
import { type DrawnRows, drawRows, type LabelledTable, MOST_IN_MEMORY, readSorted } from './labelled-table.ts'
import { type MeasureFacts, measure, notesOf } from './measure.ts'
import { ClassTally, tallyNumbers } from './metric-sums.ts'
import { type Confusion, type Metrics, openBins, openConfusion } from './metrics.ts'

export interface TableRequest {
  k: number
  seed: number
  resamples?: number | undefined
  /** Scores at or above it are positive decisions. */
  threshold: number | undefined
  /** Rows of a sample. Default: MOST_IN_MEMORY. */
  most?: number | undefined
}

/** One of a table's parts: the index of the parting, and the text of the value. */
export interface PartKey {
  parting: number
  value: string
}

export interface TableFacts extends MeasureFacts<PartKey> {
  confusion: Confusion | null
  curves: { own: Curves | null; rival: Curves | null }
}

/**
 * What `measure` gives, of any number of rows: figures and curves are those of all rows, from one sorted pass for each kind of
 * scores. Intervals are those of a sample of whole entities: their ends lie as far from the figure of all rows as they
 * lie from the sample's, times the square root of the sample's share of the entities.
 */
export async function measureTable(table: LabelledTable, request: TableRequest): Promise<TableFacts> {
  const { kind, rows } = table
  const own = await passOver(table, 'score', request)
  const rival = table.hasRival ? await passOver(table, 'rival', request) : undefined
  const whole = await sampled(table, own.whole, request, { rows, entities: table.entities })
  const parts: TableFacts['parts'] = []
  for (const [parting, values] of table.partings.entries()) {
    for (const [code, part] of values.entries()) {
      const metrics = own.parts[parting]?.[code] ?? {}
      const { intervals } = await sampled(table, metrics, request, { rows: part.rows, parting, code })
      parts.push({
        key: { parting, value: part.value },
        rows: part.rows,
        positives: kind === 'classification' ? part.positives : null,
        metrics,
        intervals,
        rival: rival?.parts[parting]?.[code] ?? null,
      })
    }
  }
  const { realized, resamples, drawn } = whole
  const mean = own.means.label
  return {
    kind,
    rows,
    positives: kind === 'classification' ? table.positives : null,
    metrics: own.whole,
    intervals: whole.intervals,
    resamples,
    calibration: kind === 'classification' ? own.bins : [],
    parts: parts.sort((a, b) => a.key.parting - b.key.parting || (a.key.value < b.key.value ? -1 : 1)),
    realized: realized === null ? null : { value: mean, ...around(mean, realized, whole.scale) },
    predicted: own.means.score,
    rival:
      rival === undefined
        ? null
        : { metrics: rival.whole, difference: differences(kind, own.whole, rival.whole, whole) },
    notes: [
      ...notesOf(table),
      ...whole.notes.filter((note) => note.startsWith('too few')),
      `intervals are those of ${drawn.entityCount} of ${table.entities} entities (${drawn.scores.length} of ${rows} rows), scaled to all of them; figures are of all rows`,
    ],
    confusion: own.confusion,
    curves: { own: own.curves, rival: rival?.curves ?? null },
  }
}

/** Groups of equal scores of the rows of one part, as they come. */
function openGroups(
  { rows, positives }: { rows: number; positives: number },
  kind: TableFacts['kind'],
  k: number,
): { add(score: number, label: number): void; end(): Metrics } {
  if (kind === 'regression') {
    const tally = tallyNumbers()
    return { add: (score, label) => tally.add(score, label, 1), end: () => tally.figures() }
  }
  const tally = new ClassTally({ rows, positives }, k)
  let [current, group, hits] = [Number.NaN, 0, 0]
  const flush = () => {
    if (group > 0) tally.add(current, group, hits)
    ;[group, hits] = [0, 0]
  }
  return {
    add(score, label) {
      if (score !== current) {
        flush()
        current = score
      }
      group++
      if (label === 1) hits++
    },
    end() {
      flush()
      return tally.figures()
    },
  }
}

async function passOver(table: LabelledTable, by: 'score' | 'rival', { k, threshold }: TableRequest) {
  const { kind, rows } = table
  const whole = openGroups(table, kind, k)
  const parts = table.partings.map((values) => values.map((part) => openGroups(part, kind, k)))
  const curves = openCurves(kind, table)
  const bins = openBins()
  const confusion = threshold === undefined ? undefined : openConfusion(threshold)
  const sums = { score: 0, label: 0 }
  await readSorted(table, by, (score, label, codes) => {
    whole.add(score, label)
    for (let index = 0; index < codes.length; index++) parts[index]?.[codes[index] ?? 0]?.add(score, label)
    curves.add(score, label)
    bins.add(score, 1, label)
    confusion?.add(score, label)
    sums.score += score
    sums.label += label
  })
  return {
    whole: whole.end(),
    parts: parts.map((values) => values.map((part) => part.end())),
    curves: table.broken === 0 ? curves.end() : null,
    bins: bins.end(),
    confusion: confusion === undefined || kind === 'regression' ? null : confusion.end(),
    // As the mean of numbers of which one is none.
    means: {
      score: table.broken === 0 ? sums.score / rows : Number.NaN,
      label:
        kind === 'classification'
          ? table.positives / rows
          : table.broken === 0
            ? sums.label / rows
            : Number.NaN,
    },
  }
}

interface Sampled
  extends Pick<MeasureFacts<never>, 'intervals' | 'realized' | 'resamples' | 'rival' | 'notes'> {
  /** How far the ends of an interval of the sample lie off, of all rows: 1 where all are in it. */
  scale: number
  drawn: DrawnRows
}

/** Top rows of a sample below which figures of top rows have no interval. */
const LEAST_TOP = 30

async function sampled(
  table: LabelledTable,
  metrics: Metrics,
  { k, seed, resamples, most = MOST_IN_MEMORY }: TableRequest,
  of: { rows: number; entities?: number; parting?: number; code?: number },
): Promise<Sampled> {
  const drawn = await drawRows(table, { ...of, most })
  const share = of.rows <= most ? 1 : drawn.scores.length / of.rows
  const top = k < 1 ? k : Math.max(1, Math.round(k * share))
  const facts = measure({
    sample: drawn,
    entities: drawn.entities,
    entityCount: drawn.entityCount,
    parts: [],
    // Of parts, only the figures of the rival are asked for, which are those of all rows.
    rival: of.entities === undefined ? undefined : drawn.rival,
    k: top,
    seed,
    resamples,
  })
  // Entities have as many rows in the sample as elsewhere: their hashes know nothing of them.
  const scale = Math.sqrt(of.entities === undefined ? share : drawn.entityCount / of.entities)
  const isThin = share < 1 && k >= 1 && top < LEAST_TOP
  const none = { low: null, high: null }
  const intervals: Partial<Record<Metric, Interval>> = {}
  for (const name of namesOf(table.kind)) {
    const [value, near] = [metrics[name], facts.metrics[name]]
    const given = facts.intervals[name]
    if (given === undefined || typeof value !== 'number' || typeof near !== 'number') intervals[name] = none
    else if (isThin && (name === 'precision_at_k' || name === 'lift_at_k')) intervals[name] = none
    else intervals[name] = within(name, around(value, { value: near, ...given }, scale))
  }
  return { ...facts, intervals, scale, drawn }
}

function namesOf(kind: TableFacts['kind']): readonly Metric[] {
  return kind === 'classification' ? CLASSIFICATION : REGRESSION
}

/** The interval of a sample's figure, moved to that of all rows. */
function around(value: number, near: { value: number } & Interval, scale: number): Interval {
  const moved = (end: number | null) => (end === null ? null : value + scale * (end - near.value))
  return { low: moved(near.low), high: moved(near.high) }
}

const AT_MOST_ONE: ReadonlySet<Metric> = new Set([
  'auc',
  'average_precision',
  'brier',
  'ece',
  'precision_at_k',
])

/** No interval reaches where its figure cannot be. */
function within(name: Metric, { low, high }: Interval): Interval {
  return {
    low: low === null || name === 'r2' ? low : Math.max(0, low),
    high: high === null || !AT_MOST_ONE.has(name) ? high : Math.min(1, high),
  }
}

function differences(
  kind: TableFacts['kind'],
  own: Metrics,
  rival: Metrics,
  { rival: near, scale }: Sampled,
) {
  const found: NonNullable<TableFacts['rival']>['difference'] = {}
  for (const name of namesOf(kind)) {
    const [x, y, given] = [own[name], rival[name], near?.difference[name]]
    const value = typeof x === 'number' && typeof y === 'number' ? x - y : null
    found[name] =
      value === null || given === undefined || given.value === null
        ? { value, low: null, high: null }
        : { value, ...around(value, { ...given, value: given.value }, scale) }
  }
  return found
}
