import { expect, test } from 'vitest'
import { categoriesOf } from '../../src/charts/categories.ts'
import { binsOf } from '../../src/charts/histogram-bins.ts'
import { categoryProfile, normal, numberProfile } from './sample.ts'

const sum = (values: number[]) => values.reduce((total, value) => total + value, 0)

test('bins are of equal, round width and hold every finite value of both sides', () => {
  const reference = numberProfile('a', normal(2000, 40, 9, 1))
  const tonight = numberProfile('a', [...normal(300, 50, 9, 2), null, null, Number.NaN], {
    edges: reference.edges,
  })
  const bins = binsOf(reference, tonight)
  expect(new Set(bins.map(({ from, to }) => (to - from).toFixed(9))).size).toBe(1)
  expect(sum(bins.map((bin) => bin.reference))).toBeCloseTo(1, 9)
  expect(sum(bins.map((bin) => bin.tonight))).toBeCloseTo(300 / 303, 9)
  expect(bins.length).toBeLessThanOrEqual(24)
})

test('whole numbers have a bin each, with exactly their share', () => {
  const values = [0, 0, 0, 1, 1, 2, 5]
  const profile = numberProfile('calls', values, { type: 'INTEGER', edges: [0, 1, 2, 3, 5] })
  expect(binsOf(profile, profile).map(({ from, tonight }) => [from, Math.round(tonight * 7)])).toEqual([
    [0, 3],
    [1, 2],
    [2, 1],
    [3, 0],
    [4, 0],
    [5, 1],
  ])
})

test('a value far out goes into the last bin, and leaves the rest readable', () => {
  const profile = numberProfile('a', [...normal(2000, 10, 1, 3), 1e9])
  const bins = binsOf(profile, profile)
  expect(bins.at(-1)?.to).toBeLessThan(30)
  expect(sum(bins.map(({ tonight }) => tonight))).toBeCloseTo(1, 9)
})

test.each([1, 1.1, 0.3, -0.5, 200])('the axis of values up to %d ends there', (most) => {
  const values = Array.from({ length: 101 }, (_, index) => most - index / 100)
  const profile = numberProfile('score', values)
  const bins = binsOf(profile, profile)
  expect(bins.at(-1)?.to).toBeCloseTo(most, 9)
  expect(sum(bins.map(({ tonight }) => tonight))).toBeCloseTo(1, 9)
})

test('a constant is one bin, and nothing at all is none', () => {
  const constant = numberProfile('a', [7, 7, 7])
  expect(sum(binsOf(constant, constant).map(({ tonight }) => tonight))).toBeCloseTo(1, 9)
  const nothing = numberProfile('a', [null])
  expect(binsOf(nothing, nothing)).toEqual([])
})

test('categories are the eight that matter most, then the rest, the unseen and nulls', () => {
  const values = Object.fromEntries(Array.from({ length: 12 }, (_, index) => [`v${index}`, 12 - index]))
  const reference = categoryProfile('plan', values)
  const tonight = categoryProfile('plan', { ...values, v0: 0, v11: 50 }, { nulls: 4, unseen: { trial: 9 } })
  const categories = categoriesOf(reference, tonight)
  expect(categories.map(({ name }) => name)).toEqual([
    'v11',
    'v0',
    'v1',
    'v2',
    'v3',
    'v4',
    'v5',
    'v6',
    '4 others',
    'unseen: trial',
    'null',
  ])
  expect(sum(categories.map((category) => category.reference))).toBeCloseTo(1, 9)
  expect(sum(categories.map((category) => category.tonight))).toBeCloseTo(1, 9)
})
