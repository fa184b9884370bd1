import { execFileSync, spawn } from 'node:child_process'
import {
  chownSync,
  existsSync,
  mkdtempSync,
  readFileSync,
  realpathSync,
  rmSync,
  statSync,
  utimesSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, beforeAll, describe, expect, onTestFinished, test, vi } from 'vitest'
import { openDatabase } from '../../../src/ledger/connection/database.ts'
import { isAlive, readPostmaster } from '../../../src/ledger/server/postmaster.ts'
import { removeDatabase } from '../../../src/ledger/server/remove-server.ts'
import { chooseLocation } from '../../../src/ledger/server/server-place.ts'
import {
  command,
  IDLE_MS,
  isRoot,
  open,
  outcome,
  project,
  remember,
  remembered,
  serverIsGone,
} from './server-case.ts'

const FULL = process.env.NIGHTSHIFT_FAULTS === 'full'

function serverPid(root: string): number {
  const found = readPostmaster(chooseLocation(root).data)
  if (found.state !== 'running') throw new Error(`expected the server to run, got: ${found.state}`)
  return found.pid
}

function keepers(root: string): number[] {
  const processes = execFileSync('ps', ['-ww', '-eo', 'pid=,args='], { encoding: 'utf8' }).split('\n')
  const { cluster } = chooseLocation(root)
  return processes
    .filter((line) => line.includes('keeper.js') && line.includes(`${cluster} `))
    .map((line) => Number(line.trim().split(' ')[0]))
}

