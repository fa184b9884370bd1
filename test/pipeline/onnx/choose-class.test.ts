import { describe, expect, it } from 'vitest'
import { classDoubt, type PlannedOutput, scoreTitle } from '../../../src/pipeline/onnx/score-output.ts'

const output = (given: Partial<PlannedOutput>): PlannedOutput => ({
  name: 'p',
  type: 'float32',
  shape: ['n', 2],
  classes: null,
  class: 1,
  label: null,
  ...given,
})
const named = { classes: ['Attrited', 'Existing'], label: 'Existing' }

describe('scoreTitle', () => {
  it.each([
    [named, 'p, class Existing'],
    [{ classes: [0, 1], label: 1 }, 'p, class 1'],
    [{}, 'p, class at index 1'],
    [{ class: null }, 'p'],
    [{ classes: ['a', ' '], label: ' ' }, 'p, class " "'],
  ])('%j is %s', (given, expected) => expect(scoreTitle(output(given))).toBe(expected))
})

describe('classDoubt', () => {
  it('names a version of an earlier build whose labels do not say which class the score is', () => {
    expect(classDoubt(output(named), { class: undefined })).toBe(
      'its score is p, class Existing, which was chosen by default (its classes are Attrited, Existing). ' +
        'If it is correct, write it in model.yaml: onnx: { class: Existing }; if not, write the other class and register the file again',
    )
    expect(classDoubt(output({}), { class: undefined })).toContain('the file does not name its classes')
  })

  it('names a version of an earlier build that took the second of yes and no', () => {
    const doubt = classDoubt(output({ classes: ['yes', 'no'], label: 'no' }), { class: undefined })
    expect(doubt).toContain('its score is p, class no')
  })

  it('is content with plain labels, one value a row, a choice on record, and a model.yaml that says the same', () => {
    expect(classDoubt(output({ classes: [0, 1], label: 1 }), { class: undefined })).toBeUndefined()
    expect(classDoubt(output({ class: null }), { class: undefined })).toBeUndefined()
    expect(classDoubt(output({ ...named, choice: 'declared' }), { class: undefined })).toBeUndefined()
    expect(classDoubt(output(named), { class: 'Existing' })).toBeUndefined()
    expect(classDoubt(output(named), { class: 1 })).toBeUndefined()
  })

  it('says that model.yaml names another class than the version publishes', () => {
    expect(classDoubt(output({ ...named, choice: 'declared' }), { class: 'Attrited' })).toContain(
      'its score is p, class Existing, and model.yaml names class "Attrited" now',
    )
  })
})
