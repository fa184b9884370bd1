import type { ModelProto } from '../../../src/pipeline/onnx/proto.ts'
import { attribute, tensorValue } from './attribute.ts'

/**
 * A made-up binary classifier: complete trees of the given depth with splits between 0 and 100, the sum of their
 * leaves through a logistic function. Input `features` float32 [batch, n], outputs `label` int64 [batch] and
 * `probabilities` float32 [batch, 2].
 */
export function forest({ trees, depth, features, seed = 7 }: Shape): ModelProto {
  const random = generator(seed)
  const nodes: Nodes = { trees: [], ids: [], features: [], values: [], modes: [], trues: [], falses: [] }
  const leaves: Leaves = { trees: [], nodes: [], classes: [], weights: [] }
  const first = 2 ** depth - 1
  for (let tree = 0; tree < trees; tree++) {
    for (let node = 0; node < first * 2 + 1; node++) {
      const leaf = node >= first
      nodes.trees.push(tree)
      nodes.ids.push(node)
      nodes.features.push(leaf ? 0 : Math.floor(random() * features))
      nodes.values.push(leaf ? 0 : random() * 100)
      nodes.modes.push(leaf ? 'LEAF' : 'BRANCH_LEQ')
      nodes.trues.push(leaf ? 0 : node * 2 + 1)
      nodes.falses.push(leaf ? 0 : node * 2 + 2)
      if (!leaf) continue
      leaves.trees.push(tree)
      leaves.nodes.push(node)
      leaves.classes.push(0)
      leaves.weights.push((random() - 0.5) * 0.4)
    }
  }
  return {
    ir_version: 8,
    producer_name: 'nightshift-test',
    opset_import: [
      { domain: '', version: 17 },
      { domain: 'ai.onnx.ml', version: 3 },
    ],
    graph: {
      name: 'forest',
      input: [tensorValue('features', 'float32', ['batch', features])],
      output: [
        tensorValue('label', 'int64', ['batch']),
        tensorValue('probabilities', 'float32', ['batch', 2]),
      ],
      node: [
        {
          op_type: 'TreeEnsembleClassifier',
          domain: 'ai.onnx.ml',
          input: ['features'],
          output: ['label', 'probabilities'],
          attribute: [
            attribute.ints('nodes_treeids', nodes.trees),
            attribute.ints('nodes_nodeids', nodes.ids),
            attribute.ints('nodes_featureids', nodes.features),
            attribute.floats('nodes_values', nodes.values),
            attribute.strings('nodes_modes', nodes.modes),
            attribute.ints('nodes_truenodeids', nodes.trues),
            attribute.ints('nodes_falsenodeids', nodes.falses),
            attribute.ints('class_treeids', leaves.trees),
            attribute.ints('class_nodeids', leaves.nodes),
            attribute.ints('class_ids', leaves.classes),
            attribute.floats('class_weights', leaves.weights),
            attribute.ints('classlabels_int64s', [0, 1]),
            attribute.string('post_transform', 'LOGISTIC'),
          ],
        },
      ],
    },
  }
}

interface Shape {
  trees: number
  depth: number
  features: number
  seed?: number
}

interface Nodes {
  trees: number[]
  ids: number[]
  features: number[]
  values: number[]
  modes: string[]
  trues: number[]
  falses: number[]
}

interface Leaves {
  trees: number[]
  nodes: number[]
  classes: number[]
  weights: number[]
}

/** Mulberry32: the same numbers between 0 and 1 for the same seed. */
function generator(seed: number): () => number {
  let state = seed
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }
}
