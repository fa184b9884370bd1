import { constantsOf, text } from './constants.ts'
import { type GraphProto, int64ToNumber, type NodeProto } from './proto.ts'

/** Operators after which each column still is the same class. */
const KEEP_CLASSES = new Set(['Identity', 'Cast', 'Normalizer', 'Softmax', 'Sigmoid', 'Clip'])
/** Operators after which a row's index of a class still is that index. */
const KEEP_INDEX = new Set(['Identity', 'Cast', 'Reshape', 'Squeeze', 'Flatten'])

/** Labels of the classes that a classifier or a ZipMap tells apart, in the order of its columns. */
export function classLabels(node: NodeProto): (string | number)[] {
  for (const { name, ints, strings } of node.attribute ?? []) {
    if (!name?.startsWith('classlabels_')) continue
    if (ints?.length) return ints.map(int64ToNumber)
    if (strings?.length) return strings.map(text)
  }
  return []
}

/**
 * Labels of an output's columns: those of the classifier whose scores it is, or those that the file looks up by the
 * output's highest column. Null where the file does not say: the labels of a classifier within a model that goes on
 * computing say nothing of its output.
 */
export function labelsOfOutput(graph: GraphProto, output: string): (string | number)[] | null {
  const makers = new Map(
    (graph.node ?? []).flatMap((node) => (node.output ?? []).map((name) => [name, node])),
  )
  const same = new Set<string>()
  for (let name: string | undefined = output; name !== undefined && !same.has(name); ) {
    same.add(name)
    const maker: NodeProto | undefined = makers.get(name)
    if (maker === undefined) break
    if (maker.output?.[1] === name) {
      const labels = classLabels(maker)
      if (labels.length > 0) return labels
    }
    name = KEEP_CLASSES.has(maker.op_type ?? '') ? maker.input?.[0] : undefined
  }
  return lookedUp(graph, same)
}

/** The constant that the index of the highest column is looked up in. */
function lookedUp(graph: GraphProto, columns: Set<string>): (string | number)[] | null {
  const constant = constantsOf(graph)
  const highest = new Set<string>()
  for (const { op_type = '', input = [], output = [] } of graph.node ?? []) {
    const [from = '', index = ''] = input
    const [made = ''] = output
    if (op_type === 'ArgMax' && columns.has(from)) highest.add(made)
    else if (KEEP_INDEX.has(op_type) && highest.has(from)) highest.add(made)
    else if ((op_type === 'ArrayFeatureExtractor' || op_type === 'Gather') && highest.has(index)) {
      const values = constant(from)?.values
      if (values !== undefined && values.length > 0) return values
    }
  }
  return null
}
