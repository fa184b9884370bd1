import { cpSync, existsSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { request } from 'node:http'
import { tmpdir } from 'node:os'
import { dirname, join, resolve } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { letterHtml } from '../src/alerts/letters/letter-html.ts'
import { letterText } from '../src/alerts/letters/letter-text.ts'
import { toMessage } from '../src/alerts/letters/message.ts'
import { threadLetter, threadSubject } from '../src/alerts/letters/thread-mail.ts'
import { openEngine } from '../src/pipeline/engine/duckdb.ts'
import { checkFeatureSql } from '../src/pipeline/sql/check-sql.ts'
import { formatProblems } from '../src/project/files/format-problems.ts'
import { loadProject, openProject } from '../src/project/files/load-project.ts'
import type { Project } from '../src/project/project.ts'
import { parseAsOf } from '../src/project/time/asof.ts'
import { csv } from '../src/web/csv.ts'
import { nightReport } from '../src/web/night-report.ts'
import { facts, SETTINGS } from './alerts/sample.ts'
import { nightshift } from './cli/nightshift.ts'
import { compute, makeFolder, writeParquet } from './pipeline/feature-case.ts'
import { FAILED, LABELS_SQL, MODEL_YAML, writeHistory } from './web/history.ts'
import { openSite, PASSWORD, type Site, usersOf } from './web/site.ts'

/*
 * What a hostile hand writes, where it goes in, and what happened. Each attempt returns what came out at the other end; `SECRET`
 * or a mark that somebody's code ran must never be in it.
 */

const SECRET = 'hunter2-the-secret'
const SCRIPT = '<script>alert(1)</script>'
const BREAKOUT = `"'><img src=x onerror=alert(1)>`
/** Elements and addresses of ours never look like this. */
const MARKUP = /<script|<img src=x|<b onclick|href="(?:javascript|vbscript):/i
/** The escape of terminals, a turn of direction, the character of code 0. */
const ESCAPES = ['\u001b', '\u202e', '\u0000']

let folder: string
let site: Site
let project: Project
beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'nightshift-hostile-'))
  writeFileSync(join(folder, 'secret'), SECRET)
  site = await openSite({
    users: usersOf({ ann: 'operator', vic: 'viewer' }),
    files: { 'models/value/model.yaml': MODEL_YAML, 'models/value/labels.sql': LABELS_SQL },
  })
  project = openProject(site.project.root)
  await writeHistory(site.database)
})
afterAll(async () => {
  await site?.close()
  rmSync(folder, { recursive: true, force: true })
})

/** The design's own project with one file replaced, or put there as a link. */
function projectWith(file: string, content: string | { link: string }): string {
  const root = mkdtempSync(join(folder, 'project-'))
  cpSync(resolve(import.meta.dirname, 'cases/as-designed'), root, { recursive: true })
  rmSync(join(root, file), { force: true })
  mkdirSync(dirname(join(root, file)), { recursive: true })
  if (typeof content === 'string') writeFileSync(join(root, file), content)
  else symlinkSync(content.link, join(root, file))
  return root
}

async function told(file: string, content: string | { link: string }): Promise<string> {
  const { problems } = loadProject(projectWith(file, content))
  return formatProblems(problems.filter(({ severity }) => severity === 'error'))
}

const settings = (line: string) => told('nightshift.yaml', `project: telco\ntimezone: UTC\n${line}\n`)
const alerts = (baseUrl: string, from = 'a@example.com') =>
  settings(`alerts: { from: ${JSON.stringify(from)}, base_url: ${JSON.stringify(baseUrl)} }`)
const source = (path: string) =>
  told(
    'features/customer_activity/view.yaml',
    `view: customer_activity\nentity: customer_id\nowner: x\nsources: { t: { kind: static, path: ${JSON.stringify(path)} } }\n`,
  )

async function sql(text: string): Promise<string> {
  const engine = await openEngine({ readable: [], writable: [], temp: '/tmp', threads: 1, timezone: 'UTC' })
  try {
    const { problems } = await checkFeatureSql(engine, text, { file: 'f.sql', declaredSources: ['t'] })
    return formatProblems(problems.filter(({ severity }) => severity === 'error'))
  } finally {
    engine.close()
  }
}

