import { expect, test } from 'vitest'
import { planGroups } from '../../../src/pipeline/shards/bucket-groups.ts'

const sizes = (...bytes: number[]) =>
  new Map(bytes.map((each, index) => [`b${String(index).padStart(3, '0')}`, each]))

test('buckets are cut into neighbours of about the same size, each in one group', () => {
  expect(planGroups(sizes(10, 10, 10, 10), 2, 1)).toEqual([
    { buckets: ['b000', 'b001'], bytes: 20 },
    { buckets: ['b002', 'b003'], bytes: 20 },
  ])
  expect(planGroups(sizes(30, 10, 10, 10), 2, 1)?.map(({ bytes }) => bytes)).toEqual([30, 30])
  // One bucket is as large as all others: it stands alone.
  expect(planGroups(sizes(1, 1, 100, 1, 1), 4, 1)?.map(({ bytes }) => bytes)).toHaveLength(4)
  expect(planGroups(sizes(0, 0, 0, 5), 3, 1)).toHaveLength(3)
})

test('few bytes, one bucket, or one shard leave the night whole', () => {
  expect(planGroups(sizes(10, 10, 10), 3, 16)).toBeUndefined()
  expect(planGroups(sizes(10, 10, 10), 3, 15)).toHaveLength(2)
  expect(planGroups(sizes(1000), 8, 1)).toBeUndefined()
  expect(planGroups(sizes(10, 10), 1, 1)).toBeUndefined()
  expect(planGroups(sizes(), 8, 1)).toBeUndefined()
})

test('whatever the sizes, every bucket is in one group, in order, and no group is empty', () => {
  let state = 7
  const random = () => {
    state = (state * 1_103_515_245 + 12_345) % 2 ** 31
    return state / 2 ** 31
  }
  for (let tries = 0; tries < 500; tries++) {
    const all = sizes(
      ...Array.from({ length: 1 + Math.floor(random() * 80) }, () => Math.floor(random() ** 4 * 1e6)),
    )
    const shards = 2 + Math.floor(random() * 63)
    const groups = planGroups(all, shards, 1)
    if (groups === undefined) continue
    expect(groups.flatMap(({ buckets }) => buckets)).toEqual([...all.keys()])
    expect(groups.every(({ buckets }) => buckets.length > 0)).toBe(true)
    const total = [...all.values()].reduce((sum, each) => sum + each, 0)
    expect(groups.reduce((sum, { bytes }) => sum + bytes, 0)).toBe(total)
    expect(groups).toHaveLength(Math.min(shards, all.size, total))
    // Within one bucket of the even share, but where buckets have to be left for later groups.
    const largest = Math.max(...all.values())
    if (all.size > 4 * shards)
      expect(Math.max(...groups.map(({ bytes }) => bytes))).toBeLessThanOrEqual(
        total / groups.length + 2 * largest,
      )
  }
})
