import { describe, expect, it } from 'vitest'
import { label, matrix, output, plan, probability } from './mapping-case.ts'

describe('planMapping: output', () => {
  it.each([
    [
      'class 1 of two',
      [label, probability],
      {},
      { name: 'probabilities', class: 1, label: 1, choice: 'inferred' },
    ],
    [
      'class 1 of two with its label',
      [output('p', 'float32', ['n', 2], ['no', 'yes'])],
      {},
      { name: 'p', class: 1, label: 'yes' },
    ],
    [
      'the class that says yes, wherever it stands',
      [output('p', 'float32', ['n', 2], ['YES', 'No'])],
      {},
      { name: 'p', class: 0, label: 'YES' },
    ],
    ['true', [output('p', 'float32', ['n', null], ['True', 'False'])], {}, { class: 0, label: 'True' }],
    ['a 1 that is a text', [output('p', 'float32', ['n', 2], ['1', '0'])], {}, { class: 0, label: '1' }],
    [
      'the class that is named by its label',
      [output('p', 'float32', ['n', 2], ['Attrited', 'Existing'])],
      { class: 'Attrited' },
      { class: 0, label: 'Attrited', choice: 'declared' },
    ],
    [
      'a label in another letter case',
      [output('p', 'float32', ['n', 2], ['False', 'Maybe'])],
      { class: 'false' },
      { class: 0 },
    ],
    ['an index of named classes', [output('p', 'float32', ['n', 2], ['x', 'y'])], { class: 1 }, { class: 1 }],
    [
      'a number that is a label alone',
      [output('p', 'float32', ['n', 2], [1, 2])],
      { class: 2 },
      { class: 1, label: 2 },
    ],
    [
      'a number as a text for its label',
      [output('p', 'float32', ['n', 2], [1, 2])],
      { class: '1' },
      { class: 0, label: 1 },
    ],
    ['a regression of one column', [output('y', 'float32', ['n', 1])], {}, { name: 'y', class: null }],
    ['a regression of a plain vector', [output('y', 'float64', ['n'])], {}, { name: 'y', class: null }],
    [
      'the probabilities among several',
      [output('margin', 'float32', ['n', 2]), probability],
      {},
      { name: 'probabilities', class: 1 },
    ],
    ['the class that is named', [output('p', 'float32', ['n', 3])], { class: 2 }, { class: 2 }],
    [
      'the output and class that are named',
      [output('u', 'float32', ['n', 2]), output('v', 'float32', ['n', 2])],
      { output: 'u', class: 0 },
      { name: 'u', class: 0 },
    ],
    ['a named class of an open shape', [output('p', 'float32', null)], { class: 0 }, { class: 0 }],
  ])('takes %s', (_, outputs, onnx, expected) => {
    expect(plan([matrix], outputs, { onnx }).output).toMatchObject(expected)
  })

  it.each([
    [
      'labels alone',
      [label],
      {},
      'the model gives no score, only: label (int64 [n]). A label alone has no threshold and no drift: export the model with its probabilities',
    ],
    [
      'several candidates',
      [output('u', 'float32', ['n', 2]), output('v w', 'float32', ['n'])],
      {},
      'several outputs could be the score: u (float32 [n, 2]), v w (float32 [n]). Write one in model.yaml: onnx: { output: u } or onnx: { output: "v w" }',
    ],
    [
      'three classes',
      [output('p', 'float32', ['n', 3], ['a', 'b', 'c'])],
      {},
      'output p (float32 [n, 3]) has 3 classes: a, b, c. These names do not say which is the score: write in model.yaml the one whose probability it is: onnx: { output: p, class: a } or onnx: { output: p, class: b } or onnx: { output: p, class: c }',
    ],
    [
      'two classes whose names leave a doubt',
      [output('p', 'float32', ['n', 2], ['Attrited Customer', 'Existing'])],
      {},
      'write in model.yaml the one whose probability it is: onnx: { output: p, class: Attrited Customer } or onnx: { output: p, class: Existing }',
    ],
    [
      'the labels 1 and 2',
      [output('p', 'float32', ['n', 2], [1, 2])],
      {},
      'has 2 classes: 1, 2. These names do not say which is the score: write in model.yaml the one whose probability it is: onnx: { output: p, class: "1" } or onnx: { output: p, class: "2" }',
    ],
    [
      'the labels -1 and 1',
      [output('p', 'float32', ['n', 2], [-1, 1])],
      {},
      'onnx: { output: p, class: "-1" } or onnx: { output: p, class: 1 }',
    ],
    [
      'labels of which only one is plain',
      [output('p', 'float32', ['n', 2], ['no', '1'])],
      {},
      'onnx: { output: p, class: "no" } or onnx: { output: p, class: "1" }',
    ],
    [
      'two columns without labels',
      [output('p', 'float32', ['n', 2])],
      {},
      'has 2 classes, and the file does not say which is which: write in model.yaml the index of the one whose probability is the score: onnx: { output: p, class: 0 } or onnx: { output: p, class: 1 }',
    ],
    [
      'labels of another number of columns',
      [output('p', 'float32', ['n', 3], [0, 1])],
      {},
      'output p (float32 [n, 3]) has 3 classes, and the file does not say which is which',
    ],
    [
      'a number that is one class by index and another by label',
      [output('p', 'float32', ['n', 2], [1, 2])],
      { class: 1 },
      'onnx.class: output p (float32 [n, 2]): 1 is the index of class 2 and the label of another: write the label as a text, class: "2" or class: "1"',
    ],
    [
      'an unknown class',
      [output('p', 'float32', ['n', 2], ['Attrited', 'Existing'])],
      { class: 'Existng' },
      'expected one of the classes Attrited, Existing, got: "Existng" (did you mean Existing?)',
    ],
    [
      'a label where the file names none',
      [output('p', 'float32', ['n', 2])],
      { class: 'yes' },
      'the file does not name its classes: expected an index from 0 to 1, got: "yes"',
    ],
    [
      'an open width',
      [output('p', 'float32', ['n', null])],
      {},
      'output p (float32 [n, ?]) does not say how many values a row it gives: write in model.yaml onnx: { output: p, class: 1 }, or class: 0 for the only one',
    ],
    [
      'an unknown output',
      [label, probability],
      { output: 'probabilties' },
      'onnx.output: the model has no output probabilties (did you mean probabilities?); it has: label (int64 [n]), probabilities (float32 [n, 2])',
    ],
    [
      'a named label',
      [label, probability],
      { output: 'label' },
      'onnx.output: label (int64 [n]) is no score, expected float32 or float64, such as: probabilities (float32 [n, 2])',
    ],
    [
      'a class out of range',
      [probability],
      { class: 2 },
      'onnx.class: output probabilities (float32 [n, 2]): expected one of the classes 0, 1, by label or index, got: 2',
    ],
    [
      'a class of a single value',
      [output('y', 'float32', ['n', 1])],
      { class: 1 },
      'onnx.class: output y (float32 [n, 1]) has one value a row, got: 1. Leave `class` out',
    ],
    [
      'three dimensions',
      [output('p', 'float32', ['n', 2, 2])],
      {},
      'output p (float32 [n, 2, 2]) has more than two dimensions, expected [n], [n, 1] or [n, classes]',
    ],
  ])('refuses %s', (_, outputs, onnx, message) => {
    expect(() => plan([matrix], outputs, { onnx })).toThrow(message)
  })

  it('warns where a probability has no bounds', () => {
    const unbounded = plan([matrix], [probability], {
      score: { column: 'p', min: 0, max: undefined, threshold: undefined },
    })
    expect(unbounded.warnings).toEqual([
      'the score is the probability of a class, but model.yaml does not limit it: write score: { min: 0, max: 1 }',
    ])
  })

  it('plans plain data: the same after a trip through JSON', () => {
    const mapping = plan([matrix], [label, probability])
    expect(JSON.parse(JSON.stringify(mapping))).toEqual(mapping)
  })
})
