import { constantsOf } from './constants.ts'
import { encoderKeys } from './encoder-keys.ts'
import type { Step } from './input-layout.ts'
import { layoutOf, type Term } from './input-layout.ts'
import type { ModelValue } from './model-value.ts'
import type { GraphProto, NodeProto } from './proto.ts'

/** The values that a model knows of one column of an input. */
export interface Vocabulary {
  input: string
  /** Place of the column within the input. */
  index: number
  /** Before a value is looked up. */
  steps: Step[]
  values: (string | number)[]
  /**
   * `encoder`: every value that is not listed is unknown. `comparison`: the model asks for these values alone, and
   * takes all others alike; one of several may be meant so, which is reported if there is only one.
   */
  kind: 'encoder' | 'comparison'
  /** The model fails on an unknown value instead of going on without it. */
  refuses: boolean
}

/**
 * The vocabularies that a graph holds: categories of encoders, and texts that inputs are compared with, followed from
 * the inputs through operators that keep columns apart. What it cannot follow it leaves out.
 */
export function readVocabularies(graph: GraphProto, inputs: ModelValue[]): Vocabulary[] {
  const constant = constantsOf(graph)
  const { terms, compared } = layoutOf(graph, inputs, constant)
  const encoders: Vocabulary[] = (graph.node ?? []).flatMap((node) =>
    (terms(node.input?.[0]) ?? []).flatMap((term) => encoded(node, term)),
  )
  const known = new Set(encoders.map(({ input, index }) => `${index} ${input}`))
  const asked = compared.filter(({ term }) => !known.has(`${term.index} ${term.input}`))
  return [...merged(encoders), ...comparisons(asked)].map((each) => ({
    ...each,
    // JSON has no NaN.
    values: each.values.map((value) => (Number.isNaN(value) ? 'nan' : value)),
  }))
}

function encoded(node: NodeProto, term: Term | null): Vocabulary[] {
  const found = term && encoderKeys(node, term.type)
  if (!found) return []
  const { input, index, steps } = term
  const whole = found.integers && term.type === 'number' ? [{ step: 'integer' } as const] : []
  return [
    {
      input,
      index,
      steps: [...steps, ...whole],
      values: found.values,
      kind: 'encoder',
      refuses: found.refuses,
    },
  ]
}

/** A column may go into several encoders: a value is known that all of them know. */
function merged(vocabularies: Vocabulary[]): Vocabulary[] {
  const seen = new Map<string, Vocabulary>()
  for (const each of vocabularies) {
    const key = JSON.stringify([each.input, each.index, each.steps])
    const before = seen.get(key)
    if (before === undefined) {
      seen.set(key, each)
      continue
    }
    const own = new Set(each.values)
    const values = before.values.filter((value) => own.has(value))
    seen.set(key, { ...before, values, refuses: before.refuses || each.refuses })
  }
  return [...seen.values()]
}

/** Texts that a column is compared with, one after the other. */
function comparisons(asked: { term: Term; values: (string | number)[] }[]): Vocabulary[] {
  const found = new Map<string, Vocabulary>()
  for (const { term, values } of asked) {
    const { input, index, steps } = term
    const key = JSON.stringify([input, index, steps])
    const before = found.get(key)
    found.set(key, {
      input,
      index,
      steps,
      values: [...new Set([...(before?.values ?? []), ...values])],
      kind: 'comparison',
      refuses: false,
    })
  }
  return [...found.values()]
}
