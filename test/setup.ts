import { spawnSync } from 'node:child_process'
import {
  chmodSync,
  chownSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  rmSync,
  statfsSync,
  statSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { TestProject } from 'vitest/node'
import { openQueues } from '../src/jobs/queue/queues.ts'
import { type Database, openDatabase } from '../src/ledger/connection/database.ts'
import { readPostmaster } from '../src/ledger/server/postmaster.ts'
import { removeDatabase } from '../src/ledger/server/remove-server.ts'
import { chooseLocation } from '../src/ledger/server/server-place.ts'
import { CLOCK } from './database/clock.ts'

declare module 'vitest' {
  export interface ProvidedContext {
    /** Of the one embedded server of this run; its database `template` is migrated, with the tables of the queues. */
    databaseUrl: string
  }
}

/**
 * Bundles what is stale, since forked programs run bundled, and starts one database server for all tests. Where memory can
 * hold them, their folders and databases lie there: making and removing thousands of them takes a disk minutes.
 */
export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  build()
  const place = placeOfFolders()
  await sweep(place)
  const root = mkdtempSync(join(place, 'nightshift-tests-'))
  process.env.TMPDIR = join(root, 'tmp')
  mkdirSync(process.env.TMPDIR)
  // As /tmp is: some tests run a program as another user.
  chmodSync(process.env.TMPDIR, 0o1777)
  const database = await openDatabase({ root, role: 'command' })
  // The server's user may be another.
  chmodSync(root, 0o711)
  await keepBeside(database, join(root, 'databases'))
  await database.pool.query('create database template tablespace beside')
  // Nobody reads a test's ledger after a crash of this machine. What durability promises is tested on servers of their own.
  await database.pool.query('alter role current_user set synchronous_commit = off')
  for (const setting of ['fsync', 'full_page_writes', 'autovacuum'])
    await database.pool.query(`alter system set ${setting} = off`)
  await database.pool.query('select pg_reload_conf()')
  const url = new URL(database.url)
  url.pathname = 'template'
  const template = await openDatabase({ root, url: url.href, role: 'command' })
  await template.close()
  // The queues' tables too: a tenth of a second for each database that has jobs.
  const queues = await openQueues({ databaseUrl: url.href, log: () => {} })
  await queues.ids('features')
  await queues.close()
  await database.pool.query('create database template_clock template template tablespace beside')
  url.pathname = 'template_clock'
  const withClock = await openDatabase({ root, url: url.href, role: 'command' })
  await withClock.pool.query(CLOCK)
  await withClock.close()
  project.provide('databaseUrl', database.url)
  return async () => {
    await database.close()
    await removeDatabase(root)
    rmSync(root, { recursive: true, force: true })
  }
}

const IN_MEMORY = '/dev/shm'
const ENOUGH_BYTES = 4 * 2 ** 30

/** A folder in memory if it has room for what tests write, otherwise the system's temporary one. */
function placeOfFolders(): string {
  try {
    const { bavail, bsize } = statfsSync(IN_MEMORY)
    return bavail * bsize >= ENOUGH_BYTES ? IN_MEMORY : tmpdir()
  } catch {
    return tmpdir()
  }
}

/** New databases of a server are made in a folder, which its user has to own. */
async function keepBeside({ pool }: Database, folder: string): Promise<void> {
  const { rows } = await pool.query<{ data_directory: string }>('show data_directory')
  const { uid, gid } = statSync(rows[0]?.data_directory ?? '')
  mkdirSync(folder, { mode: 0o700 })
  chownSync(folder, uid, gid)
  await pool.query(`create tablespace beside location '${folder}'`)
}

/** What runs that were killed have left behind: a run that goes on has its server running. */
async function sweep(place: string): Promise<void> {
  for (const name of readdirSync(place)) {
    if (!name.startsWith('nightshift-tests-')) continue
    const left = join(place, name)
    const made = statSync(left, { throwIfNoEntry: false })
    if (made === undefined || Date.now() - made.mtimeMs < 120_000) continue
    if (readPostmaster(chooseLocation(left).data).state === 'running') continue
    await removeDatabase(left)
    try {
      rmSync(left, { recursive: true, force: true })
    } catch {
      // A test that was killed may have left a file system mounted: it is the next sweep's.
    }
  }
}

/** Modules that tests import in programs of their own. */
const MODULES = [
  'alerts/delivery/open-transport.ts',
  'alerts/delivery/outbox.ts',
  'jobs/queue/queues.ts',
  'ledger/connection/database.ts',
  'pipeline/scoring/score-partition.ts',
]

function build(): void {
  const stamp = 'dist/.built'
  const sources = ['src', 'build/build.js', 'tsconfig.json', 'package-lock.json']
  const newestSource = Math.max(...sources.map(newest))
  if (existsSync(stamp) && statSync(stamp).mtimeMs > newestSource) return
  bundle([])
  bundle(['--to', 'dist/.modules', ...MODULES])
  writeFileSync(stamp, '')
}

function bundle(args: string[]): void {
  const { status } = spawnSync(process.execPath, ['build/build.js', ...args], { stdio: 'inherit' })
  if (status !== 0) throw new Error('the program cannot be bundled')
}

/** Newest modification below a path, in milliseconds. */
function newest(path: string): number {
  const own = statSync(path)
  if (!own.isDirectory()) return own.mtimeMs
  return Math.max(own.mtimeMs, ...readdirSync(path).map((name) => newest(join(path, name))))
}
