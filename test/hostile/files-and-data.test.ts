import { cpSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join, resolve } from 'node:path'
import { afterAll, beforeAll } from 'vitest'
import { openEngine } from '../../src/pipeline/engine/duckdb.ts'
import { checkFeatureSql } from '../../src/pipeline/sql/check-sql.ts'
import { formatProblems } from '../../src/project/files/format-problems.ts'
import { loadProject } from '../../src/project/files/load-project.ts'
import { csv } from '../../src/web/csv.ts'
import { nightshift } from '../cli/nightshift.ts'
import { compute, makeFolder, writeParquet } from '../pipeline/feature-case.ts'

import { BREAKOUT, nothingGetsIn, type Row, SECRET } from './attempts.ts'

let folder: string
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'nightshift-hostile-'))
  writeFileSync(join(folder, 'secret'), SECRET)
})
afterAll(() => rmSync(folder, { recursive: true, force: true }))

/** The design's own project with one file replaced, or put there as a link. */
function projectWith(file: string, content: string | { link: string }): string {
  const root = mkdtempSync(join(folder, 'project-'))
  cpSync(resolve(import.meta.dirname, '../cases/as-designed'), root, { recursive: true })
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

async function cli(...args: string[]): Promise<string> {
  const root = projectWith('README.md', 'x')
  const { code, stdout, stderr } = await nightshift(args, { project: root })
  return `${code} ${stdout}${stderr}`
}

const FILES: Row[] = [
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

nothingGetsIn('files of the project', FILES)
nothingGetsIn('YAML', SETTINGS_ROWS)
nothingGetsIn('SQL', SQL)
nothingGetsIn('data', DATA)
nothingGetsIn('the command line', COMMANDS)
