import { readTensor, text } from '../onnx/constants.ts'
import { readModel } from '../onnx/graph.ts'
import { type AttributeProto, type GraphProto, int64ToNumber, type NodeProto } from '../onnx/proto.ts'

/**
 * The trees of a TreeEnsembleRegressor or TreeEnsembleClassifier as parallel arrays over their nodes, for one of its
 * outputs. A leaf has `mode` LEAF and its value; a branch sends a row to `yes` where its condition holds.
 */
export interface Trees {
  roots: number[]
  mode: Uint8Array
  /** Column of the model's input. */
  column: Int32Array
  threshold: Float64Array
  yes: Int32Array
  no: Int32Array
  /** 1: a missing value goes to `yes`. */
  missingYes: Uint8Array
  /** Of leaves. The margin of a row is `base` plus the values of its leaves. */
  value: Float64Array
  base: number
}

/** What `mode` holds. */
export const MODES = ['LEAF', 'BRANCH_LEQ', 'BRANCH_LT', 'BRANCH_GTE', 'BRANCH_GT', 'BRANCH_EQ', 'BRANCH_NEQ']
export const LEAF = 0

/** Operators through which a matrix of numbers goes unchanged. */
const UNCHANGED = new Set(['Identity', 'Cast'])
const ENSEMBLES = new Set(['TreeEnsembleRegressor', 'TreeEnsembleClassifier'])

/**
 * The trees that a file's score may come from: of each output (class or target) of its only tree ensemble, if that reads
 * the model's only input as it is. Empty where the graph is another one. Whether the score really is a function of one
 * of them is for the caller to try.
 */
export function readForests(bytes: Uint8Array): Trees[] {
  const { graph } = readModel(bytes)
  const ensembles = (graph.node ?? []).filter(({ op_type }) => ENSEMBLES.has(op_type ?? ''))
  const [ensemble] = ensembles
  if (ensemble === undefined || ensembles.length > 1 || !readsInput(ensemble, graph)) return []
  return forestsOf(ensemble)
}

function readsInput(ensemble: NodeProto, graph: GraphProto): boolean {
  const held = new Set((graph.initializer ?? []).map(({ name }) => name))
  const inputs = (graph.input ?? []).filter(({ name }) => !held.has(name))
  let [name] = ensemble.input ?? []
  // As many steps as there are nodes: a graph has no circle.
  for (const _ of graph.node ?? []) {
    const maker = (graph.node ?? []).find(({ output }) => name !== undefined && output?.includes(name))
    if (maker === undefined || !UNCHANGED.has(maker.op_type ?? '')) break
    ;[name] = maker.input ?? []
  }
  return inputs.length === 1 && inputs[0]?.name === name
}

function forestsOf({ op_type, attribute = [] }: NodeProto): Trees[] {
  const read = reader(attribute)
  const kind = op_type === 'TreeEnsembleClassifier' ? 'class' : 'target'
  const [trees, nodes] = [read.ints('nodes_treeids'), read.ints('nodes_nodeids')]
  const modes = read.texts('nodes_modes').map((mode) => MODES.indexOf(mode))
  const aggregate = read.text('aggregate_function') || 'SUM'
  if (nodes.length === 0 || modes.includes(-1) || !['SUM', 'AVERAGE'].includes(aggregate)) return []
  const key = (tree: number | undefined, node: number | undefined) => `${tree}/${node}`
  const places = new Map(nodes.map((node, index) => [key(trees[index], node), index]))
  const follow = (name: string) =>
    Int32Array.from(read.ints(name), (node, index) => places.get(key(trees[index], node)) ?? -1)
  const [yes, no] = [follow('nodes_truenodeids'), follow('nodes_falsenodeids')]
  const roots = rootsOf(modes, yes, no)
  if (roots === undefined) return []
  const missing = read.ints('nodes_missing_value_tracks_true')
  const shape = {
    roots,
    mode: Uint8Array.from(modes),
    column: Int32Array.from(read.ints('nodes_featureids')),
    threshold: Float64Array.from(read.numbers('nodes_values')),
    yes,
    no,
    missingYes: Uint8Array.from(nodes, (_, index) => missing[index] ?? 0),
  }
  const [ids, weights] = [read.ints(`${kind}_ids`), read.numbers(`${kind}_weights`)]
  const at = read
    .ints(`${kind}_nodeids`)
    .map((node, index) => places.get(key(read.ints(`${kind}_treeids`)[index], node)) ?? -1)
  const bases = read.numbers('base_values')
  const scale = aggregate === 'AVERAGE' ? 1 / shape.roots.length : 1
  return [...new Set(ids)]
    .sort((a, b) => a - b)
    .map((id) => {
      const value = new Float64Array(nodes.length)
      for (const [index, place] of at.entries()) {
        if (ids[index] === id && place >= 0)
          value[place] = (value[place] ?? 0) + (weights[index] ?? 0) * scale
      }
      // One base value for several ids is that of a binary classifier.
      return { ...shape, value, base: bases[id] ?? (bases.length === 1 ? bases[0] : undefined) ?? 0 }
    })
}

/** Nodes that no branch leads to. Undefined where a node has two parents or a child is missing: only a tree's paths have an end. */
function rootsOf(modes: number[], yes: Int32Array, no: Int32Array): number[] | undefined {
  const parents = new Uint8Array(modes.length)
  for (const [node, mode] of modes.entries()) {
    if (mode === LEAF) continue
    for (const child of [yes[node] ?? -1, no[node] ?? -1]) {
      if (child < 0 || parents[child] !== 0) return undefined
      parents[child] = 1
    }
  }
  return modes.flatMap((_, node) => (parents[node] === 0 ? [node] : []))
}

function reader(attributes: AttributeProto[]) {
  const named = new Map(attributes.map((each) => [each.name, each]))
  const memory = new Map<string, number[]>()
  const ints = (name: string): number[] => {
    const known = memory.get(name) ?? (named.get(name)?.ints ?? []).map(int64ToNumber)
    memory.set(name, known)
    return known
  }
  return {
    ints,
    /** Floats, or doubles of the attribute that takes their place. */
    numbers(name: string): number[] {
      const tensor = named.get(`${name}_as_tensor`)?.t
      const values = tensor ? readTensor(tensor)?.values.map(Number) : undefined
      return values ?? named.get(name)?.floats ?? []
    },
    texts: (name: string) => (named.get(name)?.strings ?? []).map(text),
    text: (name: string) => text(named.get(name)?.s ?? new Uint8Array()),
  }
}
