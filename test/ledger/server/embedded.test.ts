import { type ChildProcess, execFileSync, spawn } from 'node:child_process'
import {
  chmodSync,
  chownSync,
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  realpathSync,
  renameSync,
  rmSync,
  statSync,
  utimesSync,
  writeFileSync,
} from 'node:fs'
import { homedir, tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, beforeAll, describe, expect, onTestFinished, test, vi } from 'vitest'
import { type Database, openDatabase } from '../../../src/ledger/connection/database.ts'
import { isAlive, readPostmaster } from '../../../src/ledger/server/postmaster.ts'
import { removeDatabase } from '../../../src/ledger/server/remove-server.ts'
import { chooseLocation } from '../../../src/ledger/server/server-place.ts'

const isRoot = process.getuid?.() === 0
const IDLE_MS = 500

/** A project folder; with its server and its data it is gone after the test. */
function project(parent = tmpdir()): string {
  const root = realpathSync(mkdtempSync(join(parent, 'nightshift-embedded-')))
  onTestFinished(async () => {
    await removeDatabase(root)
    rmSync(root, { recursive: true, force: true })
  })
  return root
}

async function open(root: string): Promise<Database> {
  const database = await openDatabase({ root, role: 'command', idleMs: IDLE_MS })
  onTestFinished(() => database.close())
  return database
}

function serverPid(root: string): number {
  const found = readPostmaster(chooseLocation(root).data)
  if (found.state !== 'running') throw new Error(`expected the server to run, got: ${found.state}`)
  return found.pid
}

async function serverIsGone(root: string, within = 15_000): Promise<void> {
  await vi.waitFor(() => expect(readPostmaster(chooseLocation(root).data).state).toBe('absent'), {
    timeout: within,
    interval: 20,
  })
}

function keepers(root: string): number[] {
  const processes = execFileSync('ps', ['-ww', '-eo', 'pid=,args='], { encoding: 'utf8' }).split('\n')
  const { cluster } = chooseLocation(root)
  return processes
    .filter((line) => line.includes('keeper.js') && line.includes(`${cluster} `))
    .map((line) => Number(line.trim().split(' ')[0]))
}