/** Computes features of a source whose file, or whose column, has this name; the rows, or why there are none. */
async function night({
  file = 'a.parquet',
  column = 'x',
}: {
  file?: string
  column?: string
}): Promise<string> {
  const root = makeFolder()
  const name = `"${column.replaceAll('"', '""')}"`
  await writeParquet(join(root, 'plain.parquet'), `SELECT 1 AS id, 7 AS ${name}`)
  mkdirSync(join(root, 'data'))
  cpSync(join(root, 'plain.parquet'), join(root, 'data', file))
  const view = {
    sql: `SELECT id, ${name} FROM t`,
    sources: { t: { kind: 'static' as const, path: 'data/*', timezone: 'UTC' } },
  }
  try {
    const { rows } = await compute(root, view, '2026-11-22')
    return `published ${JSON.stringify(rows)}`
  } catch (error) {
    return error instanceof Error ? error.message : String(error)
  }
}

/** An address as it is written: `fetch` would mend it. */
async function ask(path: string, headers: Record<string, string> = {}): Promise<string> {
  const { hostname, port } = new URL(site.url)
  const cookie = await site.signIn('ann')
  return new Promise((done, fail) => {
    request({ hostname, port, path, headers: { cookie, ...headers } }, (answer) => {
      const parts: Buffer[] = []
      answer.on('data', (part) => parts.push(part))
      answer.on('end', () => {
        const { location = '' } = answer.headers
        done(`${answer.statusCode} ${location} ${Buffer.concat(parts).toString()}`)
      })
    })
      .on('error', fail)
      .end()
  })
}

async function post(
  path: string,
  form: Record<string, string>,
  headers: Record<string, string> = {},
  who = 'ann',
) {
  const cookie = await site.signIn(who)
  const csrf = await site.csrf(who)
  const answer = await site.ask(path, { cookie, form: { csrf, ...form }, headers })
  return `${answer.status} ${answer.headers.get('location') ?? ''} ${await answer.text()}`
}

async function mail(changes: Parameters<typeof facts>[0], recipient = 'oncall@example.com'): Promise<string> {
  const of = facts(changes)
  const incident = {
    ...{ id: 12, subject: of.subject, subjectKind: of.subjectKind, kind: of.failure.class },
    ...{ openedAt: new Date(0), closedAt: undefined, ackedAt: undefined, ackedBy: undefined },
    ...{ facts: of, nights: [] },
  }
  const now = new Date(60_000)
  const letter = threadLetter({
    occasion: 'opened',
    incidents: [incident],
    recipient,
    now,
    settings: SETTINGS,
  })
  const subject = threadSubject(SETTINGS.project, [incident])
  const { raw } = await toMessage(
    {
      ...{ id: 1, thread: undefined, recipient, subject, messageId: '<1@x>', inReplyTo: undefined },
      ...{ references: [], text: letterText(letter), html: letterHtml(letter, subject), attachments: [] },
      ...{ createdAt: now, tries: 0 },
    },
    SETTINGS,
  )
  const head = raw.toString().split('\r\n\r\n')[0] ?? ''
  return `${head.replaceAll('\r', '')}\n\n${letterHtml(letter, subject)}`
}

/** A night's report of the project with some of its settings and its model's words replaced. */
async function report(words: string, baseUrl: string): Promise<string> {
  const { value } = project.models
  if (value === undefined) throw new Error('the project has no model value')
  const model = { ...value, description: words, owner: words, consumers: [words] }
  const of: Project = {
    ...project,
    ...{ name: words, models: { value: model } },
    alerts: project.alerts && { ...project.alerts, base_url: baseUrl },
  }
  await site.database.pool.query(
    `update nightshift.runs set failure = jsonb_set(failure, '{message}', to_jsonb($1::text))
      where failure is not null`,
    [words],
  )
  const asOf = parseAsOf(FAILED, of.timezone)
  return nightReport({ database: site.database, project: () => of }, model, asOf, new Date())
}

async function runbook(text: string | { link: string }): Promise<string> {
  const path = join(site.project.root, 'models/value/RUNBOOK.md')
  rmSync(path, { force: true })
  if (typeof text === 'string') writeFileSync(path, text)
  else symlinkSync(text.link, path)
  return ask('/models/value/runbook')
}

async function cli(...args: string[]): Promise<string> {
  const root = projectWith('README.md', 'x')
  const { code, stdout, stderr } = await nightshift(args, { project: root })
  return `${code} ${stdout}${stderr}`
}

type Row = [payload: string, where: string, attempt: () => Promise<string>, happened: RegExp]

