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
 * Labels of an output's columns: those of the classifier whose scores it is, those that the file looks up by the
 * output's highest column, or the columns' places where the file returns that place as its label. Null where the file does not say: the labels of a classifier within a model that goes on
 * computing say nothing of its output.
 */
export function labelsOfOutput(
  graph: GraphProto,
  output: string,
  width: number | undefined,
): (string | number)[] | null {
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
  return lookedUp(graph, same, width)
}

/** The constant that the index of the highest column is looked up in. */
function lookedUp(
  graph: GraphProto,
  columns: Set<string>,
  width: number | undefined,
): (string | number)[] | null {
  const constant = constantsOf(graph)
  const highest = new Set<string>()
  for (const { op_type = '', input = [], output = [], attribute = [] } of graph.node ?? []) {
    const [from = '', index = ''] = input
    const [made = ''] = output
    const axis = int64ToNumber(attribute.find(({ name }) => name === 'axis')?.i)
    const isOfRow = axis === 1 || axis === -1
    if (op_type === 'ArgMax' && columns.has(from) && isOfRow) highest.add(made)
    else if (KEEP_INDEX.has(op_type) && highest.has(from)) highest.add(made)
    else if ((op_type === 'ArrayFeatureExtractor' || op_type === 'Gather') && highest.has(index)) {
      const values = constant(from)?.values
      if (values !== undefined && values.length > 0) return values
    }
  }
  const isReturned = graph.output?.some(({ name }) => name !== undefined && highest.has(name)) === true
  return isReturned && width !== undefined ? Array.from({ length: width }, (_, place) => place) : null
}
