import { spawnSync } from 'node:child_process'
import {
  chmodSync,
  chownSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { workerAlive } from '../../src/ledger/nights/alive.ts'
import { readRunId } from '../../src/pipeline/partition/footer.ts'
import { freePort } from '../alerts/mail-server.ts'
import { ended, nightshiftJson, start } from '../cli/nightshift.ts'
import { type FreshDatabase, freshDatabase } from '../database/fresh.ts'
import type { TemporaryProject } from '../projects/cdnow.ts'
import { generatedProject } from '../projects/generated.ts'
import { type LedgerProxy, openProxy } from './proxy.ts'
import { record, secondsUntil } from './record.ts'

const FULL = process.env.NIGHTSHIFT_FAULTS === 'full'
const ROOT = process.getuid?.() === 0
/** Root may write anywhere: the process that is refused runs as a plain user. */
const NOBODY = ROOT ? { uid: 65534, gid: 65534 } : undefined
const WAREHOUSE = 'warehouse/features/activity'

let database: FreshDatabase
let proxy: LedgerProxy
let project: TemporaryProject
let up: ReturnType<typeof start>
let site: string
let night = 1

/** Something that makes the rename impossible once the partition is committed, and its undoing. */
interface Obstacle {
  name: string
  /** What the incident says of it, beside the path. */
  says: RegExp
  present: boolean
  /** `target`: folder of the partition; it does not exist yet. Returns the path that is to be named. */
  put(warehouse: string, target: string): string
  lift(warehouse: string, target: string): void
}

const run = (program: string, ...args: string[]) => {
  const { status, stderr } = spawnSync(program, args, { encoding: 'utf8' })
  if (status !== 0) throw new Error(`${program} ${args.join(' ')}: ${stderr}`)
}
const can = (program: string, ...args: string[]) => spawnSync(program, args).status === 0

/** On a disk in memory, as the warehouse of this test is. */
function canMakeImmutable(): boolean {
  if (!existsSync('/dev/shm')) return false
  const folder = mkdtempSync('/dev/shm/nightshift-')
  try {
    return can('chattr', '+i', folder) && can('chattr', '-i', folder)
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

const OBSTACLES: Obstacle[] = [
  {
    name: ROOT ? 'a folder that root made' : 'a folder that may not be written',
    says: ROOT
      ? /belongs to root \(0:0\) with permissions drwxr-xr-x/
      : /belongs to .* with permissions dr-xr-xr-x/,
    present: true,
    put(_, target) {
      mkdirSync(target)
      chmodSync(target, ROOT ? 0o755 : 0o555)
      return target
    },
    lift(_, target) {
      if (NOBODY === undefined) chmodSync(target, 0o755)
      else chownSync(target, NOBODY.uid, NOBODY.gid)
    },
  },
  {
    name: 'an immutable folder',
    says: /It is immutable/,
    present: ROOT && canMakeImmutable(),
    put(_, target) {
      mkdirSync(target)
      if (NOBODY !== undefined) chownSync(target, NOBODY.uid, NOBODY.gid)
      run('chattr', '+i', target)
      return target
    },
    lift: (_, target) => run('chattr', '-i', target),
  },
  {
    name: 'a disk that may only be read',
    says: /lies on a disk that may only be read/,
    present: ROOT && can('mount', '--version'),
    put(warehouse) {
      run('mount', '-o', 'remount,ro', join(warehouse, '..'))
      return warehouse
    },
    lift: (warehouse) => run('mount', '-o', 'remount,rw', join(warehouse, '..')),
  },
  {
    name: 'a disk without room',
    says: /has no room left: \d+ of \d+ MB and 0 of \d+ names are free/,
    present: ROOT && can('mount', '--version'),
    put(warehouse) {
      const filler = join(warehouse, '../filler')
      mkdirSync(filler)
      try {
        for (let file = 0; file < 100_000; file++) writeFileSync(join(filler, String(file)), '')
      } catch {
        // Full.
      }
      return warehouse
    },
    lift: (warehouse) => rmSync(join(warehouse, '../filler'), { recursive: true }),
  },
  {
    name: 'a folder under the name of the file',
    says: /is a folder where a file is expected/,
    present: true,
    put(_, target) {
      mkdirSync(join(target, 'features.parquet/taken'), { recursive: true })
      if (NOBODY !== undefined) chownSync(target, NOBODY.uid, NOBODY.gid)
      return join(target, 'features.parquet')
    },
    lift: (_, target) => rmSync(join(target, 'features.parquet'), { recursive: true }),
  },
]
const CHOSEN = OBSTACLES.filter(({ present }) => present).filter((_, index) => FULL || index < 2)
for (const { name } of OBSTACLES.filter(({ present }) => !present)) {
  console.warn(`skipped: ${name}, which this machine does not let us make`)
}

beforeAll(async () => {
  database = await freshDatabase()
  proxy = await openProxy(database.url)
  project = await generatedProject({ customers: 100 })
  mkdirSync(join(project.root, 'warehouse'))
  if (ROOT)
    run('mount', '-t', 'tmpfs', '-o', 'size=64m,nr_inodes=400', 'tmpfs', join(project.root, 'warehouse'))
  mkdirSync(join(project.root, WAREHOUSE), { recursive: true })
  await project.write('nightshift.yaml', settings())
  if (NOBODY !== undefined) run('chown', '-R', `${NOBODY.uid}:${NOBODY.gid}`, project.root)
  const port = await freePort()
  site = `http://127.0.0.1:${port}`
  up = start(['up', '--port', String(port), '--host', '127.0.0.1'], {
    project: project.root,
    env: { DATABASE_URL: proxy.url },
    user: NOBODY,
  })
  void ended(up)
  await secondsUntil(() => workerAlive(database.database), { within: 60 })
})
afterAll(async () => {
  up?.kill('SIGKILL')
  await proxy?.close()
  if (ROOT) spawnSync('umount', ['-l', join(project.root, 'warehouse')])
  await project?.remove()
  await database?.drop()
})

const settings = () => `project: generated
timezone: UTC
warehouse: warehouse
alerts: { from: nightshift@example.com, base_url: "http://localhost:8080", group: 1s }
`

test.each(CHOSEN)(
  'a rename that is refused by $name is told with path and owner, and ends in published once it is lifted',
  async (obstacle) => {
    const asOf = `2026-03-${String(++night).padStart(2, '0')}`
    const warehouse = join(project.root, 'warehouse/features')
    const target = join(project.root, WAREHOUSE, `as_of=${asOf}`)
    let named = ''
    const put = proxy.at('before the commit', async () => {
      named = obstacle.put(warehouse, target)
    })
    const refreshed = nightshiftJson(['refresh', 'activity', '--as-of', asOf], {
      project: project.root,
      env: { DATABASE_URL: database.url },
    })
    await put
    const placed = performance.now()
    let told: { kind: string; message: string } | undefined
    const incident = async () => {
      const { rows } = await database.database.pool.query<{ kind: string; message: string }>(
        `select kind, detail->'facts'->'failure'->>'message' as message from nightshift.incidents where closed_at is null`,
      )
      told = rows[0]
      return told !== undefined
    }
    const toTell = await secondsUntil(incident, { within: 60, from: placed })
    expect(told?.kind).toBe('resource')
    expect(told?.message).toContain(named)
    expect(told?.message).toMatch(obstacle.says)
    // /readyz looks once a second.
    await secondsUntil(async () => (await fetch(`${site}/readyz`)).status === 503, { within: 20 })
    expect(await (await fetch(`${site}/readyz`)).text()).not.toContain('work progresses')
    expect(await stateOf(asOf)).toBe('publishing')

    obstacle.lift(warehouse, target)
    const seconds = await secondsUntil(async () => (await stateOf(asOf)) === 'published', { within: 60 })
    const { code, json, stderr } = await refreshed
    expect(code, stderr).toBe(0)
    expect(json).toMatchObject({ state: 'published', attempts: 1, failure: null })
    expect(await readRunId(join(target, 'features.parquet'))).toBe(json.run)
    const { rows: open } = await database.database.pool.query(
      'select from nightshift.incidents where closed_at is null',
    )
    expect(open).toHaveLength(0)
    expect(readdirSync(join(project.root, 'warehouse/.attempts'))).toEqual([])
    record({
      fault: `the rename is refused by ${obstacle.name}`,
      promise: 'an incident names path and owner; published within 30 s of its end',
      happened: `told after ${Math.ceil(toTell / 5) * 5} s at most, published by itself`,
      seconds,
    })
    expect(seconds).toBeLessThan(30)
  },
)

async function stateOf(partition: string): Promise<string | undefined> {
  const { rows } = await database.database.pool.query<{ state: string }>(
    'select state from nightshift.slots where partition = $1',
    [partition],
  )
  return rows[0]?.state
}
