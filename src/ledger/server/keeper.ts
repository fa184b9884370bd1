/**
 * The keeper: a small process in its own session, started by a process that opens the embedded database and finds
 * neither a server nor a keeper. It starts the server, which outlives it, and stops it some seconds after the last
 * user is gone, however that user ended. A killed keeper is replaced by the next command, and its successor adopts
 * the running server.
 *
 * Arguments: cluster, postgres, idleMs, and uid and gid if it runs as another user. Exit 0: the server was stopped,
 * or another keeper has it. Exit 1: the server could not be started; the reason is in `server.log`.
 */
import { type ChildProcess, spawn } from 'node:child_process'
import { createServer } from 'node:net'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { KEEPER_LOCK, USERS_LOCK } from '../connection/advisory.ts'
import type { Session } from '../connection/session-connection.ts'
import { clearForeign, isAlive, readPostmaster } from './postmaster.ts'
import { withServerLog } from './server-log.ts'
import { serverArguments, serverEnvironment } from './server-settings.ts'

interface Order {
  cluster: string
  /** The program. */
  postgres: string
  user: { uid: number; gid: number } | undefined
  /** Milliseconds that the server keeps running without users. */
  idleMs: number
}

/** Leftovers of a killed server (backends with running queries) may hold its memory for a while. */
const START_WITHIN = 30_000

async function keep(order: Order): Promise<void> {
  const data = join(order.cluster, 'data')
  const server = await startOrFind(order, data)
  if (server === undefined) throw new Error(`the server in ${data} did not start`)
  const session = await connectPatiently(order.cluster, server.pid)
  if (session === undefined) return
  try {
    const { rows } = await session.client.query(`select pg_try_advisory_lock(${KEEPER_LOCK}) as mine`)
    if (rows[0]?.mine === true) await watch(session, server, order.idleMs)
  } finally {
    await session.client.end().catch(() => {})
  }
}

interface Server {
  pid: number
  /** Resolves when it has ended. */
  ended(): Promise<unknown>
}

/** The server, started here or by another process; undefined: it does not start. */
async function startOrFind(order: Order, data: string): Promise<Server | undefined> {
  const until = Date.now() + START_WITHIN
  let port = preferredPort(data)
  for (let round = 0; Date.now() < until && round < 20; round++) {
    const found = readPostmaster(data)
    if (found.state === 'running') return adopted(found.pid, data)
    if (found.state === 'foreign') clearForeign(data, found.pid)
    if (round > 0) await sleep(Math.min(100 * round, 2_000))
    if (!(await isFree(port))) port = await freePort()
    const child = startServer(order, data, port)
    const exited = new Promise((resolve) => child.once('exit', resolve))
    const pid = await claimed(child, data)
    // We wait for our own child so that it is reaped: in a container no other process may do so.
    if (pid !== undefined) return pid === child.pid ? { pid, ended: () => exited } : adopted(pid, data)
  }
  return undefined
}

function adopted(pid: number, data: string): Server {
  return {
    pid,
    async ended() {
      while (readPostmaster(data).state === 'running') await sleep(20)
    },
  }
}

function startServer(order: Order, data: string, port: number): ChildProcess {
  const child = withServerLog(order.cluster, order.user, (log) =>
    spawn(order.postgres, serverArguments(data, port), {
      ...order.user,
      cwd: '/',
      env: serverEnvironment(),
      detached: true,
      stdio: ['ignore', log, log],
    }),
  )
  child.on('error', (error) => process.stderr.write(`${order.postgres}: ${error.message}\n`))
  return child
}

/** Waits until the child, or a faster server, has its `postmaster.pid`; undefined if the child ended. */
async function claimed(child: ChildProcess, data: string): Promise<number | undefined> {
  while (child.pid !== undefined && child.exitCode === null && child.signalCode === null) {
    const found = readPostmaster(data)
    if (found.state === 'running') return found.pid
    await sleep(5)
  }
  return undefined
}

