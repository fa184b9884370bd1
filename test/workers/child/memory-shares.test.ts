import { expect, test } from 'vitest'
import type { FailureRecord } from '../../../src/pipeline/engine/failure.ts'
import { type Amount, readAmount } from '../../../src/project/amount.ts'
import { ofShare, tookTooMuch } from '../../../src/workers/child/child-endings.ts'
import { type Granted, grantMemory, planMemory } from '../../../src/workers/child/memory-shares.ts'

const MACHINE = { bytes: 24e9, of: 'the machine' }

function amount(text: string): Amount {
  const read = readAmount(text)
  if (read === undefined) throw new Error(`no amount: ${text}`)
  return read
}

const FIVE = { memory: amount('5GB'), temp: amount('50GB') }
const plan = (places = 2, monitors = 1) => planMemory(MACHINE, { places, monitors }, FIVE)

test('the first task has all but half an even share of each other; the last has that half', () => {
  const { usable, even, total } = plan()
  expect([total, usable]).toEqual([5e9, 4.7e9])
  const night = grantMemory(plan(), [], 'place', false)
  expect(night).toBe(Math.floor(usable - even.place / 2 - even.check / 2 - even.shadow / 2))
  expect(night).toBeGreaterThan(0.6 * total)
  const check = grantMemory(plan(), [{ slot: 'place', bytes: night }], 'check', false)
  expect(check).toBe(Math.floor(even.check / 2))
})

test('scoring, which does not grow with the rows, leaves the rest to the check beside it', () => {
  const { even } = plan()
  const scoring = grantMemory(plan(), [], 'place', true)
  expect(scoring).toBe(Math.floor(even.place))
  const check = grantMemory(plan(), [{ slot: 'place', bytes: scoring }], 'check', false)
  expect(check).toBeGreaterThan(1.5 * even.check)
})

test.each([
  [2, 1],
  [6, 2],
])(
  'whatever starts and ends with %d places and %d checks, the shares come to no more than the whole',
  (places, monitors) => {
    const { usable, even, slots } = plan(places, monitors)
    const running: Granted[] = []
    let seed = 7
    const random = (below: number) => {
      seed = (seed * 16807) % 2147483647
      return seed % below
    }
    for (let step = 0; step < 2000; step++) {
      const slot = (['place', 'check', 'shadow'] as const)[random(3)] ?? 'place'
      if (random(2) === 0 || running.filter((each) => each.slot === slot).length >= slots[slot]) {
        if (running.length > 0) running.splice(random(running.length), 1)
        continue
      }
      const bytes = grantMemory(plan(places, monitors), running, slot, random(3) === 0)
      expect(bytes).toBeGreaterThanOrEqual(Math.floor(even[slot] / 2))
      running.push({ slot, bytes })
      expect(running.reduce((sum, each) => sum + each.bytes, 0)).toBeLessThanOrEqual(usable)
    }
  },
)

test('without settings, three quarters of the machine are divided, and of the disk what is free', () => {
  const { total, text, temp } = planMemory(MACHINE, { places: 2, monitors: 1 })
  expect([total, text]).toEqual([18e9, '75% of the machine'])
  expect(temp).toEqual({ bytes: undefined, share: 0.75 })
})

test('more than the machine has is not given out', () => {
  const settings = { memory: amount('100GB'), temp: amount('10%') }
  expect(planMemory(MACHINE, { places: 2, monitors: 1 }, settings).total).toBe(24e9)
})

test('who runs out of memory is told what it asked for, what it had, and which settings give more', () => {
  const own = { memory: 1.34e9, temp: { bytes: 9e9, share: undefined } }
  const failure: FailureRecord = {
    class: 'resource',
    message: 'could not allocate block of size 256.0 KiB (1.2 GiB/1.2 GiB used)',
    anchor: '#resource',
    evidence: { engine: 'Out of Memory' },
  }
  const { message, evidence } = ofShare(failure, 'features', own, plan())
  expect(message).toBe(
    'computing the features ran out of memory: could not allocate block of size 256.0 KiB (1.2 GiB/1.2 GiB used). Its share is 1.3 GB of the 5.0 GB that all tasks of this process may use (memory: 5GB). Raise memory or temp in nightshift.yaml, or start the worker with fewer --places',
  )
  expect(evidence).toMatchObject({ most: own.memory, total: 5e9 })
  const killed = tookTooMuch('scores', 3e9, own.memory, plan())
  expect([killed.failureClass, killed.message]).toEqual([
    'resource',
    expect.stringContaining('scoring took 3.0 GB of memory and was ended: its share is 1.3 GB of the 5.0 GB'),
  ])
  const other = { ...failure, evidence: { engine: 'Binder' } }
  expect(ofShare(other, 'features', own, plan())).toBe(other)
})