const FILES: Row[] = [
  [
    'a link to the environment',
    'RUNBOOK.md on its page',
    () => runbook({ link: '/proc/self/environ' }),
    /^404 [\s\S]*This runbook cannot be shown[\s\S]*leads out of it/,
  ],
  [
    'a link to a secret',
    'RUNBOOK.md on its page',
    () => runbook({ link: join(folder, 'secret') }),
    /404 .*leads out of it/s,
  ],
  [
    'a link to an endless device',
    'RUNBOOK.md on its page',
    () => runbook({ link: '/dev/zero' }),
    /404 .*leads out of it/s,
  ],
  [
    'a link to a secret',
    'labels.sql',
    () => told('models/churn/labels.sql', { link: join(folder, 'secret') }),
    /labels\.sql error .*leads out of it/,
  ],
  [
    'a link to a secret',
    'features.sql',
    () => told('features/customer_activity/features.sql', { link: join(folder, 'secret') }),
    /leads out of it/,
  ],
  [
    'a link to a secret',
    'nightshift.yaml',
    () => told('nightshift.yaml', { link: join(folder, 'secret') }),
    /leads out of it/,
  ],
  [
    '../../secret',
    'labels.sql of model.yaml',
    () =>
      told(
        'models/churn/model.yaml',
        'model: churn\nowner: x\non_call: a@example.com\nview: customer_activity\nscore: { column: s }\nlabels: { sql: ../../../secret, horizon: 30d }\n',
      ),
    /leads out of it|is missing/,
  ],
  [
    SCRIPT,
    'RUNBOOK.md',
    () => runbook(`## ${SCRIPT}\n\n${SCRIPT} **${SCRIPT}** \`${SCRIPT}\`\n\n\`\`\`\n${SCRIPT}\n\`\`\`\n`),
    /200 [\s\S]*&lt;script&gt;/,
  ],
  [
    '/\\evil.example',
    'a link in RUNBOOK.md',
    () => runbook('[x](/\\evil.example) [y](\\\\evil.example)'),
    /200 (?![\s\S]*href="[^"]*evil)/,
  ],
  [
    'javascript:',
    'a link in RUNBOOK.md',
    () => runbook('[x](javascript:alert(1)) [y](JAVASCRIPT:alert)'),
    /200 (?![\s\S]*href="javascript)/i,
  ],
]

const SETTINGS_ROWS: Row[] = [
  ['javascript:alert(1)', 'base_url', () => alerts('javascript:alert(1)//http://x'), /base_url to be a URL/],
  ['quotes and brackets', 'base_url', () => alerts(`http://x/${BREAKOUT}`), /base_url to be a URL/],
  ['a user and a password', 'base_url', () => alerts('https://ann:pw@example.com'), /without a user/],
  ['a fragment', 'base_url', () => alerts('https://example.com/#'), /without a user, `\?`, `#`/],
  [
    'a line break and a header',
    'alerts.from',
    () => alerts('https://example.com', 'a@example.com\r\nBcc: evil@example.com'),
    /from to be one mail address/,
  ],
  [
    'a second recipient',
    'people',
    () => settings('people: { "a@example.com,evil@example.com": operator }'),
    /one mail address/,
  ],
  [
    '__proto__',
    'people',
    () => settings('people: { __proto__: operator }'),
    /other than __proto__, got: __proto__/,
  ],
  [
    '30,000 keys',
    'nightshift.yaml',
    () => settings(Array.from({ length: 30_000 }, (_, at) => `k${at}: 1`).join('\n')),
    /and more: only the first 100/,
  ],
  ['2 MiB', 'nightshift.yaml', () => settings('#'.repeat(2 ** 21)), /at most 1 MiB/],
  [
    'aliases that multiply',
    'nightshift.yaml',
    () =>
      settings(
        `a: &a [1,1,1,1,1,1,1,1,1]\n${'bcdefghij'
          .split('')
          .map((name, at) => `${name}: &${name} [${`*${'abcdefghij'[at]},`.repeat(9)}]`)
          .join('\n')}`,
      ),
    /alias/i,
  ],
  [
    'an escape sequence of terminals',
    'a key',
    () => settings('"\\e]0;owned\\a\\e[2J": 1'),
    /unknown key \\u\{1b\}\]0;owned/,
  ],
  ['a name turned around', 'a key', () => settings('"\\u202efdp.exe": 1'), /unknown key \\u\{202e\}fdp/],
  [
    'a tag that makes objects',
    'nightshift.yaml',
    () => settings('a: !!js/function "process.exit(1)"'),
    /tags are not supported/,
  ],
  ['*a*a*a*a*b', 'path of a source', () => source(`data/${'*a'.repeat(100)}b`), /^$/],
  ['braces that multiply', 'path of a source', () => source('{a,b}'.repeat(30)), /at most 100 paths/],
  ['/**', 'path of a source', () => source('/**/*.parquet'), /a folder name before its first \*\*/],
  ['a NUL', 'path of a source', () => source('data/\0.parquet'), /without control characters/],
]

