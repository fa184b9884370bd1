import { describe, expect, it } from 'vitest'
import { didYouMean, nearestName } from '../../../src/project/files/nearest.ts'

describe('the nearest name', () => {
  it.each([
    ['acu', ['auc', 'brier'], 'auc'],
    ['Churn', ['churn', 'upsell'], 'churn'],
    ['customer_activty', ['customer_orders', 'customer_activity'], 'customer_activity'],
    ['banana', ['model', 'view', 'labels'], undefined],
    ['ab', ['xy'], undefined],
    ['churn', [], undefined],
    ['churn', ['churn'], undefined],
  ])('of %s among %j is %s', (name, names, near) => {
    expect(nearestName(name, names)).toBe(near)
  })

  it('is the tail of a message', () => {
    expect(didYouMean('chrun', ['churn'])).toBe('; did you mean churn?')
    expect(didYouMean('banana', ['churn'])).toBe('')
  })
})