describe('the embedded server', () => {
  // Making a cluster is what costs time here: tests that do not care which one they have share this.
  let shared = ''
  beforeAll(() => {
    shared = realpathSync(mkdtempSync(join(tmpdir(), 'nightshift-embedded-')))
  })
  afterAll(async () => {
    await removeDatabase(shared)
    rmSync(shared, { recursive: true, force: true })
  })

  test('is there a moment after the first command asked for it, and gone soon after the last one ended', async () => {
    const root = project()
    const from = performance.now()
    const first = await open(root)
    const started = performance.now() - from
    expect(first.embedded).toBe(true)
    await first.pool.query(remember('kept'))
    const pid = serverPid(root)
    const again = performance.now()
    const second = await open(root)
    const joined = performance.now() - again
    expect(second.url).toBe(first.url)
    await first.close()
    await sleep(IDLE_MS * 3)
    expect(await remembered(second)).toEqual(['kept'])
    await second.close()
    await serverIsGone(root)
    await vi.waitFor(() => expect(keepers(root)).toEqual([]), 60_000)
    expect(isAlive(pid)).toBe(false)
    const later = performance.now()
    const third = await open(root)
    const restarted = performance.now() - later
    expect(await remembered(third)).toEqual(['kept'])
    expect(third.url).toBe(first.url)
    console.info(`first start ${ms(started)}, joined in ${ms(joined)}, started again in ${ms(restarted)}`)
    expect(started).toBeLessThan(60_000)
  })

  test('is one for eight commands that come at once into a fresh folder', async () => {
    const root = project()
    const work = `
      await database.pool.query("insert into nightshift.mutes (subject, until) values ('" + process.pid + "', now())")
      await sleep(1_000)
      const { rows } = await database.pool.query('select count(*)::int as n, inet_server_port() as port from nightshift.mutes')
      console.log(JSON.stringify(rows[0]))`
    const ends = await Promise.all(Array.from({ length: 8 }, () => outcome(command(root, work))))
    expect(ends.map((end) => end.err)).toEqual(Array.from({ length: 8 }, () => ''))
    const answers = ends.map((end) => JSON.parse(end.out))
    expect(new Set(answers.map((answer) => answer.port)).size).toBe(1)
    expect(Math.max(...answers.map((answer) => answer.n))).toBe(8)
    await vi.waitFor(() => expect(keepers(root).length).toBeLessThanOrEqual(1), 60_000)
    await serverIsGone(root)
    await vi.waitFor(() => expect(keepers(root)).toEqual([]), 60_000)
  })

  test('starts after a command that was killed at any moment of the first start', async () => {
    const root = project()
    for (const moment of FULL ? [80, 200, 400, 600, 800, 1_000] : [200, 600]) {
      const child = command(root, 'await sleep(60_000)')
      await sleep(moment)
      child.kill('SIGKILL')
    }
    const database = await open(root)
    await database.pool.query(remember('after all'))
    expect(await remembered(database)).toEqual(['after all'])
    await database.close()
    await serverIsGone(root)
  })

  test('stops although its last command was killed', async () => {
    const root = shared
    const child = command(root, "console.log('open'); await sleep(60_000)")
    await new Promise((done) => child.stdout?.once('data', done))
    serverPid(root)
    child.kill('SIGKILL')
    await serverIsGone(root)
  })

  test('gets another keeper by the next command when its keeper was killed', async () => {
    const root = shared
    const first = await open(root)
    const pid = serverPid(root)
    await vi.waitFor(() => expect(keepers(root)).toHaveLength(1), 60_000)
    const [keeper] = keepers(root)
    if (keeper !== undefined) process.kill(keeper, 'SIGKILL')
    await vi.waitFor(() => expect(keepers(root)).toEqual([]), 60_000)
    const second = await open(root)
    expect(serverPid(root)).toBe(pid)
    await vi.waitFor(() => expect(keepers(root)).toHaveLength(1), 60_000)
    await Promise.all([first.close(), second.close()])
    await serverIsGone(root)
  })

  test('that was killed loses nothing, and whoever has it open gets it back at the same address', async () => {
    const root = shared
    const database = await open(root)
    await database.pool.query(remember('committed'))
    process.kill(serverPid(root), 'SIGKILL')
    await vi.waitFor(async () => expect(await remembered(database)).toContain('committed'), {
      timeout: 20_000,
      interval: 50,
    })
    const other = await open(root)
    expect(other.url).toBe(database.url)
    await Promise.all([database.close(), other.close()])
    await serverIsGone(root)
  })

  test('starts where the pid of a killed server belongs to somebody else by now', async () => {
    const root = shared
    const database = await open(root)
    await database.pool.query(remember('before'))
    await database.close()
    const { data, user } = chooseLocation(root)
    const file = join(data, 'postmaster.pid')
    const text = readFileSync(file, 'utf8')
    await serverIsGone(root)
    // Of the same user: the only case in which PostgreSQL refuses to start by itself.
    const stranger = spawn('sleep', ['60'], { stdio: 'ignore', ...user })
    onTestFinished(() => void stranger.kill())
    writeFileSync(file, text.replace(/^\d+/, String(stranger.pid)), { mode: 0o600 })
    if (user !== undefined) chownSync(file, user.uid, user.gid)
    expect(readPostmaster(data)).toEqual({ state: 'foreign', pid: stranger.pid })
    expect(await remembered(await open(root))).toContain('before')
  })

  test('takes another port where its own is taken', async () => {
    const root = shared
    const database = await open(root)
    const port = Number(new URL(database.url).port)
    await database.close()
    await serverIsGone(root)
    const { createServer } = await import('node:net')
    const squatter = createServer().listen(port, '127.0.0.1')
    onTestFinished(() => void squatter.close())
    const again = await open(root)
    expect(Number(new URL(again.url).port)).not.toBe(port)
    await again.pool.query('select 1')
    await again.close()
    await serverIsGone(root)
  })

  test('is stopped and started over and over at the worst moments without an error', async () => {
    const root = shared
    const database = await openDatabase({ root, role: 'command', idleMs: 60 })
    await database.close()
    const work = async (worker: number) => {
      for (let round = 0; round < 8; round++) {
        await sleep(50 + ((worker * 37 + round * 53) % 90))
        const open = await openDatabase({ root, role: 'command', idleMs: 60 })
        await open.pool.query(remember(`${worker}/${round}`))
        await open.close()
      }
    }
    await Promise.all([work(1), work(2)])
    const last = await open(root)
    const rounds = (await remembered(last)).filter((subject) => subject.includes('/'))
    expect(rounds).toHaveLength(16)
  })

  test('does not keep a program alive that forgot to close it', async () => {
    const root = shared
    const child = command(root, "await database.pool.query('select 1'); throw new Error('forgot')")
    const from = performance.now()
    expect((await outcome(child)).err).toContain('forgot')
    expect(performance.now() - from).toBeLessThan(60_000)
    await serverIsGone(root)
  })

  test('sweeps what initdb left behind when it was killed long ago', async () => {
    const root = shared
    const { folder } = chooseLocation(root)
    const left = join(folder, 'new-4194305-00000000')
    execFileSync('mkdir', ['-p', join(left, 'data')])
    utimesSync(left, new Date(0), new Date(0))
    const database = await open(root)
    expect(existsSync(left)).toBe(false)
    await database.close()
    await serverIsGone(root)
  })

  test('knows nothing of our environment, listens on the loopback only, and says where it is', async () => {
    const root = shared
    process.env.NIGHTSHIFT_TEST_SECRET = 'hush'
    onTestFinished(() => {
      delete process.env.NIGHTSHIFT_TEST_SECRET
    })
    const database = await open(root)
    const { rows } = await database.pool.query(
      `select current_setting('listen_addresses') as address, current_setting('fsync') as fsync,
              current_setting('TimeZone') as zone, current_setting('synchronous_commit') as commit`,
    )
    expect(rows).toEqual([{ address: '127.0.0.1', fsync: 'on', zone: 'UTC', commit: 'on' }])
    const environment = `/proc/${serverPid(root)}/environ`
    if (existsSync(environment) && isRoot) expect(readFileSync(environment, 'utf8')).not.toContain('hush')
    const place = chooseLocation(root)
    expect(statSync(join(place.cluster, 'password')).mode & 0o777).toBe(0o600)
    expect(readFileSync(join(root, '.nightshift/postgres/README'), 'utf8')).toContain(place.data)
  })

  test('of another major version is refused, with what to do', async () => {
    const root = shared
    await (await open(root)).close()
    await serverIsGone(root)
    const file = join(chooseLocation(root).data, 'PG_VERSION')
    const version = readFileSync(file, 'utf8')
    writeFileSync(file, '9\n')
    await expect(open(root)).rejects.toThrow(
      /was created by PostgreSQL 9, but this version of nightshift includes \d+/,
    )
    writeFileSync(file, version)
    await (await open(root)).close()
  })

  test('that cannot start says why, with the end of its log', async () => {
    const root = shared
    await serverIsGone(root)
    const file = join(chooseLocation(root).data, 'pg_hba.conf')
    const text = readFileSync(file)
    writeFileSync(file, 'nonsense\n')
    await expect(open(root)).rejects.toThrow(/did not start.*pg_hba.conf.*DATABASE_URL/s)
    writeFileSync(file, text)
    await (await open(root)).close()
  })

  test('does not keep a shell waiting that captures the output of the command which started it', async () => {
    const root = shared
    const program = resolve('dist/.modules/ledger/connection/database.js')
    const code = `import { openDatabase } from '${program}'
      const database = await openDatabase({ root: '${root}', role: 'command', idleMs: 120_000 })
      console.log('ready'); await database.close()`
    const from = performance.now()
    const out = execFileSync(
      'sh',
      ['-c', 'x=$("$0" --input-type=module --eval "$1" 2>&1); echo "got $x"', process.execPath, code],
      {
        encoding: 'utf8',
      },
    )
    expect(out).toBe('got ready\n')
    expect(performance.now() - from).toBeLessThan(60_000)
    expect(isAlive(serverPid(root))).toBe(true)
  })

  test('and its data are gone once removed, and a new one starts empty', async () => {
    const root = project()
    const database = await open(root)
    await database.pool.query(remember('gone'))
    await database.close()
    const { folder } = chooseLocation(root)
    await removeDatabase(root)
    expect(existsSync(join(folder, 'cluster'))).toBe(false)
    expect(existsSync(join(root, '.nightshift', 'postgres'))).toBe(false)
    expect(await remembered(await open(root))).toEqual([])
  })
})

function ms(value: number): string {
  return `${Math.round(value)} ms`
}