/** Connects as soon as the server accepts connections; undefined if it ended meanwhile. Recovery may take its time. */
async function connectPatiently(cluster: string, pid: number): Promise<Session | undefined> {
  while (isAlive(pid)) {
    const found = readPostmaster(join(cluster, 'data'))
    if (found.state !== 'running') return undefined
    if (found.ready) {
      // Loaded here, since the server starts meanwhile.
      const { connect } = await import('../connection/session-connection.ts')
      const session = await connect(cluster, found.port, 'nightshift keeper').catch(() => undefined)
      if (session !== undefined) return session
    }
    await sleep(20)
  }
  return undefined
}

/**
 * Counts the users, and stops the server after `idleMs` without any. A user is any connection but ours. While the
 * server is being stopped we hold the users' lock: a command that arrives at that moment waits for it, is
 * disconnected when the server ends, and starts over.
 */
async function watch(session: Session, server: Server, idleMs: number): Promise<void> {
  let gone: Error | undefined
  session.client.on('error', (error) => {
    gone = error
  })
  const { client } = session
  let seen = ''
  let idleSince = Date.now()
  while (gone === undefined) {
    // Sessions that came and went between two checks count too.
    const { rows } = await client.query<{ users: number; sessions: string }>(COUNT_USERS)
    const now = rows[0]
    if (now === undefined || now.users > 0 || now.sessions !== seen) idleSince = Date.now()
    seen = now?.sessions ?? ''
    if (Date.now() - idleSince >= idleMs && (await stop(session, server))) return
    await sleep(Math.min(500, idleMs / 4))
  }
}

const COUNT_USERS = `
  select
    (select count(*)::int from pg_stat_activity
      where backend_type = 'client backend' and pid <> pg_backend_pid()) as users,
    (select sum(sessions)::text from pg_stat_database) as sessions`

async function stop({ client }: Session, server: Server): Promise<boolean> {
  const { rows } = await client.query(`select pg_try_advisory_lock(${USERS_LOCK}) as alone`)
  if (rows[0]?.alone !== true) return false
  const { rows: users } = await client.query<{ users: number }>(COUNT_USERS)
  if (users[0]?.users !== 0) {
    await client.query(`select pg_advisory_unlock(${USERS_LOCK})`)
    return false
  }
  process.kill(server.pid, 'SIGINT') // fast: open transactions are rolled back
  await Promise.race([server.ended(), sleep(30_000, undefined, { ref: false })])
  return true
}

/**
 * The same port for the same cluster if it is free, so that clients that outlive a crash of the server find it again.
 * Below the range that systems use for outgoing connections.
 */
function preferredPort(data: string): number {
  let hash = 0
  for (const letter of data) hash = (hash * 31 + letter.charCodeAt(0)) % 15_000
  return 16_000 + hash
}

async function isFree(port: number): Promise<boolean> {
  return (await listen(port)) !== undefined
}

async function freePort(): Promise<number> {
  const port = await listen(0)
  if (port === undefined) throw new Error('no free port on 127.0.0.1')
  return port
}

async function listen(port: number): Promise<number | undefined> {
  return await new Promise((resolve) => {
    const server = createServer()
    server.on('error', () => resolve(undefined))
    server.listen(port, '127.0.0.1', () => {
      const address = server.address()
      server.close(() => resolve(address !== null && typeof address === 'object' ? address.port : undefined))
    })
  })
}

const [, , cluster, postgres, idleMs, uid, gid] = process.argv
if (cluster !== undefined && postgres !== undefined) {
  const user = uid === undefined ? undefined : { uid: Number(uid), gid: Number(gid) }
  keep({ cluster, postgres, user, idleMs: Number(idleMs) }).catch((error: unknown) => {
    process.stderr.write(`keeper: ${error instanceof Error ? error.message : String(error)}\n`)
    process.exitCode = 1
  })
}
