import { setTimeout as sleep } from 'node:timers/promises'
import { describe, expect, test, vi } from 'vitest'
import { Failure } from '../../../src/pipeline/engine/failure.ts'
import { ConfigurationError } from '../../../src/project/files/problem.ts'
import { hasRedis, type RedisServer, startRedis } from '../redis-server.ts'
import { type OnFinished, open, score } from './queue-case.ts'

describe.skipIf(!hasRedis).concurrent('a Redis', () => {
  async function begin(onTestFinished: OnFinished, ...settings: string[]): Promise<RedisServer> {
    const server = await startRedis(...settings)
    onTestFinished(() => server.remove())
    return server
  }
  const databaseUrl = 'postgresql://nobody@127.0.0.1:1/none'

  test('that may evict keys is refused, with its policy and the way to set it', async ({
    onTestFinished,
  }) => {
    const server = await begin(onTestFinished, '--maxmemory-policy', 'allkeys-lru')
    const opening = open({ redisUrl: server.url, databaseUrl }, onTestFinished)
    await expect(opening).rejects.toThrow(ConfigurationError)
    await expect(opening).rejects.toThrow(/got: allkeys-lru.*CONFIG SET maxmemory-policy noeviction/s)
  })

  test('whose CONFIG is forbidden is judged all the same', async ({ onTestFinished }) => {
    const server = await begin(
      onTestFinished,
      '--maxmemory-policy',
      'volatile-lru',
      '--rename-command',
      'CONFIG',
      '',
    )
    await expect(open({ redisUrl: server.url, databaseUrl }, onTestFinished)).rejects.toThrow(
      /got: volatile-lru/,
    )
  })

  test('without an append-only file is warned of, once', async ({ onTestFinished }) => {
    const server = await begin(onTestFinished, '--appendonly', 'no')
    const lines: string[] = []
    await open({ redisUrl: server.url, databaseUrl }, onTestFinished, lines)
    expect(lines).toHaveLength(1)
    expect(lines[0]).toMatch(/^warn Redis at 127.0.0.1:\d+ keeps no append-only file/)
  })

  test('that refuses the password is an error of the configuration, which does not show the password', async ({
    onTestFinished,
  }) => {
    const server = await begin(onTestFinished, '--requirepass', 'right')
    const redisUrl = `redis://:secret-wrong@127.0.0.1:${server.port}`
    const opening = open({ redisUrl, databaseUrl }, onTestFinished)
    await expect(opening).rejects.toThrow(ConfigurationError)
    await expect(opening).rejects.not.toThrow(/secret-wrong/)
    const misspelt = open({ redisUrl: 'http://:secret-wrong@host', databaseUrl }, onTestFinished)
    await expect(misspelt).rejects.toThrow(/expected redis:/)
    await expect(misspelt).rejects.not.toThrow(/secret-wrong/)
  })

  test('that is down when we start, and again later, stops nobody: adding says so, and work goes on', async ({
    onTestFinished,
  }) => {
    const server = await begin(onTestFinished)
    await server.kill()
    const lines: string[] = []
    const queues = await open({ redisUrl: server.url, databaseUrl }, onTestFinished, lines)
    const done: (string | undefined)[] = []
    await queues.work('scoring', { concurrency: 1, process: async (job) => done.push(job.id) })

    const addWhileDown = async (id: string) => {
      const from = performance.now()
      const failure = await queues.add('scoring', score(id)).catch((error: unknown) => error)
      expect(failure).toBeInstanceOf(Failure)
      expect(failure instanceof Failure && failure.failureClass).toBe('transient')
      expect(performance.now() - from).toBeLessThan(60_000)
    }
    await addWhileDown('r1-a1')
    await server.start()
    await vi.waitFor(async () => await queues.add('scoring', score('r2-a1')), 60_000)
    await vi.waitFor(() => expect(done).toContain('r2-a1'), 60_000)

    await server.kill()
    await sleep(1_000)
    await addWhileDown('r3-a1')
    await server.start()
    await vi.waitFor(async () => await queues.add('scoring', score('r4-a1')), 60_000)
    await vi.waitFor(() => expect(done).toContain('r4-a1'), 60_000)
    expect(lines.filter((line) => line.startsWith('warn'))).toHaveLength(2)
    expect(lines.filter((line) => line.startsWith('info'))).toHaveLength(2)
  })

  test('that is down lets us close at once', async ({ onTestFinished }) => {
    const server = await begin(onTestFinished)
    const queues = await open({ redisUrl: server.url, databaseUrl }, onTestFinished)
    await queues.work('scoring', { concurrency: 1, process: async () => {} })
    await queues.add('scoring', score('r1-a1'))
    await server.kill()
    const from = performance.now()
    await queues.close()
    expect(performance.now() - from).toBeLessThan(60_000)
  })
})
