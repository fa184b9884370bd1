import {
  appendFileSync,
  cpSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { formatProblems } from '../../../src/project/files/format-problems.ts'
import { loadProject, openProject } from '../../../src/project/files/load-project.ts'
import { ConfigurationError } from '../../../src/project/files/problem.ts'
import { runbookSections } from '../../../src/project/init/runbook-skeleton.ts'

const cases = fileURLToPath(new URL('../../cases/', import.meta.url))
/** The calendar rules look a year ahead from here. */
const NOW = new Date('2026-11-22T12:00:00Z')
const told = (root: string) => loadProject(root, { now: NOW }).problems

let folder: string
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'nightshift-load-'))
})
afterEach(() => rmSync(folder, { recursive: true, force: true }))

/**
 * A copy of a case. Runbooks that were complete get the sections of newer kinds of incidents: no case is about those.
 */
function copyOf(name: string): string {
  cpSync(join(cases, name), folder, { recursive: true })
  for (const path of readdirSync(folder, { recursive: true, encoding: 'utf8' })) {
    if (!path.endsWith('RUNBOOK.md')) continue
    const text = readFileSync(join(folder, path), 'utf8')
    if (!text.includes('## retrain')) continue
    const newer = runbookSections(text).filter(({ line }) => line === undefined)
    appendFileSync(join(folder, path), newer.map((each) => `## ${each.class}\nAsk the owner.\n`).join(''))
  }
  return folder
}

/** The design's own project, with some files replaced. */
function project(files: Record<string, string>): string {
  copyOf('as-designed')
  for (const [path, text] of Object.entries(files)) {
    mkdirSync(join(folder, path, '..'), { recursive: true })
    writeFileSync(join(folder, path), text)
  }
  return folder
}

const SCHEDULE = 'schedule: nightly\ncron: "0 4 * * *"\nscore: [churn]\n'

describe('a project with something wrong', () => {
  const folders = readdirSync(cases).filter((name) => readdirSync(join(cases, name)).includes('expected.txt'))
  it.each(folders)('is told all of it in one go: test/cases/%s', async (name) => {
    await expect(`${formatProblems(told(copyOf(name)))}\n`).toMatchFileSnapshot(
      join(cases, name, 'expected.txt'),
    )
  })

  it('refuses a webhook that is declared twice: it would get every post twice', () => {
    const webhook = '{ url: "https://hooks.example.com/b", secret_env: HOOK_SECRET }'
    const settings = `project: telco\ntimezone: UTC\nalerts: { from: a@example.com, base_url: "https://n.example.com", webhook: [${webhook}, ${webhook}] }\n`
    const problems = told(project({ 'nightshift.yaml': settings })).filter(
      ({ severity }) => severity === 'error',
    )
    expect(problems).toMatchObject([{ line: 3, message: 'alerts.webhook lists this url twice: remove one' }])
  })

  it('gives a position that lies on the key or value named', () => {
    const lines = ['project: telco', 'timezone: Europe/Berlin', 'alerts:', '  from: nobody', '  basis: x', '']
    const problems = told(project({ 'nightshift.yaml': lines.join('\n') })).filter(
      ({ severity }) => severity === 'error',
    )
    expect(problems).toMatchObject([
      { line: 3, column: 1, message: expect.stringMatching(/^base_url is missing in alerts/) },
      { line: 4, column: 9, message: expect.stringMatching(/^expected alerts.from to be one mail address/) },
      { line: 5, column: 3, message: expect.stringMatching(/^unknown key basis in alerts/) },
    ])
  })

  it('keeps the parts that are right, so that their SQL can be looked at too', () => {
    const { project: left, problems } = loadProject(
      project({
        'schedules/nightly.yaml': `${SCHEDULE}nonsense: 1\n`,
        'features/broken/view.yaml': 'view: broken\n',
        'features/broken/features.sql': 'SELECT 1 AS x',
      }),
      { now: NOW },
    )
    expect(problems.some(({ severity }) => severity === 'error')).toBe(true)
    expect(left && [Object.keys(left.views), Object.keys(left.models), Object.keys(left.schedules)]).toEqual([
      ['customer_activity'],
      ['churn'],
      [],
    ])
  })

  it('has no model, view or schedule by the names that every object of JavaScript has', () => {
    const { project: left } = loadProject(project({}), { now: NOW })
    for (const name of ['constructor', 'toString', '__proto__']) {
      expect([left?.models[name], left?.views[name], left?.schedules[name]]).toEqual([
        undefined,
        undefined,
        undefined,
      ])
    }
  })

  it('is no project at all without its settings', () => {
    expect(
      loadProject(project({ 'nightshift.yaml': 'project: telco\n' }), { now: NOW }).project,
    ).toBeUndefined()
  })
})

