import { type Constant, text } from './constants.ts'
import type { ModelValue } from './model-value.ts'
import { type GraphProto, int64ToNumber, type NodeProto, TENSOR } from './proto.ts'

/**
 * What happens to a value on its way from the input to the place that knows it. Plain data. `text` writes an integer,
 * `digits` any other number.
 */
export type Step =
  | { step: 'lower' | 'upper' | 'integer' | 'text' | 'digits' | 'number' }
  | { step: 'replace'; value: string | number; by: string | number }

/** One column of a tensor: which column of which input it is, and what has been done to its values. */
export interface Term {
  input: string
  index: number
  type: 'text' | 'number'
  steps: Step[]
}

/** Columns of a tensor; null where a column is something else than one of the inputs' columns. */
type Columns = (Term | null)[]

interface Condition {
  term: Term
  values: (string | number)[]
}

export interface Layout {
  terms(name: string | undefined): Columns | undefined
  /**
   * Texts that columns are compared with, where the comparison does not merely put one value in the place of another.
   */
  compared: Condition[]
}

type Constants = (name: string | undefined) => Constant | undefined

interface Place {
  columns: Map<string, Columns>
  conditions: Map<string, Condition>
  constant: Constants
}

/**
 * Follows the columns of the inputs through a graph, node by node: the format lists them in the order of computing.
 */
export function layoutOf(graph: GraphProto, inputs: ModelValue[], constant: Constants): Layout {
  const columns = new Map<string, Columns>()
  for (const { name, type, shape } of inputs) {
    const width = shape === null || shape.length > 2 ? undefined : shape.length < 2 ? 1 : shape[1]
    if (typeof width !== 'number') continue
    const kind = type === 'string' ? 'text' : 'number'
    const steps: Step[] = /^u?int/.test(type) ? [{ step: 'integer' }] : []
    columns.set(
      name,
      Array.from({ length: width }, (_, index) => ({ input: name, index, type: kind, steps })),
    )
  }
  const place: Place = { columns, conditions: new Map(), constant }
  const replaced = new Set<string>()
  for (const node of graph.node ?? []) follow(node, place, replaced)
  const compared = [...place.conditions].filter(([name]) => !replaced.has(name)).map(([, each]) => each)
  return { terms: (name) => (name === undefined ? undefined : columns.get(name)), compared }
}

function follow(node: NodeProto, place: Place, replaced: Set<string>): void {
  const own = place.columns.get(node.input?.[0] ?? '')
  if (node.op_type === 'Split') split(node, own, place)
  if (node.op_type === 'Equal') compare(node, place)
  const found = columnsAfter(node, own, place, replaced)
  const [made] = node.output ?? []
  if (found !== undefined && made !== undefined) place.columns.set(made, found)
}

function columnsAfter(
  node: NodeProto,
  own: Columns | undefined,
  place: Place,
  replaced: Set<string>,
): Columns | undefined {
  switch (node.op_type) {
    case 'Identity':
    case 'Dropout':
      return own
    case 'Unsqueeze':
    case 'Squeeze':
    case 'Flatten':
    case 'Reshape':
      // Of several columns only what keeps them in their places.
      return own?.length === 1 ? own : reshaped(node, own, place)
    case 'Cast':
      return own?.map((term) => cast(term, int64ToNumber(attributeOf(node, 'to')?.i)))
    case 'StringNormalizer':
      return normalized(node, own)
    case 'Imputer':
      return imputed(node, own)
    case 'Concat':
    case 'FeatureVectorizer':
      return joined(node, place)
    case 'Gather':
    case 'ArrayFeatureExtractor':
      return picked(node, own, place)
    case 'Slice':
      return sliced(node, own, place)
    case 'Where':
      return chosen(node, place, replaced)
    default:
      return undefined
  }
}

function attributeOf(node: NodeProto, name: string) {
  return node.attribute?.find((each) => each.name === name)
}

/** The axis along which columns lie; the only one where the file says none. */
function isOverColumns(node: NodeProto, otherwise: number): boolean {
  const axis = attributeOf(node, 'axis')
  const value = axis === undefined ? otherwise : int64ToNumber(axis.i)
  return value === 1 || value === -1
}

function reshaped(node: NodeProto, own: Columns | undefined, { constant }: Place): Columns | undefined {
  if (own === undefined) return undefined
  if (node.op_type === 'Flatten') return own
  if (node.op_type !== 'Reshape') return undefined
  const shape =
    constant(node.input?.[1])?.values ?? (attributeOf(node, 'shape')?.ints ?? []).map(int64ToNumber)
  return shape.length === 2 && (shape[1] === own.length || (shape[0] === 0 && shape[1] === -1))
    ? own
    : undefined
}

function then(term: Term | null, type: Term['type'], ...steps: Step[]): Term | null {
  return term && { ...term, type, steps: [...term.steps, ...steps] }
}

const INTEGERS: number[] = [TENSOR.int64, TENSOR.int32, TENSOR.int16, TENSOR.int8]
const FRACTIONS: number[] = [TENSOR.float32, TENSOR.float64]