const SQL: Row[] = [
  ["read_text('/etc/passwd')", 'features.sql', () => sql("SELECT * FROM read_text('/etc/passwd')"), /error/],
  ["'/etc/passwd'", 'features.sql', () => sql("SELECT * FROM '/etc/passwd'"), /error/],
  [
    'a second statement',
    'features.sql',
    () => sql("SELECT 1 AS id FROM t; COPY t TO '/tmp/x'"),
    /one SELECT/,
  ],
  ['ATTACH', 'features.sql', () => sql("ATTACH '/tmp/x' AS x"), /one SELECT/],
  ['SET', 'features.sql', () => sql('SET enable_external_access = true'), /one SELECT/],
  ['getenv', 'features.sql', () => sql("SELECT getenv('HOME') AS id FROM t"), /getenv/],
  [
    'current_setting',
    'features.sql',
    () => sql("SELECT current_setting('temp_directory') AS id FROM t"),
    /current_setting/,
  ],
  ['duckdb_settings', 'features.sql', () => sql('SELECT * FROM duckdb_settings()'), /error/],
  [
    'a name that reads a file',
    'features.sql',
    () =>
      sql(
        'WITH RECURSIVE "/tmp/x.parquet" AS (SELECT * FROM "/tmp/x.parquet" UNION ALL SELECT * FROM "/tmp/x.parquet") SELECT * FROM "/tmp/x.parquet"',
      ),
    /error/,
  ],
]

const DATA: Row[] = [
  [
    'a quote and SQL',
    'name of a file',
    () => night({ file: "x'); DROP TABLE t; --.parquet" }),
    /published \[\{"id":"1","x":"7"\}\]/,
  ],
  ['a star', 'name of a file', () => night({ file: '*.parquet' }), /reads as a pattern/],
  ['a line break', 'name of a file', () => night({ file: 'a\nb.parquet' }), /published|expected/],
  ['$&', 'name of a file that is broken', () => night({ file: "$&$'.parquet" }), /published/],
  [
    'a quote and SQL',
    'name of a column',
    () => night({ column: 'x" FROM t; DROP TABLE t; --' }),
    /published|error|expected/,
  ],
  [BREAKOUT, 'name of a column', () => night({ column: BREAKOUT }), /published|expected/],
  [
    '=HYPERLINK(...)',
    'a value in CSV',
    async () => csv(['column'], [['=HYPERLINK("http://evil.example")'], ['@SUM(1)'], ['-1+1']]),
    /^column\r\n"'=HYPERLINK.*\r\n'@SUM\(1\)\r\n'-1\+1\r\n$/,
  ],
]

const PAGES: Row[] = [
  [
    BREAKOUT,
    'search of runs',
    () => ask(`/runs?text=${encodeURIComponent(BREAKOUT)}`),
    /^200 [\s\S]*&lt;img/,
  ],
  [
    SCRIPT,
    'address of a model',
    () => ask(`/models/${encodeURIComponent(SCRIPT)}`),
    /^404 [\s\S]*&lt;script/,
  ],
  [
    "' or 1=1 --",
    'search of runs',
    () => ask(`/runs?text=${encodeURIComponent("' or 1=1 --")}`),
    /^200 [\s\S]*No run/,
  ],
  ['../../etc/passwd', 'an address', () => ask('/../../etc/passwd'), /^404/],
  ['%2e%2e%2f', 'address of a runbook', () => ask('/models/..%2f..%2fvalue/runbook'), /^404/],
  ['//evil.example', 'next of the sign-in', () => ask('/signin?next=//evil.example'), /^200 (?![\s\S]*evil)/],
  [
    '/\\evil.example',
    'next of the sign-in',
    () => ask('/signin?next=/%5Cevil.example'),
    /^200 (?![\s\S]*evil)/,
  ],
  [
    'words of the attacker',
    'notice of a page',
    () => ask('/?done=Your+password+is+needed'),
    /^200 (?![\s\S]*password is needed)/,
  ],
  [
    'a header in an address',
    'an address',
    () => ask('/runs?text=a%0d%0aset-cookie:x=1'),
    /^200 [\s\S]*set-cookie:x=1&quot;|^200 [\s\S]*value="a\r?\nset-cookie:x=1"/,
  ],
  [
    'another host',
    'X-Forwarded-Host',
    () => ask('/signin', { 'x-forwarded-host': 'evil.example' }),
    /^200 (?![\s\S]*evil)/,
  ],
]

