import type { MappingPlan } from '../onnx/mapping.ts'
import type { TensorData } from '../scoring/tensors.ts'
import type { Forest } from './forest.ts'

/** How many reasons a row gets, and how they are found. Plain data: it goes to the scorers' threads. */
export type ReasonPlan = { count: number } & (
  | {
      /** The steps along the paths of the trees add up to the margin: exact, in the margin's unit. */
      method: 'paths'
      forest: Forest
      /** +1, or -1 where the score falls as the margin rises. */
      sign: number
      unit: 'score' | 'log-odds'
    }
  | {
      /** The score less the score with one column replaced by its typical value; in the unit of the score. */
      method: 'occlusion'
      /** One row: a value a column, by input. */
      typical: TensorData[]
      unit: 'score'
    }
)

/**
 * Reasons of a batch, the strongest first: by rank the number of the column (1 is the first of `columnsOf`, 0: none) and its
 * effect, row by row.
 */
export interface Reasons {
  columns: Int16Array[]
  effects: Float64Array[]
}

/** The columns that a model reads, in the order of its inputs. */
export function columnsOf({ inputs }: MappingPlan): string[] {
  return inputs.flatMap(({ columns }) => columns.map(({ name }) => name))
}

export function emptyReasons(rows: number, count: number): Reasons {
  return {
    columns: Array.from({ length: count }, () => new Int16Array(rows)),
    effects: Array.from({ length: count }, () => new Float64Array(rows)),
  }
}

/** Writes the strongest effects of a row, by size; equal ones in the order of the columns. Effects of 0 are none. */
export function rank(effects: Float64Array, row: number, { columns, effects: kept }: Reasons): void {
  for (let place = 0; place < columns.length; place++) {
    let best = -1
    for (let column = 0; column < effects.length; column++) {
      const size = Math.abs(effects[column] ?? 0)
      if (size > 0 && (best < 0 || size > Math.abs(effects[best] ?? 0))) best = column
    }
    if (best < 0) return
    const [chosen, effect] = [columns[place], kept[place]]
    if (chosen === undefined || effect === undefined) return
    chosen[row] = best + 1
    effect[row] = effects[best] ?? 0
    effects[best] = 0
  }
}
