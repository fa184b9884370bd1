import type { TensorData } from '../scoring/tensors.ts'
import { LEAF, MODES, type Trees } from './read-forest.ts'

/**
 * Trees with what each step down a path adds to a row's margin: the mean margin of the rows of a background that reach the child,
 * less that of those that reach its parent (Saabas 2014). The steps of a row add up to its margin less the background's mean.
 */
export interface Forest extends Trees {
  /** By node: what arriving there adds; 0 for roots. */
  step: Float64Array
  /** The mean margin of the background. */
  mean: number
}

const [LEQ, LT, GTE, GT, EQ] = MODES.slice(1).map((mode) => MODES.indexOf(mode))

/** The child that a row leads to; `from` is where its values begin. Called for every step of every path. */
function childOf(trees: Trees, node: number, values: ArrayLike<number>, from: number): number {
  const value = values[from + (trees.column[node] ?? 0)] ?? Number.NaN
  const bound = trees.threshold[node] ?? 0
  const mode = trees.mode[node]
  const isYes =
    mode === LEQ && value <= bound
      ? true
      : Number.isNaN(value)
        ? trees.missingYes[node] === 1
        : mode !== LEQ && holds(mode, value, bound)
  return (isYes ? trees.yes[node] : trees.no[node]) ?? -1
}

function holds(mode: number | undefined, value: number, bound: number): boolean {
  switch (mode) {
    case LT:
      return value < bound
    case GTE:
      return value >= bound
    case GT:
      return value > bound
    case EQ:
      return value === bound
    default:
      return value !== bound
  }
}

/** Margins of rows of `width` values each. */
export function marginsOf(trees: Trees, values: ArrayLike<number>, width: number): Float64Array {
  const margins = new Float64Array(values.length / width)
  for (let row = 0; row < margins.length; row++) {
    let margin = trees.base
    for (const root of trees.roots) {
      let node = root
      while (trees.mode[node] !== LEAF) node = childOf(trees, node, values, row * width)
      margin += trees.value[node] ?? 0
    }
    margins[row] = margin
  }
  return margins
}

/** Counts a background's rows along the paths. A node that none of them reaches has the plain mean of its children. */
export function withSteps(trees: Trees, values: ArrayLike<number>, width: number): Forest {
  const reached = new Float64Array(trees.mode.length)
  const rows = values.length / width
  for (let row = 0; row < rows; row++) {
    for (const root of trees.roots) {
      let node = root
      reached[node] = (reached[node] ?? 0) + 1
      while (trees.mode[node] !== LEAF) {
        node = childOf(trees, node, values, row * width)
        reached[node] = (reached[node] ?? 0) + 1
      }
    }
  }
  const means = new Float64Array(trees.mode.length)
  const meanAt = (node: number): number => {
    const mean = trees.mode[node] === LEAF ? (trees.value[node] ?? 0) : meanOfChildren(node)
    means[node] = mean
    return mean
  }
  const meanOfChildren = (node: number): number => {
    const [yes, no] = [trees.yes[node] ?? -1, trees.no[node] ?? -1]
    const [left, right] = [meanAt(yes), meanAt(no)]
    const [before, after] = [reached[yes] ?? 0, reached[no] ?? 0]
    return before + after === 0 ? (left + right) / 2 : (left * before + right * after) / (before + after)
  }
  const mean = trees.roots.reduce((sum, root) => sum + meanAt(root), trees.base)
  const step = new Float64Array(trees.mode.length)
  trees.mode.forEach((mode, node) => {
    if (mode === LEAF) return
    for (const child of [trees.yes[node] ?? -1, trees.no[node] ?? -1])
      step[child] = (means[child] ?? 0) - (means[node] ?? 0)
  })
  return { ...trees, step, mean }
}

/**
 * What each column contributes to the margins of rows of `width` values, row by row. One tree after the other: its nodes stay in the
 * processor's cache while all rows go through it.
 */
export function pathEffects(
  forest: Forest,
  values: ArrayLike<number>,
  rows: number,
  width: number,
): Float64Array {
  const effects = new Float64Array(rows * width)
  const { mode, column, step } = forest
  for (const root of forest.roots) {
    for (let from = 0; from < effects.length; from += width) {
      let node = root
      while (mode[node] !== LEAF) {
        const place = from + (column[node] ?? 0)
        node = childOf(forest, node, values, from)
        effects[place] = (effects[place] ?? 0) + (step[node] ?? 0)
      }
    }
  }
  return effects
}

/** A matrix that trees can read; undefined for texts and 64-bit integers. */
export function numbersOf(
  data: TensorData | undefined,
): Float32Array | Float64Array | Int32Array | undefined {
  return data instanceof Float32Array || data instanceof Float64Array || data instanceof Int32Array
    ? data
    : undefined
}
