import { spawnSync } from 'node:child_process'
import { createHmac, timingSafeEqual } from 'node:crypto'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DuckDBInstance, DuckDBTimestampValue } from '@duckdb/node-api'
import { expect, test } from 'vitest'
import { parse } from 'yaml'
import { openEngine } from '../../src/pipeline/engine/duckdb.ts'
import { checkFeatureSql } from '../../src/pipeline/sql/check-sql.ts'
import { exampleSchema } from '../../src/project/schema/example-schema.ts'
import { modelSchema } from '../../src/project/schema/model-schema.ts'
import { scheduleSchema } from '../../src/project/schema/schedule-schema.ts'
import { settingsSchema } from '../../src/project/schema/settings-schema.ts'
import { viewSchema } from '../../src/project/schema/view-schema.ts'
import { blocksOf, PAGES, ROOT } from './blocks.ts'

const ALL = PAGES.flatMap(blocksOf)
const read = (page: string) => readFileSync(join(ROOT, page), 'utf8')
const inLanguage = (language: string) => ALL.filter((block) => block.language === language)

async function problemsOf(sql: string, declaredSources: string[]) {
  const engine = await openEngine({ readable: [], writable: [], temp: tmpdir(), threads: 1, timezone: 'UTC' })
  try {
    const { problems } = await checkFeatureSql(engine, sql, { file: 'features.sql', declaredSources })
    return problems.filter(({ severity }) => severity === 'error').map(({ message }) => message)
  } finally {
    engine.close()
  }
}

/** What each kind of file has to say besides what a snippet shows of it. */
const KINDS = {
  'nightshift.yaml': { schema: settingsSchema, rest: { project: 'p', timezone: 'UTC' } },
  'model.yaml': {
    schema: modelSchema,
    rest: {
      model: 'm',
      owner: 'o@example.com',
      on_call: ['o@example.com'],
      view: 'v',
      labels: { sql: 'labels.sql', horizon: '30d' },
      score: { column: 's' },
    },
  },
  'view.yaml': { schema: viewSchema, rest: { view: 'v', entity: 'id', owner: 'o' } },
  'schedule.yaml': { schema: scheduleSchema, rest: { schedule: 's', cron: '0 2 * * *', score: ['m'] } },
  'example.yaml': { schema: exampleSchema, rest: {} },
}

/** The kinds of file in which a snippet is legal, and what the others say against it. */
function legalIn(text: string): { kinds: string[]; problems: string } {
  const given = parse(text)
  const asked = Object.entries(KINDS).map(([kind, { schema, rest }]) => ({
    kind,
    result: schema.safeParse({ ...rest, ...given }),
  }))
  return {
    kinds: asked.filter(({ result }) => result.success).map(({ kind }) => kind),
    problems: asked.map(({ kind, result }) => `${kind}: ${result.error?.message ?? ''}`).join('\n'),
  }
}

test('every YAML of a page is legal in the file that it names, or in one kind of file', () => {
  const found = inLanguage('yaml')
  expect(found.length).toBeGreaterThan(20)
  for (const { page, line, text } of found) {
    const { kinds, problems } = legalIn(text)
    const named = /^# (?:\S*\/)?(nightshift\.yaml|model\.yaml|view\.yaml)\n/.exec(text)?.[1]
    expect(kinds, `${page}:${line}\n${text}\n${problems}`).not.toEqual([])
    if (named !== undefined) expect(kinds, `${page}:${line}`).toContain(named)
  }
})

test('the sources of docs/sources.md have legal SELECTs', async () => {
  for (const { text } of inLanguage('yaml').filter(({ page }) => page === 'docs/sources.md')) {
    const { sources } = viewSchema.parse({ view: 'v', entity: 'id', owner: 'o', ...parse(text) })
    for (const { select } of Object.values(sources))
      if (select !== undefined) expect(await problemsOf(select, ['raw'])).toEqual([])
  }
})

/** Tables that the SQL of pages reads. */
const TABLES = `
create table customers (customer_id bigint, plan varchar, joined_at timestamp);
create table orders (order_id bigint, customer_id bigint, ordered_at timestamp, amount double);
create table calls (customer_id bigint, started_at timestamp);
create table telco_customer_churn ("Contract" varchar, "InternetService" varchar);
insert into customers values (1, 'plus', '2026-01-01 10:00:00'), (2, 'basic', '2026-02-01 10:00:00');
insert into orders values (1, 1, '2026-02-20 10:00:00', 5), (2, 1, '2026-02-27 10:00:00', 7);
insert into calls values (1, '2026-02-27 03:00:00'), (1, '2026-02-01 12:00:00');
insert into telco_customer_churn values ('Month-to-month', 'Fiber optic')`

