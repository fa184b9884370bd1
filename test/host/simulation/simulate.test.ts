import { existsSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { nightshift, nightshiftJson } from '../../cli/nightshift.ts'
import { type FreshDatabase, freshDatabase } from '../../database/fresh.ts'
import type { TemporaryProject } from '../../projects/cdnow.ts'
import { generatedProject, writeDay } from '../../projects/generated.ts'

/*
 * Eight nights whose fifth lacks the day before it: it waits an hour for that day, fails, and is mailed. All of it lies in
 * the past of the real clock.
 */
const SCHEDULE = `schedule: nightly
cron: "30 2 * * *"
score: [value]
start: "2027-01-01"
deadline: "06:00"
retry: { attempts: 1, wait_for_data: 1h }
`

let project: TemporaryProject
let fresh: FreshDatabase
let at: { project: string; env: { DATABASE_URL: string } }
let simulated: Simulated

interface Simulated {
  id: string
  state: string
  champion: number | null
  nights: {
    as_of: string
    state: string
    published_at: string | null
    late: boolean
    version: number | null
  }[]
  mails: { at: string; to: string; first_line: string }[]
  gate: { ready: boolean; at: string; items: { id: string }[] }
}

/** What a command prints as data. */
const printed = async (args: string[]) => (await nightshiftJson(args, at)).json

beforeAll(async () => {
  project = await generatedProject({
    customers: 60,
    schedule: SCHEDULE,
    view: 'expect: { fresh: { events: 26h } }\n',
  })
  for (let day = 2; day <= 9; day++) if (day !== 6) await writeDay(project.root, `2026-03-0${day}`, 60)
  await project.write(
    'nightshift.yaml',
    'project: generated\ntimezone: UTC\nalerts: { from: nightshift@example.com, base_url: "http://localhost:8080", webhook: [{ url: "http://127.0.0.1:9/hook", secret_env: HOOK_SECRET }] }\n',
  )
  fresh = await freshDatabase()
  at = { project: project.root, env: { DATABASE_URL: fresh.url } }
  await printed(['register', 'value', join(project.root, 'model.onnx'), '--as-of', '2026-03-03'])
  simulated = await printed(['simulate', 'value', '--from', '2026-03-03', '--to', '2026-03-10'])
})

afterAll(async () => {
  await fresh.drop()
  await project.remove()
})

test('each night runs at its own time, with the newest version where there is no champion', () => {
  expect(simulated).toMatchObject({ state: 'done', champion: 1 })
  expect(simulated.nights).toHaveLength(8)
  for (const [index, night] of simulated.nights.entries()) {
    const as_of = `2026-03-${String(index + 3).padStart(2, '0')}`
    expect(night).toMatchObject(
      as_of === '2026-03-07'
        ? { as_of, state: 'features failed', published_at: null, late: true }
        : { as_of, state: 'published', published_at: `${as_of}T02:30:00.000Z`, version: 1, late: false },
    )
  }
})

test('the mails that would have gone out lie in its folder, at simulated times', () => {
  expect(simulated.mails.map(({ to }) => to)).toContain('oncall@example.com')
  // Nothing of a simulation leaves this machine.
  for (const { to } of simulated.mails) expect(to).toContain('@')
  for (const { at: time } of simulated.mails) expect(time).toMatch(/^2026-03-(?:0\d|10)T/)
  const late = simulated.mails.filter(({ first_line }) => first_line.includes('2026-03-07'))
  expect(late[0]?.at, JSON.stringify(simulated.mails)).toMatch(/^2026-03-07T03:3\d/)
  const outbox = join(project.root, '.nightshift/simulations', simulated.id, 'outbox')
  expect(readdirSync(outbox)).toHaveLength(simulated.mails.length)
  expect(existsSync(join(project.root, '.nightshift/outbox'))).toBe(false)
})

test('the project knows nothing of it: no night, no mail, no champion, no file', async () => {
  expect(await printed(['status', 'value'])).toEqual([])
  const { rows } = await fresh.database.pool.query<{ rows: number }>(
    `select (select count(*) from nightshift.runs)::int + (select count(*) from nightshift.outbox)::int
          + (select count(*) from nightshift.champions)::int + (select count(*) from nightshift.schedules)::int as rows`,
  )
  expect(rows).toEqual([{ rows: 0 }])
  expect(existsSync(join(project.root, 'warehouse/scores'))).toBe(false)
})

test('a command within it sees its nights, at its own time', async () => {
  const inside = ['--simulation', simulated.id]
  const slots: { kind: string; state: string }[] = await printed(['status', 'value', ...inside])
  expect(slots.filter(({ kind, state }) => kind === 'scores' && state === 'published')).toHaveLength(7)
  const within = async (...bounds: string[]) => await printed(['status', 'value', ...inside, ...bounds])
  expect(await within('--limit', '3')).toHaveLength(3)
  const recent = await within('--days', '2')
  expect(slots).toEqual(expect.arrayContaining(recent))
  expect(recent.length).toBeLessThan(slots.length)
  const history: { at: string; event: string }[] = await printed(['history', 'value', ...inside])
  expect(history.find(({ event }) => event === 'promoted')?.at).toBe('2026-03-02T23:59:59.999Z')
  expect(simulated.gate.at).toBe('2026-03-10T23:59:59.999Z')
  expect(simulated.gate.items).toHaveLength(11)
  // Nobody is missing there: it is over.
  expect((await nightshift(['status', 'value', ...inside], at)).stdout).not.toContain('is running')
  expect((await nightshift(['status', 'value'], at)).stdout).toContain('No worker is running')
  const wrong = await nightshift(['status', 'value', '--simulation', '00000000'], at)
  expect(wrong.code).toBe(2)
  expect(wrong.stderr).toContain(`expected the id of a simulation (${simulated.id}), got: 00000000`)
})

test('it is listed, and removed with its ledger', async () => {
  const listed = await printed(['simulate', '--list'])
  expect(listed).toMatchObject([{ id: simulated.id, from: '2026-03-03', to: '2026-03-10', state: 'done' }])
  await printed(['simulate', '--remove', simulated.id])
  expect(await printed(['simulate', '--list'])).toEqual([])
  const { rows } = await fresh.database.pool.query(
    `select nspname from pg_namespace where nspname like '%\\_sim\\_%'`,
  )
  expect(rows).toEqual([])
})

test('what cannot be simulated is refused before anything is made', async () => {
  const refused = async (args: string[]) => {
    const { code, stderr } = await nightshift(['simulate', 'value', ...args], at)
    expect(code).toBe(2)
    return stderr
  }
  expect(await refused(['--from', '2026-03-05', '--to', '2026-03-03'])).toContain(
    '--from: expected an as-of no later than --to (2026-03-03)',
  )
  expect(await refused(['--from', '2026-03-03', '--to', '2026-03-04', '--challenger', '7'])).toContain(
    'expected --challenger to be a registered version (1), got: 7',
  )
  expect(await refused(['--from', '2026-03-03'])).toContain('simulate: expected MODEL --from D --to D')
  expect(await refused(['--continue', 'ffffffff', '--to', '2026-03-12'])).toContain(
    'expected --continue ID --to D alone',
  )
  const unknown = await nightshift(['simulate', '--continue', 'ffffffff', '--to', '2026-03-12'], at)
  expect(unknown).toMatchObject({ code: 2 })
  expect(unknown.stderr).toContain('expected the id of a simulation')
  expect(readdirSync(join(project.root, '.nightshift/simulations'))).toEqual([])
})
