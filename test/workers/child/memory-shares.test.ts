import { expect, test } from 'vitest'
import type { FailureRecord } from '../../../src/pipeline/engine/failure.ts'
import { type Amount, readAmount } from '../../../src/project/amount.ts'
import { ofShare, tookTooMuch } from '../../../src/workers/child/child-endings.ts'
import { divideMemory } from '../../../src/workers/child/memory-shares.ts'

const MACHINE = { bytes: 24e9, of: 'the machine' }

function amount(text: string): Amount {
  const read = readAmount(text)
  if (read === undefined) throw new Error(`no amount: ${text}`)
  return read
}

test.each([
  [1, 1],
  [2, 1],
  [6, 2],
])('the shares of %d places and %d checks stay within the whole', (places, monitors) => {
  const settings = { memory: amount('5GB'), temp: amount('50GB') }
  const { total, place, shadow } = divideMemory(MACHINE, { places, monitors }, settings)
  expect(total).toBe(5e9)
  expect(place.memory).toBeGreaterThan(shadow.memory)
  expect((places + monitors) * place.memory + shadow.memory).toBeLessThan(total)
  expect(place.temp.bytes).toBe(50e9)
})

test('without settings, three quarters of the machine are divided, and of the disk what is free', () => {
  const { total, text, place } = divideMemory(MACHINE, { places: 2, monitors: 1 })
  expect([total, text]).toEqual([18e9, '75% of the machine'])
  expect(place.temp).toEqual({ bytes: undefined, share: 0.75 })
})

test('more than the machine has is not given out', () => {
  const settings = { memory: amount('100GB'), temp: amount('10%') }
  expect(divideMemory(MACHINE, { places: 2, monitors: 1 }, settings).total).toBe(24e9)
})

test('who runs out of memory is told what it asked for, what it had, and which settings give more', () => {
  const settings = { memory: amount('5GB'), temp: amount('9GB') }
  const shares = divideMemory(MACHINE, { places: 2, monitors: 1 }, settings)
  const failure: FailureRecord = {
    class: 'resource',
    message: 'could not allocate block of size 256.0 KiB (1.2 GiB/1.2 GiB used)',
    anchor: '#resource',
    evidence: { engine: 'Out of Memory' },
  }
  const { message, evidence } = ofShare(failure, 'features', shares.place, shares)
  expect(message).toBe(
    'computing the features ran out of memory: could not allocate block of size 256.0 KiB (1.2 GiB/1.2 GiB used). Its share is 1.3 GB of the 5.0 GB that all tasks of this process may use (memory: 5GB). Raise memory or temp in nightshift.yaml, or start the worker with fewer --places',
  )
  expect(evidence).toMatchObject({ most: shares.place.memory, total: 5e9 })
  const killed = tookTooMuch('scores', 3e9, shares.place.memory, shares)
  expect([killed.failureClass, killed.message]).toEqual([
    'resource',
    expect.stringContaining('scoring took 3.0 GB of memory and was ended: its share is 1.3 GB of the 5.0 GB'),
  ])
  const other = { ...failure, evidence: { engine: 'Binder' } }
  expect(ofShare(other, 'features', shares.place, shares)).toBe(other)
})
