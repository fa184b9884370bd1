import { type ChildProcess, spawn } from 'node:child_process'
import { mkdtempSync, realpathSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { expect, onTestFinished, vi } from 'vitest'
import { type Database, openDatabase } from '../../../src/ledger/connection/database.ts'
import { readPostmaster } from '../../../src/ledger/server/postmaster.ts'
import { removeDatabase } from '../../../src/ledger/server/remove-server.ts'
import { chooseLocation } from '../../../src/ledger/server/server-place.ts'

export const isRoot = process.getuid?.() === 0

export const IDLE_MS = 500

/** A project folder; with its server and its data it is gone after the test. */
export function project(parent = tmpdir()): string {
  const root = realpathSync(mkdtempSync(join(parent, 'nightshift-embedded-')))
  onTestFinished(async () => {
    await removeDatabase(root)
    rmSync(root, { recursive: true, force: true })
  })
  return root
}

export async function open(root: string): Promise<Database> {
  const database = await openDatabase({ root, role: 'command', idleMs: IDLE_MS })
  onTestFinished(() => database.close())
  return database
}

export async function serverIsGone(root: string, within = 15_000): Promise<void> {
  await vi.waitFor(() => expect(readPostmaster(chooseLocation(root).data).state).toBe('absent'), {
    timeout: within,
    interval: 20,
  })
}

/** A command of its own: opens the database, does as `work` says with `database`, and closes it. */
export function command(root: string, work: string, user: { uid?: number; gid?: number } = {}): ChildProcess {
  const program = `
    import { openDatabase } from ${JSON.stringify(resolve('dist/.modules/ledger/connection/database.js'))}
    import { setTimeout as sleep } from 'node:timers/promises'
    const database = await openDatabase({ root: process.argv[1], role: 'command', idleMs: ${IDLE_MS} })
    ${work}
    await database.close()`
  return spawn(process.execPath, ['--input-type=module', '--eval', program, root], {
    cwd: root,
    stdio: ['ignore', 'pipe', 'pipe'],
    ...user,
  })
}

export async function outcome(
  child: ChildProcess,
): Promise<{ code: number | null; out: string; err: string }> {
  let out = ''
  let err = ''
  child.stdout?.setEncoding('utf8').on('data', (text: string) => {
    out += text
  })
  child.stderr?.setEncoding('utf8').on('data', (text: string) => {
    err += text
  })
  return await new Promise((done) =>
    child.on('close', (code) => done({ code, out: out.trim(), err: err.trim() })),
  )
}

export async function remembered(database: Database): Promise<string[]> {
  const { rows } = await database.pool.query<{ subject: string }>('select subject from nightshift.mutes')
  return rows.map((row) => row.subject)
}

export const remember = (subject: string) =>
  `insert into nightshift.mutes (subject, until) values ('${subject}', now())`