function cast(term: Term | null, to: number): Term | null {
  if (term === null) return null
  if (to === TENSOR.string) {
    if (term.type === 'text') return term
    return then(term, 'text', { step: term.steps.at(-1)?.step === 'integer' ? 'text' : 'digits' })
  }
  if (INTEGERS.includes(to)) {
    const read: Step[] = term.type === 'text' ? [{ step: 'number' }] : []
    return then(term, 'number', ...read, { step: 'integer' })
  }
  if (FRACTIONS.includes(to))
    return then(term, 'number', ...(term.type === 'text' ? [{ step: 'number' } as const] : []))
  return null
}

function normalized(node: NodeProto, own: Columns | undefined): Columns | undefined {
  const words = attributeOf(node, 'stopwords')?.strings ?? []
  if (words.length > 0) return undefined
  const change = text(attributeOf(node, 'case_change_action')?.s ?? new Uint8Array())
  if (change === 'LOWER') return own?.map((term) => then(term, 'text', { step: 'lower' }))
  return change === 'UPPER' ? own?.map((term) => then(term, 'text', { step: 'upper' })) : own
}

function imputed(node: NodeProto, own: Columns | undefined): Columns | undefined {
  const floats = attributeOf(node, 'imputed_value_floats')?.floats ?? []
  const ints = (attributeOf(node, 'imputed_value_int64s')?.ints ?? []).map(int64ToNumber)
  const by = floats.length > 0 ? floats : ints
  const value =
    floats.length > 0
      ? (attributeOf(node, 'replaced_value_float')?.f ?? 0)
      : int64ToNumber(attributeOf(node, 'replaced_value_int64')?.i)
  return own?.map((term, column) => {
    const other = by.length === 1 ? by[0] : by[column]
    if (other === undefined) return null
    // JSON has no NaN.
    return then(term, 'number', { step: 'replace', value: Number.isNaN(value) ? 'nan' : value, by: other })
  })
}

function joined(node: NodeProto, { columns }: Place): Columns | undefined {
  if (node.op_type === 'Concat' && !isOverColumns(node, 0)) return undefined
  const parts = (node.input ?? []).map((name) => columns.get(name))
  // Without the width of a part, the start of the next is unknown.
  return parts.every((part) => part !== undefined) ? parts.flat() : undefined
}

function picked(node: NodeProto, own: Columns | undefined, { constant }: Place): Columns | undefined {
  const places = constant(node.input?.[1])?.values
  if (own === undefined || places === undefined) return undefined
  if (node.op_type === 'Gather' && !isOverColumns(node, 0)) return undefined
  return places.map((place) => own.at(Number(place)) ?? null)
}

function split(node: NodeProto, own: Columns | undefined, { columns, constant }: Place): void {
  if (own === undefined || !isOverColumns(node, 0)) return
  const outputs = node.output ?? []
  const given =
    constant(node.input?.[1])?.values ?? (attributeOf(node, 'split')?.ints ?? []).map(int64ToNumber)
  const even = Math.ceil(own.length / outputs.length)
  let start = 0
  for (const [index, name] of outputs.entries()) {
    const width = given.length === 0 ? even : Number(given[index])
    columns.set(name, own.slice(start, start + width))
    start += width
  }
}

function sliced(node: NodeProto, own: Columns | undefined, { constant }: Place): Columns | undefined {
  if (own === undefined) return undefined
  const numbers = (place: number, name: string) =>
    constant(node.input?.[place])?.values.map(Number) ?? attributeOf(node, name)?.ints?.map(int64ToNumber)
  const [starts, ends, axes, steps] = [
    numbers(1, 'starts'),
    numbers(2, 'ends'),
    numbers(3, 'axes'),
    numbers(4, ''),
  ]
  const [start, end] = [starts?.[0], ends?.[0]]
  const over = axes?.length === 1 && (axes[0] === 1 || axes[0] === -1)
  if (!over || start === undefined || end === undefined || (steps?.[0] ?? 1) !== 1) return undefined
  return own.slice(start, end)
}

/** A column, or each of several, against texts of the file: `x == 'Yes'`, or one against a row of them. */
function compare({ input = [], output = [] }: NodeProto, { columns, conditions, constant }: Place): void {
  const [a = '', b = ''] = input
  const own = columns.get(a) ?? columns.get(b)
  const values = (constant(b) ?? constant(a))?.values
  const [term] = own ?? []
  if (own?.length !== 1 || !term || term.type !== 'text' || values === undefined) return
  conditions.set(output[0] ?? '', { term, values })
}

/** `Where(x == '', 'none', x)` replaces one value by another and continues with the column. */
function chosen({ input = [] }: NodeProto, { columns, conditions, constant }: Place, replaced: Set<string>) {
  const [asked = '', yes = '', no = ''] = input
  const condition = conditions.get(asked)
  const rest = columns.get(no)
  const by = constant(yes)?.values
  const [term] = rest ?? []
  if (condition === undefined || !term || rest?.length !== 1 || by?.length !== 1) return undefined
  const isSame = condition.term.input === term.input && condition.term.index === term.index
  if (!isSame || JSON.stringify(condition.term.steps) !== JSON.stringify(term.steps)) return undefined
  replaced.add(asked)
  const [other = ''] = by
  return condition.values.reduce<Columns>(
    (found, value) =>
      found.map((each) => then(each, each?.type ?? 'text', { step: 'replace', value, by: other })),
    [term],
  )
}
