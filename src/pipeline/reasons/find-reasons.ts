import type { MappingPlan } from '../onnx/mapping.ts'
import type { TensorData } from '../scoring/tensors.ts'
import { numbersOf, pathEffects } from './forest.ts'
import { emptyReasons, type ReasonPlan, type Reasons, rank } from './reason-plan.ts'

/** Scores of a batch's rows. */
export type ScoreRows = (tensors: TensorData[]) => Promise<Float64Array>

/**
 * The reasons of a batch. Trees take about as long as the model itself; `occlusion` calls the model once more for each
 * column. Memory: one copy of the input whose column is replaced, and one number for each value of the batch.
 */
export async function findReasons(
  plan: ReasonPlan,
  mapping: MappingPlan,
  { scores, tensors, scoreRows }: { scores: Float64Array; tensors: TensorData[]; scoreRows: ScoreRows },
): Promise<Reasons> {
  const reasons = emptyReasons(scores.length, plan.count)
  const width = mapping.inputs.reduce((sum, { columns }) => sum + columns.length, 0)
  const effects =
    plan.method === 'paths'
      ? alongPaths(plan, tensors, scores.length, width)
      : await byOcclusion(plan, mapping, { scores, tensors, scoreRows }, width)
  for (let row = 0; row < scores.length; row++)
    rank(effects.subarray(row * width, (row + 1) * width), row, reasons)
  return reasons
}

function alongPaths(
  { forest, sign }: Extract<ReasonPlan, { method: 'paths' }>,
  [data]: TensorData[],
  rows: number,
  width: number,
): Float64Array {
  const values = numbersOf(data)
  if (values === undefined) throw new Error('trees were given an input that is no matrix of numbers')
  const effects = pathEffects(forest, values, rows, width)
  return sign > 0 ? effects : effects.map((effect) => -effect)
}

async function byOcclusion(
  { typical }: Extract<ReasonPlan, { method: 'occlusion' }>,
  { inputs }: MappingPlan,
  { scores, tensors, scoreRows }: { scores: Float64Array; tensors: TensorData[]; scoreRows: ScoreRows },
  width: number,
): Promise<Float64Array> {
  const effects = new Float64Array(scores.length * width)
  let place = 0
  for (const [position, { columns }] of inputs.entries()) {
    for (let column = 0; column < columns.length; column++, place++) {
      const replaced = tensors.map((data, index) =>
        index === position ? withValue(data, typical[position], column, columns.length) : data,
      )
      const without = await scoreRows(replaced)
      for (let row = 0; row < scores.length; row++)
        effects[row * width + place] = (scores[row] ?? 0) - (without[row] ?? 0)
    }
  }
  return effects
}

/** A copy with one column set to the typical row's value. */
function withValue(
  data: TensorData,
  typical: TensorData | undefined,
  column: number,
  width: number,
): TensorData {
  const copy = data.slice()
  for (let place = column; place < copy.length; place += width) {
    const value = typical?.[column]
    if (value !== undefined) copy[place] = value
  }
  return copy
}
