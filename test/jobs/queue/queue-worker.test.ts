import { setTimeout as sleep } from 'node:timers/promises'
import { expect, test } from 'vitest'
import type { Engine } from '../../../src/jobs/queue/queue-engine.ts'
import { startWork } from '../../../src/jobs/queue/queue-worker.ts'
import { openPostgresEngine } from '../../../src/jobs/queue/queues-postgres.ts'
import { freshDatabase } from '../../database/fresh.ts'

/** An engine whose workers get a job later than the server has given it to them. */
function late(engine: Engine, onTaken: () => void, delivered: Promise<void>): Engine {
  return {
    ...engine,
    openWorker(...given) {
      const worker = engine.openWorker(...given)
      const take: (...of: unknown[]) => Promise<unknown> = Reflect.get(worker, 'moveToActive').bind(worker)
      Reflect.set(worker, 'moveToActive', async (...of: unknown[]) => {
        const job = await take(...of)
        if (job === undefined || job === null) return job
        onTaken()
        await delivered
        return job
      })
      return worker
    },
  }
}

test('a job that was on its way when its worker was closed is waited for like those that run', async () => {
  const fresh = await freshDatabase()
  const engine = await openPostgresEngine(fresh.url, 'nightshift_queues', () => {})
  const [taken, delivered, begun, end] = [gate(), gate(), gate(), gate()]
  const queue = engine.openQueue('late')
  let hasEnded = false
  try {
    const handle = startWork(late(engine, taken.open, delivered.promise), 'late', {
      concurrency: 1,
      process: async () => {
        begun.open()
        await end.promise
        hasEnded = true
      },
    })
    await queue.add('job', {})
    await taken.promise
    let isClosed = false
    const closed = handle.close(300_000).then(() => {
      isClosed = true
    })
    delivered.open()
    await begun.promise
    // Longer than a job that has ended is given to say so.
    await sleep(1_500)
    expect(isClosed).toBe(false)
    end.open()
    await closed
    expect(hasEnded).toBe(true)
  } finally {
    end.open()
    await queue.close()
    await engine.close()
    await fresh.drop()
  }
})

function gate(): { promise: Promise<void>; open: () => void } {
  let open = () => {}
  const promise = new Promise<void>((resolve) => {
    open = resolve
  })
  return { promise, open: () => open() }
}
