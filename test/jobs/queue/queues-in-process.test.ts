import { expect, test } from 'vitest'
import { openInProcessQueues } from '../../../src/jobs/queue/queues-in-process.ts'

const job = (id: string) => ({ id, title: id, data: { id } })

test('jobs run in order, as many at once as the worker takes, and what they add is waited for too', async () => {
  const queues = openInProcessQueues()
  const begun: unknown[] = []
  let most = 0
  let active = 0
  await queues.add('monitor', job('early'))
  expect(await queues.has('monitor', 'early')).toBe(true)
  expect(await queues.ids('monitor')).toEqual(new Set(['early']))
  expect(await queues.ids('parity')).toEqual(new Set())
  await queues.work('monitor', {
    concurrency: 2,
    process: async ({ data }) => {
      begun.push(data.id)
      most = Math.max(most, ++active)
      await new Promise((resolve) => setImmediate(resolve))
      if (data.id === 'early') await queues.add('monitor', job('late'))
      active--
    },
  })
  for (const id of ['a', 'b', 'a', 'c']) await queues.add('monitor', job(id))
  expect(await queues.idle()).toBe(5)
  expect(begun).toEqual(['early', 'a', 'b', 'c', 'late'])
  expect(most).toBe(2)
  expect(await queues.has('monitor', 'early')).toBe(false)
  expect(await queues.idle()).toBe(0)
  await queues.close()
})

test('a job that fails may be added again; one that keeps failing is an error', async () => {
  const queues = openInProcessQueues()
  let runs = 0
  await queues.work('parity', {
    concurrency: 1,
    process: async () => {
      runs++
      throw new Error('the disk is gone')
    },
  })
  for (let tries = 1; tries < 5; tries++) {
    await queues.add('parity', job('x'))
    expect(await queues.idle()).toBe(1)
  }
  await queues.add('parity', job('x'))
  await expect(queues.idle()).rejects.toThrow('the disk is gone')
  expect(runs).toBe(5)
  await queues.close()
})

test('the last job of a flow runs when all others have ended, well or not', async () => {
  const queues = openInProcessQueues()
  const begun: unknown[] = []
  await queues.work('scoring', {
    concurrency: 2,
    process: async ({ data }) => {
      begun.push(data.id)
      if (data.id === 'b') throw new Error('this one fails')
    },
  })
  await queues.addFlow('scoring', job('last'), ['a', 'b', 'c'].map(job))
  expect(await queues.idle()).toBe(4)
  expect(begun).toEqual(['a', 'b', 'c', 'last'])
  await queues.close()
})
