import { spawn } from 'node:child_process'
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { ownProgram } from '../../program/own-files.ts'
import { ConfigurationError } from '../../project/files/problem.ts'
import { isHeld, KEEPER_LOCK, USERS_LOCK } from '../connection/advisory.ts'
import { connect, type Session } from '../connection/session-connection.ts'
import { ensureCluster, sweepUnfinished } from './cluster.ts'
import { readPostmaster } from './postmaster.ts'
import { findPrograms, type Programs } from './programs.ts'
import { serverLogFile, withServerLog } from './server-log.ts'
import { chooseLocation, type ServerLocation } from './server-place.ts'
import { serverEnvironment } from './server-settings.ts'

/** The embedded server, kept running until `close` or until this process ends. */
export interface EmbeddedServer {
  url: string
  location: ServerLocation
  close(): Promise<void>
}

export interface EmbeddedOptions {
  /** The project's folder. */
  root: string
  /** Name of our connections in pg_stat_activity. */
  name: string
  /** Milliseconds that the server keeps running without users; passed to the keeper that this call may start. */
  idleMs: number
}

/** Maximum time without a sign of life from the server. Crash recovery may take as long as it needs. */
const PATIENCE = 60_000
const KEEPER_STARTS = 5
/** Errors of a server that is missing, starting, stopping or ending during the connection: try again. */
const PASSING = new Set(['ECONNREFUSED', 'ECONNRESET', 'EPIPE', '57P01', '57P02', '57P03', '53300', '55P03'])

/** Starts the server if none is running (first time 1 s, later 0.2 s) and keeps it running. */
export async function openEmbedded(options: EmbeddedOptions): Promise<EmbeddedServer> {
  const location = chooseLocation(options.root)
  const programs = await findPrograms(location.programs, location.folder)
  let held = await hold(location, programs, options)
  const url = held.url
  let closed = false
  const keepHeld = (session: Session) => {
    session.client.on('end', async () => {
      // The server was killed. Long-running processes (worker, scheduler, web) restart it on the same port.
      for (let pause = 100; !closed && existsSync(options.root); pause = Math.min(pause * 2, 5_000)) {
        try {
          held = await hold(location, programs, options)
          if (closed) await held.client.end()
          else keepHeld(held)
          return
        } catch {
          await sleep(pause, undefined, { ref: false })
        }
      }
    })
  }
  keepHeld(held)
  return {
    url,
    location,
    async close() {
      closed = true
      await held.client.end().catch(() => {})
    },
  }
}

/** A session that holds the users' lock, on a server that has a keeper. */
async function hold(
  location: ServerLocation,
  programs: Programs,
  options: EmbeddedOptions,
): Promise<Session> {
  let until = Date.now() + PATIENCE
  let keeper: Keeper | undefined
  let starts = 0
  while (Date.now() < until) {
    // Creating it may take minutes on a slow disk: the time limit starts when it exists.
    if (await ensureCluster(location, programs)) until = Date.now() + PATIENCE
    const found = readPostmaster(location.data)
    if (found.state === 'running') {
      if (!found.ready) until = Date.now() + PATIENCE
      const session = found.ready ? await tryToHold(location, found.port, options.name) : undefined
      if (session !== undefined) {
        // A keeper that we started may not have taken its lock yet.
        if (!session.kept && keeper?.ended() !== false) startKeeper(location, programs, options)
        return session
      }
    } else if (keeper === undefined || keeper.ended()) {
      if (starts++ >= KEEPER_STARTS) throw new Error(startFailure(location))
      checkVersion(location, programs)
      keeper = startKeeper(location, programs, options)
      await sweepUnfinished(location)
    }
    await sleep(10)
  }
  throw new Error(startFailure(location))
}

async function tryToHold(
  location: ServerLocation,
  port: number,
  name: string,
): Promise<(Session & { kept: boolean }) | undefined> {
  let session: Session | undefined
  try {
    session = await connect(location.cluster, port, `${name} (holds the server)`)
    // The keeper holds this lock briefly when it checks for users, and until the end if there are none.
    await session.client.query(`select pg_advisory_lock_shared(${USERS_LOCK})`)
    const { rows } = await session.client.query<{ kept: boolean }>(`select ${isHeld(KEEPER_LOCK)} as kept`)
    const kept = rows[0]?.kept === true
    session.socket.unref()
    return { ...session, kept }
  } catch (error) {
    await session?.client.end().catch(() => {})
    if (error instanceof Error && 'code' in error && PASSING.has(String(error.code))) return undefined
    if (error instanceof Error && /Connection terminated|timeout/.test(error.message)) return undefined
    throw error
  }
}

interface Keeper {
  ended(): boolean
}

function startKeeper(location: ServerLocation, programs: Programs, options: EmbeddedOptions): Keeper {
  const user = location.user === undefined ? [] : [location.user.uid, location.user.gid]
  const program = ownProgram('ledger/server/keeper.js')
  const settings = [options.idleMs, ...user].map(String)
  // No inherited output; otherwise `$(nightshift ...)` would wait for the server to end.
  const child = withServerLog(location.cluster, location.user, (log) =>
    spawn(process.execPath, [program, location.cluster, programs.postgres, ...settings], {
      cwd: '/',
      env: serverEnvironment(),
      detached: true,
      stdio: ['ignore', log, log],
    }),
  )
  let failed = false
  child.on('error', () => {
    failed = true
  })
  child.unref()
  return { ended: () => failed || child.exitCode !== null || child.signalCode !== null }
}

function startFailure(location: ServerLocation): string {
  const log = serverLogFile(location.cluster)
  const tail = existsSync(log) ? readFileSync(log, 'utf8').trim().split('\n').slice(-5).join('\n  ') : ''
  return (
    `the embedded database in ${location.cluster} did not start. The end of ${log}:\n  ${tail}\n` +
    'Set DATABASE_URL to use a PostgreSQL server of your own instead.'
  )
}

/** The programs of one major version cannot use the data of another, and report it only in the log. */
function checkVersion(location: ServerLocation, programs: Programs): void {
  const file = join(location.data, 'PG_VERSION')
  const made = existsSync(file) ? readFileSync(file, 'utf8').trim() : programs.major
  if (made === programs.major) return
  throw new ConfigurationError(
    `the database in ${location.cluster} was created by PostgreSQL ${made}, but this version of nightshift includes ${programs.major}: ` +
      'dump it with the version of nightshift that created it (pg_dump) and restore it into the server of DATABASE_URL',
  )
}
