import { type ChildProcess, spawn, spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Redis } from 'ioredis'

export interface RedisServer {
  url: string
  port: number
  /** kill -9, as an outage. */
  kill(): Promise<void>
  /** Keeps it from answering: connections stay. Only `kill` ends that. */
  stop(): void
  /** Starts it again on the same port, with the same files. */
  start(): Promise<void>
  flushAll(): Promise<void>
  remove(): Promise<void>
}

/**
 * Whether this machine has a Redis. Where it has none the tests that need it are skipped, and say so; in CI, which
 * has to have one, they fail.
 */
export const hasRedis = spawnSync('redis-server', ['--version']).status === 0 || process.env.CI === 'true'
if (!hasRedis) console.warn('skipped: everything on Redis, since there is no redis-server on this machine')

/** A Redis of its own: free port, own folder, append-only file unless the arguments say otherwise. */
export async function startRedis(...settings: string[]): Promise<RedisServer> {
  const folder = mkdtempSync(join(tmpdir(), 'nightshift-redis-'))
  const port = await freePort()
  const url = `redis://127.0.0.1:${port}`
  let server: ChildProcess | undefined
  const start = async () => {
    const own = ['--port', String(port), '--bind', '127.0.0.1', '--dir', folder, '--save', '']
    server = spawn('redis-server', [...own, '--appendonly', 'yes', ...settings], { stdio: 'ignore' })
    await ask(url, (client) => client.ping())
  }
  const kill = async () => {
    const ended = new Promise((resolve) => server?.once('exit', resolve))
    if (server?.kill('SIGKILL')) await ended
  }
  await start()
  return {
    url,
    port,
    kill,
    stop: () => {
      server?.kill('SIGSTOP')
    },
    start,
    flushAll: async () => {
      await ask(url, (client) => client.flushall())
    },
    remove: async () => {
      await kill()
      rmSync(folder, { recursive: true, force: true })
    },
  }
}

async function ask(url: string, question: (client: Redis) => Promise<unknown>): Promise<void> {
  const client = new Redis(url, { retryStrategy: () => 20, maxRetriesPerRequest: 500 })
  client.on('error', () => {})
  try {
    await question(client).catch((error: unknown) => {
      // A server that wants a password answers too.
      if (!(error instanceof Error && /NOAUTH/.test(error.message))) throw error
    })
  } finally {
    client.disconnect()
  }
}

async function freePort(): Promise<number> {
  return await new Promise((resolve, reject) => {
    const server = createServer()
    server.on('error', reject)
    server.listen(0, '127.0.0.1', () => {
      const address = server.address()
      const port = address !== null && typeof address === 'object' ? address.port : 0
      server.close(() => resolve(port))
    })
  })
}
