import { openRandom } from '../src/pipeline/evaluation/bootstrap.ts'
import { EDGE_QUANTILES, edgesOf } from '../src/pipeline/profile/edges.ts'
import { mergeProfiles } from '../src/pipeline/profile/merge.ts'
import type { ColumnProfile, Profile } from '../src/pipeline/profile/profile.ts'

/** A population whose nights do not drift, and the reference that they are judged against. */
export interface World {
  reference: Profile
  parts: Profile[]
  rows: number
  weekday: number
  customers: Customers | null
  /** Of a customer within a night. */
  rowsEach: number
  random: () => number
}

interface WorldOptions {
  /** By how many sd, or log odds, weekends differ. */
  weekday: number
  /**
   * `same`: each night has the same customers, whose values hardly change. `several rows`: others each night, with five
   * rows each. null: others each night, one row each.
   */
  customers: 'same' | 'several rows' | null
  /** Of the reference: one of 10,000 rows, or so many of tonight's size. */
  nights: number
}

/** Kinds of columns that features are made of. */
export const COLUMNS = [
  'normal',
  'skewed',
  'uniform',
  'heavy',
  'count',
  'zeros',
  'rare',
  'plan',
  'region',
  'probability',
] as const

type Customers = Float64Array[]

export function openWorld(options: WorldOptions, rows: number, seed: number): World {
  const random = openRandom(seed * 31 + rows)
  const size = options.nights === 1 ? 10_000 : rows
  const customers =
    options.customers === null
      ? null
      : COLUMNS.map(() => Float64Array.from({ length: size }, () => normal(random)))
  const rowsEach = options.customers === 'several rows' ? 5 : 1
  const world = { weekday: options.weekday, customers, rowsEach, random }
  const first = columnsOf(world, size, { night: 0, shift: 0, nulls: 0 })
  // Edges and categories come from the first night, as a baseline's do.
  const edges = first.map((values) => {
    const sorted = values.filter((value) => !Number.isNaN(value)).sort()
    return edgesOf(EDGE_QUANTILES.map((p) => sorted[Math.floor(p * (sorted.length - 1))] ?? 0))
  })
  EDGES.set(random, edges)
  const parts = [profileOf(first, edges)]
  for (let night = 1; night < options.nights; night++)
    parts.push(profileOf(columnsOf(world, size, { night, shift: 0, nulls: 0 }), edges))
  return { reference: mergeProfiles(parts), parts: options.nights === 1 ? [] : parts, rows, ...world }
}

const EDGES = new WeakMap<() => number, number[][]>()

interface Drawn {
  /** Days since a Monday. */
  night: number
  /** Of the mean, in sd. */
  shift: number
  /** More nulls, as a share. */
  nulls: number
}

export function drawNight(world: World, drawn: Drawn): Profile {
  return profileOf(columnsOf(world, world.rows, drawn), EDGES.get(world.random) ?? [])
}

/** Columns of one night, NaN where null; categories as numbers. */
function columnsOf(
  { weekday, customers, rowsEach, random }: Pick<World, 'weekday' | 'customers' | 'rowsEach' | 'random'>,
  rows: number,
  { night, shift, nulls }: Drawn,
): Float64Array[] {
  const moved = shift + (night % 7 >= 5 ? weekday : 0)
  return COLUMNS.map((name, column) => {
    const own = customers?.[column]
    const values = new Float64Array(rows)
    let customer = 0
    for (let row = 0; row < rows; row++) {
      if (row % rowsEach === 0) customer = normal(random)
      // A customer's value stays nearly the same from night to night, and from row to row.
      const near = own?.[row] ?? customer
      const z = own === undefined && rowsEach === 1 ? near : 0.95 * near + 0.3122 * normal(random)
      values[row] = random() < 0.01 + nulls ? Number.NaN : valueAt(name, z + moved)
    }
    return values
  })
}

function valueAt(name: (typeof COLUMNS)[number], z: number): number {
  switch (name) {
    case 'normal':
      return z
    case 'skewed':
      return Math.exp(z)
    case 'uniform':
      return share(z)
    case 'heavy':
      return Math.tan(Math.PI * (Math.min(0.999999, Math.max(0.000001, share(z))) - 0.5))
    case 'count':
      return Math.floor(6 * share(z) ** 2)
    case 'zeros':
      return Math.max(0, z)
    case 'rare':
      return z > 2 ? 1 : 0
    case 'plan':
      return Math.floor(3 * share(z))
    case 'region':
      // Twenty, some of them rare.
      return Math.floor(20 * share(z) ** 2)
    case 'probability':
      return 1 / (1 + Math.exp(2 - z))
  }
}

function profileOf(columns: Float64Array[], edges: number[][]): Profile {
  const rows = columns[0]?.length ?? 0
  return {
    rows,
    entities: rows,
    left_out: [],
    columns: columns.map((values, at) => countColumn(COLUMNS[at] ?? 'normal', values, edges[at] ?? [])),
  }
}

function countColumn(column: string, values: Float64Array, edges: number[]): ColumnProfile {
  const shared = { column, score: column === 'probability', rows: values.length, distinct: 0 }
  const nulls = values.reduce((sum, value) => sum + (Number.isNaN(value) ? 1 : 0), 0)
  if (column === 'plan' || column === 'region') {
    const names = Array.from({ length: column === 'plan' ? 3 : 20 }, (_, value) => String(value))
    const counts = names.map(() => 0)
    for (const value of values) if (!Number.isNaN(value)) counts[value] = (counts[value] ?? 0) + 1
    return {
      kind: 'category',
      type: 'VARCHAR',
      ...shared,
      nulls,
      values: names,
      counts,
      other: 0,
      unseen: 0,
      unseen_values: [],
    }
  }
  const counts = new Array<number>(edges.length + 1).fill(0)
  let [sum, squares, min, max] = [0, 0, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY]
  for (const value of values) {
    if (Number.isNaN(value)) continue
    let [low, high] = [0, edges.length]
    while (low < high) {
      const middle = (low + high) >> 1
      if ((edges[middle] ?? 0) <= value) low = middle + 1
      else high = middle
    }
    counts[low] = (counts[low] ?? 0) + 1
    sum += value
    squares += value * value
    min = Math.min(min, value)
    max = Math.max(max, value)
  }
  const n = values.length - nulls
  const sd = Math.sqrt(Math.max(0, squares / n - (sum / n) ** 2))
  return {
    kind: 'number',
    type: 'DOUBLE',
    ...shared,
    nulls,
    infinite: 0,
    min,
    max,
    mean: sum / n,
    sd,
    quantiles: null,
    edges,
    counts,
  }
}

function normal(random: () => number): number {
  return Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random())
}

/** The normal distribution function (Abramowitz and Stegun 26.2.17, within 1e-7). */
function share(z: number): number {
  const t = 1 / (1 + 0.2316419 * Math.abs(z))
  const tail =
    (Math.exp((-z * z) / 2) / Math.sqrt(2 * Math.PI)) *
    t *
    (0.31938153 + t * (-0.356563782 + t * (1.781477937 + t * (-1.821255978 + t * 1.330274429))))
  return z > 0 ? 1 - tail : tail
}