test('every SQL of a page runs', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'nightshift-test-sql-'))
  const instance = await DuckDBInstance.create(':memory:')
  try {
    const connection = await instance.connect()
    await connection.run(TABLES)
    await connection.run(`COPY orders TO '${folder}/orders.csv'`)
    const found = inLanguage('sql')
    expect(found.length).toBeGreaterThan(3)
    for (const { page, line, text } of found) {
      const inFolder = text.replaceAll(/'(orders\.\w+)'/g, `'${folder}/$1'`)
      // Lines of a list of columns.
      const whole = /^\s*(?:SELECT|COPY|WITH)/i.test(inFolder)
        ? inFolder
        : `SELECT ${inFolder.trim().replace(/,$/, '')} FROM telco_customer_churn`
      const statement = await connection.prepare(whole)
      if (whole.includes('$as_of'))
        statement.bind({ as_of: new DuckDBTimestampValue(BigInt(Date.UTC(2026, 2, 1)) * 1000n) })
      const rows = (await statement.runAndReadAll()).getRows()
      expect(rows.length, `${page}:${line}`).toBeGreaterThan(0)
    }
    connection.closeSync()
  } finally {
    instance.closeSync()
    rmSync(folder, { recursive: true, force: true })
  }
})

test('the receiver of docs/webhooks.md takes what is signed, and nothing else', () => {
  const [receiver, ...others] = inLanguage('js')
  expect(others).toEqual([])
  const genuine = new Function(
    'createHmac',
    'timingSafeEqual',
    'process',
    'timestamp',
    'rawBody',
    'signature',
    `${receiver?.text}\nreturn genuine`,
  )
  const sender = { env: { HOOK_SECRET: 'secret' } }
  const signature = `sha256=${createHmac('sha256', 'secret').update('17.{"a":1}').digest('hex')}`
  expect(genuine(createHmac, timingSafeEqual, sender, '17', '{"a":1}', signature)).toBe(true)
  for (const [time, body, given] of [
    ['18', '{"a":1}', signature],
    ['17', '{"a":2}', signature],
    ['17', '{"a":1}', 'sha256=00'],
  ])
    expect(genuine(createHmac, timingSafeEqual, sender, time, body, given)).toBe(false)
})

test('a language of a page is one whose snippets are tested', () => {
  // mermaid: written by `npm run states`, and compared with what it writes.
  const tested = ['', 'yaml', 'sql', 'python', 'js', 'mermaid', 'sh', 'bash']
  expect(ALL.filter(({ language }) => !tested.includes(language))).toEqual([])
})

test('the SQL of docs/feature-sql.md is legal, and what it calls refused is refused', async () => {
  for (const { text: sql } of inLanguage('sql').filter(({ page }) => page === 'docs/feature-sql.md'))
    expect(await problemsOf(sql, ['customers', 'orders'])).toEqual([])
  const refused = [
    ...(read('docs/feature-sql.md').split('## What is refused')[1] ?? '').matchAll(/^\| `([^`]+)` \|/gm),
  ]
  expect(refused.length).toBeGreaterThan(8)
  for (const [, sql = ''] of refused)
    expect(await problemsOf(sql, ['customers', 'orders']), sql).not.toEqual([])
})

const hasPython = spawnSync('python3', ['-c', 'import ast, sys']).status === 0
if (!hasPython) console.warn('skipped: python3 is not there, and the Python of the pages is not parsed')

test.skipIf(!hasPython)('the Python of the pages can be parsed', () => {
  const found = inLanguage('python')
  expect(found.length).toBeGreaterThan(10)
  const program = `
import ast, json, sys
for each in json.load(sys.stdin):
    try: ast.parse(each["text"])
    except SyntaxError as error: sys.exit(each["page"] + ":" + str(each["line"]) + ": " + str(error))
`
  const { status, stderr } = spawnSync('python3', ['-c', program], {
    input: JSON.stringify(found),
    encoding: 'utf8',
  })
  expect(status, stderr).toBe(0)
})