describe('a sound project', () => {
  it('is plain data with every default in its place', () => {
    const { project: loaded } = loadProject(project({ 'schedules/nightly.yaml': SCHEDULE }), { now: NOW })
    expect(structuredClone(loaded)).toEqual(loaded)
    expect(loaded).toMatchObject({
      root: folder,
      name: 'telco',
      warehouse: join(folder, 'warehouse'),
      alerts: { repeat: { text: '4h', ms: 14_400_000 }, group: { text: '30s', ms: 30_000 } },
      people: { 'ann@example.com': 'approver', 'oncall@example.com': 'operator' },
    })
    expect(loaded?.views.customer_activity).toEqual({
      name: 'customer_activity',
      folder: join(folder, 'features/customer_activity'),
      sqlFile: join(folder, 'features/customer_activity/features.sql'),
      sql: "SELECT customer_id, plan, date_diff('day', valid_from, $as_of) AS tenure_days FROM customers\n",
      entity: ['customer_id'],
      owner: 'data-eng@example.com',
      description: undefined,
      sources: {
        customers: {
          kind: 'history',
          path: 'data/customers/*.parquet',
          key: ['customer_id'],
          valid_from: 'valid_from',
          valid_to: 'valid_to',
        },
        calls: {
          kind: 'events',
          path: 'data/calls/**/*.parquet',
          event_time: 'started_at',
          available_at: 'ingested_at',
          cutoff: { text: '4h', ms: 14_400_000, days: undefined },
        },
      },
      columns: { tenure_days: { min: 0, max_null_rate: 0 }, plan: { values: ['basic', 'plus', 'pro'] } },
      expect: {
        rows: { min: 1000, max_change: 0.2 },
        fresh: { calls: { text: '26h', ms: 93_600_000, days: undefined } },
      },
      fill: {},
      perEntity: false,
      shards: 1,
      minShard: 128_000_000,
      parity: 'nightly',
    })
    expect(loaded?.models.churn).toMatchObject({
      on_call: ['oncall@example.com'],
      consumers: [],
      onnx: { output: 'probabilities', class: 1, inputs: {} },
      score: { column: 'churn_probability', min: 0, max: 1, threshold: 0.5 },
      labels: {
        sqlFile: join(folder, 'models/churn/labels.sql'),
        sql: 'SELECT customer_id, 0 AS cancelled FROM customers\n',
        horizon: { text: '30d', ms: 2_592_000_000, days: 30 },
        lag: { text: '0d', ms: 0, days: 0 },
      },
      evaluation: { require: { auc: { min: 0.75, max_drop: 0.01 } }, segments: [], k: 0.1 },
      shadow: { min_nights: 14, current: undefined, require: { min_coverage: 0.99 } },
      drift: {
        columns: ['tenure_days'],
        score: true,
        min_effect: 0.1,
        persist: '2 of 3',
        reference: { kind: 'holdout' },
      },
      retrain: {
        command: ['node', 'train.js'],
        when: { drift_nights: 3, auc_below: 0.72, age: { days: 90 } },
      },
      rollback: { keep_warm_nights: 7 },
      scoring: { shards: 1, min_rows: 250_000 },
      outcomes: undefined,
    })
    expect(loaded?.schedules.nightly).toEqual({
      name: 'nightly',
      file: join(folder, 'schedules/nightly.yaml'),
      cron: '0 4 * * *',
      timezone: 'Europe/Berlin',
      grain: 'day',
      score: ['churn'],
      refresh: [],
      timeout: { text: '1h', ms: 3_600_000, days: undefined },
      catch_up: { policy: 'all', max: 7 },
      deadline: undefined,
      retry: {
        attempts: 3,
        backoff: { text: '30s', ms: 30_000, days: undefined },
        wait_for_data: { text: '0s', ms: 0, days: undefined },
      },
      drills: {},
      start: undefined,
      paused: false,
    })
  })

  it('may use every key that there is', () => {
    const root = project({
      'nightshift.yaml':
        'project: telco\ntimezone: Europe/Berlin\nwarehouse: /srv/warehouse\nheartbeat: https://ping.example.com/x\n' +
        'alerts: { from: a@example.com, base_url: "https://n.example.com", repeat: 2h, group: 0s, command: nightshift, webhook: [{ url: "https://hooks.example.com/a?b=c", secret_env: HOOK_SECRET, format: slack }] }\n',
      'features/customer_activity/view.yaml':
        'view: customer_activity\ndescription: Activity\nentity: [customer_id, line_id]\nowner: x\nparity: weekly\n' +
        'fill: { plan: none, calls: 0, vip: false }\n' +
        'sources:\n  plans: { path: p/*.parquet, kind: snapshots, snapshot_at: day, timezone: Europe/Berlin }\n' +
        '  regions: { path: /abs/r.parquet, kind: static }\n' +
        '  states: { path: s.parquet, kind: history, valid_from: since, available_at: at, cutoff: 0s }\n',
      'models/churn/model.yaml':
        'model: churn\nowner: x\non_call: oncall@example.com\nconsumers: [CRM]\nview: customer_activity\nscore: { column: s }\n' +
        'labels: { horizon: 2w, lag: 3d }\nevaluation: { segments: [plan] }\n' +
        'shadow: { min_nights: 0, current: { path: old/*.parquet, entity: customer_id, score: p } }\n' +
        'outcomes: { treated: SELECT customer_id FROM contacts, metrics: [{ name: saved, sql: SELECT 1, target: 3 }] }\n',
      'schedules/nightly.yaml':
        'schedule: nightly\ncron: "5 * * * *"\ntimezone: UTC\ngrain: hour\nrefresh: [customer_activity]\ndeadline: "+20m"\n' +
        'start: 2027-01-01T00:00:00Z\npaused: true\ncatch_up: { policy: none }\n',
    })
    expect(told(root)).toEqual([])
    const { project: loaded } = loadProject(root, { now: NOW })
    expect(loaded?.warehouse).toBe('/srv/warehouse')
    expect(loaded?.views.customer_activity?.sources.states).toMatchObject({ key: ['customer_id', 'line_id'] })
    expect(loaded?.models.churn?.outcomes).toEqual({
      treated: 'SELECT customer_id FROM contacts',
      metrics: [{ name: 'saved', sql: 'SELECT 1', target: 3 }],
    })
  })

  it('ignores what is no part of it: empty and hidden folders, notes, other files', () => {
    const root = project({
      'schedules/nightly.yaml': SCHEDULE,
      'features/README.md': 'notes',
      'features/.cache/x': '',
      'features/_drafts/x.sql': '',
      'schedules/README.md': 'notes',
    })
    mkdirSync(join(root, 'models/empty'))
    expect(told(root)).toEqual([])
  })
})

