import { spawnSync } from 'node:child_process'
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { TestProject } from 'vitest/node'
import { openDatabase } from '../src/ledger/connection/database.ts'
import { readPostmaster } from '../src/ledger/server/postmaster.ts'
import { removeDatabase } from '../src/ledger/server/remove-server.ts'
import { chooseLocation } from '../src/ledger/server/server-place.ts'

declare module 'vitest' {
  export interface ProvidedContext {
    /** Of the one embedded server of this run; its database `template` is migrated. */
    databaseUrl: string
  }
}

/** Compiles what is stale, since forked programs run compiled, and starts one database server for all tests. */
export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  build()
  await sweep()
  const root = mkdtempSync(join(tmpdir(), 'nightshift-tests-'))
  const database = await openDatabase({ root, role: 'command' })
  await database.pool.query('create database template')
  const url = new URL(database.url)
  url.pathname = 'template'
  const template = await openDatabase({ root, url: url.href, role: 'command' })
  await template.close()
  project.provide('databaseUrl', database.url)
  return async () => {
    await database.close()
    await removeDatabase(root)
    rmSync(root, { recursive: true, force: true })
  }
}

/** What runs that were killed have left behind: a run that goes on has its server running. */
async function sweep(): Promise<void> {
  for (const name of readdirSync(tmpdir())) {
    if (!name.startsWith('nightshift-tests-')) continue
    const left = join(tmpdir(), name)
    const made = statSync(left, { throwIfNoEntry: false })
    if (made === undefined || Date.now() - made.mtimeMs < 120_000) continue
    if (readPostmaster(chooseLocation(left).data).state === 'running') continue
    await removeDatabase(left)
    rmSync(left, { recursive: true, force: true })
  }
}

function build(): void {
  const stamp = 'dist/.built'
  const sources = ['src', 'tsconfig.json', 'tsconfig.build.json', 'package-lock.json']
  if (existsSync(stamp) && statSync(stamp).mtimeMs > Math.max(...sources.map(newest))) return
  mkdirSync('dist', { recursive: true })
  // Aside and renamed file by file: another run may be loading these files at this moment.
  const aside = mkdtempSync('dist/.new-')
  try {
    writeFileSync(join(aside, '.built'), '')
    // Types are `npm run check`'s matter.
    const fast = ['--noCheck', '--declaration', 'false', '--outDir', aside]
    const tsc = ['node_modules/typescript/bin/tsc', '-p', 'tsconfig.build.json', ...fast]
    const compiled = spawnSync(process.execPath, tsc, { encoding: 'utf8' })
    if (compiled.status !== 0) console.warn(`the build has errors:\n${compiled.stdout}${compiled.stderr}`)
    spawnSync(process.execPath, ['build/copy-assets.js'], { stdio: 'inherit' })
    moveInto(aside, 'dist')
  } finally {
    rmSync(aside, { recursive: true, force: true })
  }
}

/** Newest modification below a path, in milliseconds. */
function newest(path: string): number {
  const own = statSync(path)
  if (!own.isDirectory()) return own.mtimeMs
  return Math.max(own.mtimeMs, ...readdirSync(path).map((name) => newest(join(path, name))))
}

function moveInto(from: string, to: string): void {
  mkdirSync(to, { recursive: true })
  for (const entry of readdirSync(from, { withFileTypes: true })) {
    const [source, target] = [join(from, entry.name), join(to, entry.name)]
    if (entry.isDirectory()) moveInto(source, target)
    else renameSync(source, target)
  }
}