/** A command of its own: opens the database, does as `work` says with `database`, and closes it. */
function command(root: string, work: string, user: { uid?: number; gid?: number } = {}): ChildProcess {
  const program = `
    import { openDatabase } from ${JSON.stringify(resolve('dist/ledger/connection/database.js'))}
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

async function outcome(child: ChildProcess): Promise<{ code: number | null; out: string; err: string }> {
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

async function remembered(database: Database): Promise<string[]> {
  const { rows } = await database.pool.query<{ subject: string }>('select subject from nightshift.mutes')
  return rows.map((row) => row.subject)
}
const remember = (subject: string) =>
  `insert into nightshift.mutes (subject, until) values ('${subject}', now())`

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
    await vi.waitFor(() => expect(keepers(root)).toEqual([]), 3_000)
    expect(isAlive(pid)).toBe(false)
    const later = performance.now()
    const third = await open(root)
    const restarted = performance.now() - later
    expect(await remembered(third)).toEqual(['kept'])
    expect(third.url).toBe(first.url)
    console.info(`first start ${ms(started)}, joined in ${ms(joined)}, started again in ${ms(restarted)}`)
    expect(started).toBeLessThan(20_000)
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
    await vi.waitFor(() => expect(keepers(root).length).toBeLessThanOrEqual(1), 3_000)
    await serverIsGone(root)
    await vi.waitFor(() => expect(keepers(root)).toEqual([]), 3_000)
  })

  test('starts after a command that was killed at any moment of the first start', async () => {
    const root = project()
    for (const moment of [80, 200, 400, 600, 800, 1_000]) {
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
    await vi.waitFor(() => expect(keepers(root)).toHaveLength(1), 3_000)
    const [keeper] = keepers(root)
    if (keeper !== undefined) process.kill(keeper, 'SIGKILL')
    await vi.waitFor(() => expect(keepers(root)).toEqual([]), 3_000)
    const second = await open(root)
    expect(serverPid(root)).toBe(pid)
    await vi.waitFor(() => expect(keepers(root)).toHaveLength(1), 3_000)
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
    expect(performance.now() - from).toBeLessThan(8_000)
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
    const program = resolve('dist/ledger/connection/database.js')
    const code = `import { openDatabase } from '${program}'
      const database = await openDatabase({ root: '${root}', role: 'command', idleMs: 15_000 })
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
    expect(performance.now() - from).toBeLessThan(8_000)
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

describe('a project', () => {
  test('in the place of a deleted one does not meet its ledger', async () => {
    const root = project()
    const before = await open(root)
    await before.pool.query(remember('of the deleted one'))
    await before.close()
    const old = chooseLocation(root).folder
    await serverIsGone(root)
    rmSync(root, { recursive: true })
    mkdirSync(root)
    const after = await open(root)
    expect(await remembered(after)).toEqual([])
    await after.close()
    await serverIsGone(root)
    if (isRoot) rmSync(old, { recursive: true })
  })

  test('that was moved keeps its ledger, and a copy of it gets its own', async () => {
    const root = project()
    const database = await open(root)
    await database.pool.query(remember('original'))
    const copied = project()
    cpSync(root, copied, { recursive: true })
    if (!isRoot) rmSync(join(copied, '.nightshift'), { recursive: true })
    const copy = await open(copied)
    expect(copy.url).not.toBe(database.url)
    expect(await remembered(copy)).toEqual([])
    await Promise.all([database.close(), copy.close()])
    await serverIsGone(root)
    const moved = project()
    rmSync(moved, { recursive: true })
    renameSync(root, moved)
    expect(await remembered(await open(moved))).toEqual(['original'])
  })

  test.skipIf(!isRoot)('under the home of root works', async () => {
    const database = await open(project(homedir()))
    expect(await remembered(database)).toEqual([])
  })
})

/** Whether anybody may read the compiled program: a checkout under root's home cannot be tried as another user. */
function readableForAll(): boolean {
  let folder = resolve('dist')
  for (;;) {
    if ((statSync(folder).mode & 0o005) !== 0o005) return false
    const parent = resolve(folder, '..')
    if (parent === folder) return true
    folder = parent
  }
}

describe.skipIf(!isRoot || !readableForAll())(
  'a plain user (needs root, and a checkout that others can read)',
  () => {
    const nobody = { uid: 65534, gid: 65534 }

    test('has the server in the project, and root uses the same one', async () => {
      const root = project()
      chownSync(root, nobody.uid, nobody.gid)
      const mine = await outcome(
        command(root, `await database.pool.query("${remember('by nobody')}"); console.log('ok')`, nobody),
      )
      expect(mine).toEqual({ code: 0, out: 'ok', err: '' })
      expect(statSync(join(root, '.nightshift/postgres/cluster/data')).uid).toBe(nobody.uid)
      await serverIsGone(root)
      const database = await open(root)
      expect(await remembered(database)).toEqual(['by nobody'])
      const both = await outcome(
        command(root, "console.log((await database.pool.query('select 1 as one')).rows[0].one)", nobody),
      )
      expect(both.out).toBe('1')
    })

    test('is told why when the database is that of root', async () => {
      const root = project()
      const database = await open(root)
      await database.close()
      chownSync(root, nobody.uid, nobody.gid)
      for (const mode of [0o700, 0o777]) {
        chmodSync(join(root, '.nightshift'), mode)
        chmodSync(join(root, '.nightshift/postgres'), mode)
        const { code, err } = await outcome(command(root, '', nobody))
        expect(code).not.toBe(0)
        expect(err).toContain('was created by root')
        expect(err).toContain('DATABASE_URL')
      }
    })
  },
)

function ms(value: number): string {
  return `${Math.round(value)} ms`
}