describe('openProject', () => {
  it('throws all errors as one list that can be read, and carries them', () => {
    const root = project({
      'schedules/nightly.yaml': 'schedule: nightly\ncron: "0 4 * * *"\nscore: [chrun]\nwhy: 1\n',
    })
    const error = thrown(() => openProject(root))
    expect(error).toBeInstanceOf(ConfigurationError)
    expect(error.problems).toHaveLength(2)
    expect(error.message).toContain(`the files of the project in ${root} have errors; nothing was started:`)
    expect(error.message).toContain('schedules/nightly.yaml:3:9 error expected score[0] to be one of churn')
    expect(error.message).toMatch(/2 errors$/)
  })

  it('is told the sections of a runbook that mails link to and that are missing', () => {
    const runbook = { 'models/churn/RUNBOOK.md': '# Runbook\n\n## drift\n\nLook.\n' }
    const [warning, ...more] = told(project(runbook)).filter(({ file }) => file?.endsWith('RUNBOOK.md'))
    expect(more).toEqual([])
    expect(warning?.severity).toBe('warning')
    expect(warning?.message).toMatch(
      /sections that are missing: late-data, contract,.*, given-up, quality, parity/,
    )
    expect(warning?.message).toContain('`nightshift runbook churn --add`')
  })

  it('opens a project that has only warnings', () => {
    rmSync(join(project({}), 'models/churn/RUNBOOK.md'))
    expect(openProject(folder).name).toBe('telco')
  })

  it('names the folder, --project and init where there is no project', () => {
    const { message, problems } = thrown(() => openProject(folder))
    expect(message).toBe(
      `expected a project with nightshift.yaml in ${folder}, got none; name the project's folder with --project DIR, or make a new one with \`nightshift init DIR\``,
    )
    expect(problems).toHaveLength(1)
    expect(thrown(() => openProject(join(folder, 'nowhere'))).message).toContain(
      'nowhere, which does not exist, got none',
    )
    writeFileSync(join(folder, 'nightshift.yml'), '')
    expect(thrown(() => openProject(folder)).message).toContain(
      'rename nightshift.yml there to nightshift.yaml',
    )
    expect(thrown(() => openProject(join(folder, 'nightshift.yml'))).message).toContain('which is a file')
  })
})

