import { treesModel } from '../fixtures/train/onnx.ts'
import type { Tree } from '../fixtures/train/trees.ts'

/** The view's columns in their order, with the range in which the middle nine tenths of customers lie. */
const COLUMNS: [name: string, low: number, high: number][] = [
  ['tenure_days', 80, 90],
  ['recency_days', 1, 9],
  ['active_days', 75, 90],
  ['events', 21, 39],
  ['events_30d', 5, 15],
  ['events_trend', 0.2, 0.48],
  ['night_events', 3, 12],
  ['night_share', 0.12, 0.4],
  ['amount', 500, 1300],
  ['amount_30d', 100, 560],
  ['amount_trend', 0.17, 0.52],
  ['largest_amount', 80, 200],
  ['largest_share', 0.09, 0.2],
  ['mean_amount', 20, 40],
  ['mean_amount_30d', 14, 42],
  ['quantity', 60, 120],
  ['mean_quantity', 2.5, 3.5],
  ['mean_price', 7, 14],
  ['mean_gap_days', 2, 4],
]
export const COLUMN_NAMES: string[] = COLUMNS.map(([name]) => name)

const TREES = 100
const DEPTH = 6

/** 100 full trees of depth 6 with thresholds within the columns' ranges: rows take all ways through them. */
export function benchModel(seed = 1): Uint8Array {
  const draw = generator(seed)
  const trees = Array.from({ length: TREES }, () => fullTree(draw))
  return treesModel({ base: 0, trees }, COLUMN_NAMES)
}

function fullTree(draw: () => number): Tree {
  const nodes = 2 ** (DEPTH + 1) - 1
  const inner = 2 ** DEPTH - 1
  const tree: Tree = { column: [], threshold: [], missingLeft: [], left: [], right: [], value: [] }
  for (let node = 0; node < nodes; node++) {
    const column = Math.floor(draw() * COLUMNS.length)
    const [, low = 0, high = 0] = COLUMNS[column] ?? []
    const splits = node < inner
    tree.column.push(splits ? column : -1)
    tree.threshold.push(splits ? Math.fround(low + draw() * (high - low)) : 0)
    tree.missingLeft.push(false)
    tree.left.push(splits ? 2 * node + 1 : 0)
    tree.right.push(splits ? 2 * node + 2 : 0)
    tree.value.push(splits ? 0 : Math.fround((draw() - 0.5) * 0.4))
  }
  return tree
}

/** Numbers in [0, 1), the same for the same seed (mulberry32). */
function generator(seed: number): () => number {
  let state = seed
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let t = Math.imul(state ^ (state >>> 15), 1 | state)
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296
  }
}
