import { spawnSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest'
import { type FreshDatabase, freshDatabase } from '../database/fresh.ts'
import type { TemporaryProject } from '../projects/cdnow.ts'
import { generatedProject } from '../projects/generated.ts'
import { nightshift } from './nightshift.ts'

interface Row {
  /** The command as it would be right, but for the option. */
  command: string[]
  option: string
  wrong: string[]
  /** What the message says is legal. */
  legal: RegExp
}

const PORT = /a whole number from 0 to 65535/
const PLACES = /a whole number from 1 to 256/
const VERSION = /a whole number from 1 to 2147483647/
const AS_OF =
  /expected a (?:date such as 2026-11-22, or an hour such as 2026-11-22T03Z, or one of today, yesterday, latest|year from 1000 to 9000)/
const VERSIONS = ['0', '-1', '1.5', '2147483648']
const AS_OFS = ['2026-13-01', '2026-02-30', 'tomorrow', '2026-11-22T25Z', '0001-01-01', '']
const SPAN = ['--from', '2026-03-01', '--to', '2026-03-03']
const FROM = ['--from', '2026-03-01']

/** Every option of every command that takes a number, a date or a span. */
const TABLE: Row[] = [
  { command: ['up'], option: '--port', wrong: ['65536', '-1', 'http', ''], legal: PORT },
  { command: ['up'], option: '--places', wrong: ['0', '257', '1e2'], legal: PLACES },
  { command: ['worker'], option: '--places', wrong: ['0', '1000000'], legal: PLACES },
  {
    command: ['worker'],
    option: '--only',
    wrong: ['everything', 'feature'],
    legal: /features, scoring, monitoring, retraining, operations/,
  },
  { command: ['web'], option: '--port', wrong: ['99999'], legal: PORT },
  { command: ['backfill', 'value', ...SPAN], option: '--version', wrong: VERSIONS, legal: VERSION },
  {
    command: ['backfill', 'value', ...SPAN],
    option: '--max-active',
    wrong: ['0', '1001', 'many'],
    legal: /a whole number from 1 to 1000/,
  },
  { command: ['status'], option: '--as-of', wrong: AS_OFS, legal: AS_OF },
  { command: ['status'], option: '--days', wrong: ['0', '36526'], legal: /a whole number from 1 to 36525/ },
  {
    command: ['status'],
    option: '--limit',
    wrong: ['0', '100001'],
    legal: /a whole number from 1 to 100000/,
  },
  { command: ['runs'], option: '--version', wrong: ['99999999999'], legal: VERSION },
  { command: ['runs'], option: '--limit', wrong: ['0', '100001'], legal: /a whole number from 1 to 100000/ },
  { command: ['evaluate', 'value', '--dataset', 'x'], option: '--version', wrong: ['0'], legal: VERSION },
  {
    command: ['run', 'value', '--as-of', '2026-03-01'],
    option: '--version',
    wrong: VERSIONS,
    legal: VERSION,
  },
  { command: ['promote', 'value'], option: '--version', wrong: ['0', '0x1'], legal: VERSION },
  { command: ['rollback', 'value'], option: '--to', wrong: ['0', '2147483648'], legal: VERSION },
  { command: ['run', 'value'], option: '--as-of', wrong: AS_OFS, legal: AS_OF },
  { command: ['refresh', 'activity'], option: '--as-of', wrong: ['2026-11'], legal: AS_OF },
  { command: ['register', 'value', 'x.onnx'], option: '--as-of', wrong: ['2026-11-31'], legal: AS_OF },
  { command: ['validate', '--leaks', 'value'], option: '--as-of', wrong: ['22.11.2026'], legal: AS_OF },
  { command: ['parity', 'value'], option: '--as-of', wrong: ['2026-11-22T3Z'], legal: AS_OF },
  { command: ['drift', 'value'], option: '--as-of', wrong: ['2026-11-22T03'], legal: AS_OF },
  { command: ['explain', 'value', '1'], option: '--as-of', wrong: ['now'], legal: AS_OF },
  { command: ['report', 'value'], option: '--as-of', wrong: ['9999-01-01'], legal: AS_OF },
  { command: ['backfill', 'value', ...FROM], option: '--to', wrong: ['2026-03-1'], legal: AS_OF },
  { command: ['backfill', 'value', '--to', '2026-03-01'], option: '--from', wrong: ['x'], legal: AS_OF },
  { command: ['dataset', 'value', ...FROM], option: '--to', wrong: ['x'], legal: AS_OF },
  { command: ['dataset', 'value', '--to', '2026-03-01'], option: '--from', wrong: ['x'], legal: AS_OF },
  {
    command: ['dataset', 'value', ...SPAN],
    option: '--holdout-groups',
    wrong: ['0', '1', '1.5', '20%'],
    legal: /a share between 0 and 1, such as 0\.2/,
  },
  { command: ['dataset', 'value', ...SPAN], option: '--holdout-from', wrong: ['x'], legal: AS_OF },
  { command: ['runs'], option: '--from', wrong: ['x'], legal: AS_OF },
  { command: ['runs'], option: '--to', wrong: ['x'], legal: AS_OF },
  { command: ['outcomes', 'value'], option: '--from', wrong: ['x'], legal: AS_OF },
  { command: ['outcomes', 'value'], option: '--to', wrong: ['x'], legal: AS_OF },
  { command: ['rollback', 'value'], option: '--from', wrong: ['x'], legal: AS_OF },
  { command: ['simulate', 'value', '--to', '2026-03-01'], option: '--from', wrong: ['x'], legal: AS_OF },
  { command: ['simulate', 'value', ...FROM], option: '--to', wrong: ['2026-03-32'], legal: AS_OF },
  { command: ['simulate', 'value', ...SPAN], option: '--challenger', wrong: ['0'], legal: VERSION },
  { command: ['check', 'value'], option: '--version', wrong: ['0'], legal: VERSION },
  { command: ['shadow', 'value'], option: '--version', wrong: ['0'], legal: VERSION },
  { command: ['handoff', 'value'], option: '--version', wrong: ['0'], legal: VERSION },
  { command: ['drill', 'value', 'drift'], option: '--version', wrong: ['0'], legal: VERSION },
]
/** Those that are read where the project is known. */
const IN_PROJECT: Row[] = [
  {
    command: ['worker'],
    option: '--models',
    wrong: ['valu'],
    legal: /expected models of this project \(value\).*did you mean value\?/,
  },
  {
    command: ['drill', 'value', 'alert'],
    option: '--wait',
    wrong: ['soon', '1.5h'],
    legal: /expected --wait to be a duration/,
  },
  {
    command: ['dataset', 'value', ...SPAN],
    option: '--every',
    wrong: ['0d', '36h', '1y', '0mo'],
    legal: /expected --every to be (?:a duration|.*such as 1d, 7d)/,
  },
  {
    command: ['mute', 'value'],
    option: '--until',
    wrong: ['soon', '0s', '2020-01-01', '2026-02-30', '9000-01-01', '99999d'],
    legal: /expected a time that lies ahead, such as 2026-11-28T06:00/,
  },
]

vi.setConfig({ testTimeout: 240_000 })

let database: FreshDatabase
let project: TemporaryProject
let at: { project: string; env: Record<string, string> }
beforeAll(async () => {
  database = await freshDatabase()
  project = await generatedProject({ schedule: 'schedule: nightly\ncron: "0 2 * * *"\nscore: [value]\n' })
  await project.write(
    'models/value/labels.sql',
    'SELECT customer_id, count(*) > 1 AS label FROM events GROUP BY customer_id\n',
  )
  const model = readFileSync(join(project.root, 'models/value/model.yaml'), 'utf8')
  await project.write('models/value/model.yaml', `${model}labels: { sql: labels.sql, horizon: 1d }\n`)
  at = { project: project.root, env: { DATABASE_URL: database.url } }
})
afterAll(async () => {
  await project?.remove()
  await database?.drop()
})

test('every option that takes a number, a date or a span has its rows here', () => {
  const program = readFileSync(resolve(import.meta.dirname, '../../src/cli/command-list.ts'), 'utf8')
  const known = new Set([...TABLE, ...IN_PROJECT].map(({ command, option }) => `${command[0]} ${option}`))
  const asOf = [
    ...program.matchAll(/\n {2}add\(\s*'(\w+)[^']*'[\s\S]*?(?=\n {2}add\(|\n {2}program\.|\n\})/g),
  ]
  expect(asOf.length).toBeGreaterThan(30)
  const options = asOf.flatMap(([text, command]) => [
    ...[...text.matchAll(/'(--[\w-]+) <(?:n|port|as-of|time|step|share|work|names)>/g)].map(
      (found) => `${command} ${found[1]}`,
    ),
    ...(text.includes('...asOf)') ? [`${command} --as-of`] : []),
  ])
  expect(options.filter((option) => !known.has(option))).toEqual([])
  expect(options.length).toBe(known.size)
})

describe('is refused before anything starts, with the value and what is legal', () => {
  // No server listens there: what got as far as the ledger would say so.
  const nowhere = { DATABASE_URL: 'postgres://nobody@127.0.0.1:1/none' }
  test.each(TABLE)('$command.0 $option', async ({ command, option, wrong, legal }) => {
    for (const value of wrong) {
      const { code, stdout, stderr } = await nightshift([...command, `${option}=${value}`], {
        project: project.root,
        env: nowhere,
      })
      expect(code, `${value}: ${stderr}`).toBe(2)
      expect(stdout).toBe('')
      expect(stderr).toContain(option)
      expect(stderr).toMatch(legal)
      expect(stderr).toContain(`got: ${value === '' && !/as-of|from|to/.test(option) ? 'nothing' : value}`)
    }
  })

  test('a first as-of that is later than the last', async () => {
    const backwards = ['backfill', 'value', '--from', '2026-03-03', '--to', '2026-03-02']
    const { code, stderr } = await nightshift(backwards, { project: project.root, env: nowhere })
    expect(code).toBe(2)
    expect(stderr).toContain('--from: expected an as-of no later than --to (2026-03-02), got: 2026-03-03')
  })
})

describe('in a project is refused, with the value and what is legal', () => {
  test.each(IN_PROJECT)('$command.0 $option', async ({ command, option, wrong, legal }) => {
    for (const value of wrong) {
      const { code, stderr } = await nightshift([...command, option, value], at)
      expect(code, `${value}: ${stderr}`).toBe(2)
      expect(stderr).toContain(option)
      expect(stderr).toMatch(legal)
      expect(stderr).toContain(`got: ${value}`)
    }
  })

  const HOUR = '2026-03-02T03Z'
  test.each([
    ['run', 'value', '--as-of', HOUR],
    ['refresh', 'activity', '--as-of', HOUR],
    ['backfill', 'value', '--from', HOUR, '--to', HOUR, '--dry-run'],
    ['dataset', 'value', '--from', HOUR, '--to', HOUR],
  ])('%s of an hour where all schedules are daily, and of a date where all are hourly', async (...args) => {
    const name = args[1] ?? ''
    const hourly = await nightshift(args, at)
    expect(hourly.code).toBe(2)
    expect(hourly.stderr).toContain(
      `expected a date such as 2026-11-22, since every schedule of ${name} is daily (nightly), got: ${HOUR}`,
    )
    const schedule = 'schedules/nightly.yaml'
    const text = readFileSync(join(project.root, schedule), 'utf8')
    try {
      await project.write(schedule, 'schedule: nightly\ncron: "5 * * * *"\ngrain: hour\nscore: [value]\n')
      const daily = await nightshift(
        args.map((arg) => (arg === HOUR ? '2026-03-02' : arg)),
        at,
      )
      expect(daily.code).toBe(2)
      expect(daily.stderr).toContain(
        `expected an hour such as 2026-11-22T03Z, since every schedule of ${name} is hourly (nightly), got: 2026-03-02`,
      )
    } finally {
      await project.write(schedule, text)
    }
  })

  test('a span of more nights than anybody means', async () => {
    const { code, stderr } = await nightshift(
      ['backfill', 'value', '--from', '1000-01-01', '--to', '2026-01-01', '--dry-run'],
      at,
    )
    expect(code).toBe(2)
    expect(stderr).toContain('to be at most 100000 as-ofs apart, got: 1000-01-01 and 2026-01-01')
  })

  test('a source whose path names no file is an error of validate', async () => {
    const view = readFileSync(join(project.root, 'features/activity/view.yaml'), 'utf8')
    expect((await nightshift(['validate'], at)).code).toBe(0)
    try {
      await project.write('features/activity/view.yaml', view.replace('data/events/**', 'data/evnts/**'))
      const { code, stdout } = await nightshift(['validate'], at)
      expect(code).toBe(2)
      expect(stdout).toContain(
        'source events: expected at least one Parquet file at data/evnts/**/*.parquet, got: none',
      )
    } finally {
      await project.write('features/activity/view.yaml', view)
    }
  })
})

test('--version alone is that of the program, and after a command that of a model', async () => {
  const own = JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8')).version
  const bare = spawnSync(process.execPath, ['dist/cli.js', '--version'], { encoding: 'utf8' })
  expect([bare.status, bare.stdout, bare.stderr]).toEqual([0, `${own}\n`, ''])
  const { code, stdout, stderr } = await nightshift(['promote', 'nobody', '--version', '1'], {
    project: tmpdir(),
  })
  expect([code, stdout]).toEqual([2, ''])
  expect(stderr).not.toContain(own)
})