describe('the keys of a source', () => {
  it('name no deciding column as optional, and types of keys that there are', () => {
    const view = (more: string) =>
      told(
        project({
          'features/activity/view.yaml': `view: activity\nentity: id\nowner: a@example.com\nsources:\n  t: { path: d/*.parquet, kind: events, event_time: at, ${more} }\n`,
          'features/activity/features.sql': 'SELECT id FROM t\n',
        }),
      ).filter(({ file }) => file.startsWith('features/'))
    expect(view('optional: [tip], hive: { month: INTEGER }, settle: 10m')).toEqual([])
    expect(view('optional: [tip, at]')).toMatchObject([
      {
        severity: 'error',
        line: 5,
        message: expect.stringContaining('optional names at, which is its event_time'),
      },
    ])
    expect(view('hive: { month: int }')).toMatchObject([
      { message: expect.stringContaining('one of VARCHAR, INTEGER, BIGINT, DATE, BOOLEAN') },
    ])
  })
})

describe('the calendar rules', () => {
  const schedule = (more: string) =>
    told(project({ 'schedules/nightly.yaml': `schedule: nightly\nscore: [churn]\n${more}` }))

  it('let a wait end exactly at the cutoff, and not a minute later', () => {
    expect(schedule('cron: "30 1 * * *"\nretry: { wait_for_data: 150m }\n')).toEqual([])
    expect(schedule('cron: "31 1 * * *"\nretry: { wait_for_data: 150m }\n')).toMatchObject([
      { severity: 'error', line: 4 },
    ])
  })

  it('let a night begin after the cutoff where it waits for nothing', () => {
    expect(schedule('cron: "0 9 * * *"\n')).toEqual([])
  })

  it('advise against a cutoff that ends long after the night has looked for data', () => {
    const root = project({
      'schedules/nightly.yaml':
        'schedule: nightly\ncron: "30 1 * * *"\nscore: [churn]\nretry: { wait_for_data: 90m }\n',
    })
    const view = join(root, 'features/customer_activity/view.yaml')
    const withCutoff = (text: string) => {
      writeFileSync(view, readFileSync(view, 'utf8').replace(/cutoff: \w+/, `cutoff: ${text}`))
      return told(root)
    }
    expect(withCutoff('15h')).toEqual([])
    expect(withCutoff('48h')).toMatchObject([
      {
        severity: 'advice',
        message: expect.stringMatching(/until 3h after the as-of, but source calls .* has cutoff 48h/),
      },
    ])
  })

  it('begin at the start of a schedule', () => {
    expect(schedule('cron: "30 2 * * *"\nstart: 2026-11-23\n')).toHaveLength(2)
    expect(schedule('cron: "30 2 * * *"\nstart: 2027-04-01\n')).toMatchObject([
      { severity: 'warning', message: expect.stringContaining('02:30 exists twice on 2027-10-31') },
      { severity: 'warning', message: expect.stringContaining('2028-03-26 02:30 does not exist') },
    ])
  })

  it('let an hourly schedule pass both changes of clocks without a word', () => {
    expect(schedule('cron: "0 * * * *"\ngrain: hour\n')).toEqual([])
  })

  it('let two schedules share a model on different days', () => {
    const root = project({
      'schedules/nightly.yaml': 'schedule: nightly\ncron: "0 4 * * 1-5"\nscore: [churn]\n',
      'schedules/weekend.yaml': 'schedule: weekend\ncron: "0 7 * * 0,6"\nscore: [churn]\n',
    })
    expect(told(root)).toEqual([])
  })

  it('do not take long for a cron that ticks every minute', () => {
    const begin = performance.now()
    expect(schedule('cron: "* * * * *"\nretry: { wait_for_data: 5h }\n')).toMatchObject([{ line: 3 }])
    expect(performance.now() - begin).toBeLessThan(60_000)
  })
})

function thrown(work: () => unknown): ConfigurationError {
  try {
    work()
  } catch (error) {
    if (error instanceof ConfigurationError) return error
    throw error
  }
  throw new Error('expected a ConfigurationError, got none')
}