const FORMS: Row[] = [
  ['no csrf', 'retry', () => post('/runs/r1/retry', { csrf: '' }), /^403/],
  ['a foreign origin', 'retry', () => post('/runs/r1/retry', {}, { origin: 'https://evil.example' }), /^403/],
  ['the origin null', 'retry', () => post('/runs/r1/retry', {}, { origin: 'null' }), /^403/],
  [
    'a foreign origin with its own host forwarded',
    'retry',
    () => post('/runs/r1/retry', {}, { origin: 'https://evil.example', 'x-forwarded-host': 'evil.example' }),
    /^403/,
  ],
  [
    'a viewer',
    'skip',
    () => post('/slots/value/2026-03-02/skip', { reason: 'x' }, {}, 'vic'),
    /^403 [\s\S]*vic is a viewer/,
  ],
  ["r1' or '1'='1", 'retry', () => post(`/runs/${encodeURIComponent("r1' or '1'='1")}/retry`, {}), /^404/],
  [
    SCRIPT,
    'name at the sign-in',
    async () => {
      const answer = await site.ask('/signin', { form: { name: BREAKOUT, password: SCRIPT } })
      return `${answer.status} ${await answer.text()}`
    },
    /^401 [\s\S]*&lt;img/,
  ],
  [
    '//evil.example',
    'next of the sign-in',
    async () => {
      const answer = await site.ask('/signin', {
        form: { name: 'ann', password: PASSWORD, next: '/\\evil.example' },
      })
      return `${answer.status} ${answer.headers.get('location')}`
    },
    /^303 \/$/,
  ],
]

const MAILS: Row[] = [
  [
    SCRIPT,
    'words of a model',
    () => mail({ description: SCRIPT, owner: SCRIPT, consumers: [BREAKOUT] }),
    /&lt;script&gt;/,
  ],
  [
    'a line break and a header',
    'name of a model',
    () => mail({ subject: 'x\r\nBcc: evil@example.com' }),
    /^(?!(?:(?!\n\n)[\s\S])*\nBcc:)/i,
  ],
  [
    "$& $' $`",
    'message of a failure',
    () => mail({ failure: { class: 'bug', message: "a $& $' $` b", anchor: '#bug', evidence: {} } }),
    /a \$&amp; \$&#39; \$` b/,
  ],
  [
    'javascript:',
    'base_url',
    () => mail({ baseUrl: 'javascript:alert(1)//' }),
    /^(?![\s\S]*href="javascript)/,
  ],
  [BREAKOUT, 'base_url', () => mail({ baseUrl: `https://x/${BREAKOUT}` }), /https:\/\/x\/&quot;&#39;&gt;/],
]

const REPORTS: Row[] = [
  [SCRIPT, 'words of a model, a failure', () => report(SCRIPT, 'https://example.com'), /&lt;script&gt;alert/],
  [
    BREAKOUT,
    'base_url',
    () => report('x', `https://x/${BREAKOUT}`),
    /href="https:\/\/x\/&quot;'&gt;&lt;img src=x onerror=alert\(1\)&gt;\/\w+\//,
  ],
  ["$& $' $`", 'base_url', () => report('x', "https://x/$&$'$`"), /href="https:\/\/x\/\$&amp;\$'\$`\/\w+\//],
]

const COMMANDS: Row[] = [
  ['../../etc/passwd', 'a model', () => cli('runbook', '../../../etc/passwd'), /^2 .*(?:expected|no model)/s],
  ['__proto__', 'a model', () => cli('runbook', '__proto__'), /^2 /],
  ['$(touch x)', 'a model', () => cli('runbook', `$(touch ${join('/tmp', 'nightshift-owned')})`), /^2 /],
  [
    'an escape sequence of terminals',
    'a model',
    () => cli('runbook', '\u001b]0;owned\u0007\u001b[2J'),
    /^2 .*\\u\{1b\}/s,
  ],
  ['an option', 'a model', () => cli('runbook', '--eval=1'), /^2 /],
]

describe.each<[string, Row[]]>([
  ['files of the project', FILES],
  ['YAML', SETTINGS_ROWS],
  ['SQL', SQL],
  ['data', DATA],
  ['addresses of pages', PAGES],
  ['forms', FORMS],
  ['mails', MAILS],
  ['the report', REPORTS],
  ['the command line', COMMANDS],
])('%s', (_, rows) => {
  test.each(rows)('%s as %s does not get in', async (_payload, _where, attempt, happened) => {
    const out = await attempt()
    expect(out).toMatch(happened)
    expect(out).not.toContain(SECRET)
    if (out.includes('<!doctype html>')) expect(out).not.toMatch(MARKUP)
    expect(ESCAPES.filter((sign) => out.includes(sign))).toEqual([])
    expect(existsSync('/tmp/nightshift-owned')).toBe(false)
  })
})
