import { FlowProducer, Queue } from 'bullmq'
import { Redis } from 'ioredis'
import { ConfigurationError } from '../../project/files/problem.ts'
import { followOutage } from './outage.ts'
import { PacedWorker } from './paced-worker.ts'
import type { Engine, Log } from './queue-engine.ts'
import { within } from './within.ts'

/** How long to wait at the start for an unavailable Redis; afterwards it is used as soon as it is available. */
const START_WITHIN_MS = 2_000

/**
 * BullMQ on Redis or Valkey. A Redis that may evict keys is refused: it would drop jobs, or parts of jobs, without an
 * error.
 *
 * @throws ConfigurationError if the URL, the password or the eviction policy is wrong.
 */
export async function openRedisEngine(url: string, prefix: string, log: Log): Promise<Engine> {
  const where = describe(url)
  const outage = followOutage(`Redis at ${where}`, log)
  // A producer fails at once while Redis is unavailable; a worker waits for it.
  const producer = connect(url, { enableOfflineQueue: false, maxRetriesPerRequest: 1 })
  const consumers = new Set<Redis>()
  const usable = new Promise<void>((resolve, reject) => {
    let warned = false
    producer.on('error', (error) => {
      outage.failed(error)
      const refused = refusal(error, where)
      if (refused !== undefined) reject(refused)
    })
    producer.on('ready', () => {
      outage.over()
      inspect(producer, where).then(
        (warning) => {
          if (warning !== undefined && !warned) log('warn', warning)
          warned = true
          resolve()
        },
        (error: unknown) => {
          if (!(error instanceof ConfigurationError)) return // unavailable again: the next 'ready' event checks again
          log('error', error.message)
          reject(error)
        },
      )
    })
  })
  usable.catch(() => {})
  const complain = (error: Error) => {
    if (error instanceof ConfigurationError) return // reported when it was found
    outage.failed(error)
  }
  const close = async () => {
    for (const client of [producer, ...consumers]) client.disconnect()
  }
  try {
    await within(START_WITHIN_MS, usable)
  } catch (error) {
    if (error instanceof ConfigurationError) {
      await close()
      throw error
    }
  }
  return {
    backend: 'redis',
    openQueue: (name) => new Queue(name, { connection: producer, prefix }),
    openFlows: () => new FlowProducer({ connection: producer, prefix }),
    openWorker(name, process, settings) {
      const connection = connect(url, { maxRetriesPerRequest: null })
      connection.on('error', complain)
      consumers.add(connection)
      const worker = new PacedWorker(name, process, { connection, prefix, autorun: false, ...settings })
      worker.on('closed', () => {
        connection.disconnect()
        consumers.delete(connection)
      })
      return worker
    },
    usable: () => usable,
    complain,
    trouble: () => outage.error(),
    close,
  }
}

function connect(
  url: string,
  options: { enableOfflineQueue?: boolean; maxRetriesPerRequest: number | null },
): Redis {
  return new Redis(url, {
    connectTimeout: 5_000,
    keepAlive: 10_000,
    retryStrategy: (times: number) => Math.min(times * 200, 2_000),
    ...options,
  })
}

/** Uses INFO, which managed services allow even if they forbid CONFIG. Returns a warning, if there is one. */
async function inspect(redis: Redis, where: string): Promise<string | undefined> {
  const memory = await redis.info('memory')
  const policy = /^maxmemory_policy:(\S+)/m.exec(memory)?.[1]
  if (policy !== undefined && policy !== 'noeviction') {
    throw new ConfigurationError(
      `REDIS_URL: expected the maxmemory-policy of Redis at ${where} to be noeviction, got: ${policy}; it would ` +
        'drop jobs when memory runs out. Run "CONFIG SET maxmemory-policy noeviction" and put the line ' +
        '"maxmemory-policy noeviction" into redis.conf (a managed Redis has it among its parameters)',
    )
  }
  const persistence = await redis.info('persistence')
  const warnings: string[] = []
  if (policy === undefined)
    warnings.push('does not report its maxmemory-policy: make sure that it is noeviction')
  if (/^aof_enabled:0/m.test(persistence)) {
    warnings.push(
      'keeps no append-only file: waiting jobs are lost when it is killed, and are enqueued again from the ledger ' +
        'when the scheduler next wakes up ("appendonly yes" in redis.conf avoids that)',
    )
  }
  return warnings.length === 0 ? undefined : `Redis at ${where} ${warnings.join('; and ')}`
}

/** Errors that do not resolve by waiting. */
function refusal(error: Error, where: string): ConfigurationError | undefined {
  if (!/NOAUTH|WRONGPASS|invalid (username|password)|ERR AUTH/i.test(error.message)) return undefined
  return new ConfigurationError(
    `REDIS_URL: Redis at ${where} refuses the connection: ${error.message}; check user and password`,
    { cause: error },
  )
}

/** `host:port/db`, without the password. */
function describe(url: string): string {
  let parsed: URL
  try {
    parsed = new URL(url)
  } catch {
    throw malformed('something that is not a URL')
  }
  if (parsed.protocol !== 'redis:' && parsed.protocol !== 'rediss:') {
    throw malformed(`a URL that starts with ${parsed.protocol}`)
  }
  const database = parsed.pathname.length > 1 ? parsed.pathname : ''
  return `${parsed.hostname || 'localhost'}:${parsed.port || '6379'}${database}`
}

function malformed(got: string): ConfigurationError {
  return new ConfigurationError(
    `REDIS_URL: expected redis://user:password@host:6379/0 or rediss://..., got: ${got} (not shown: it may hold a password)`,
  )
}
