import { readdirSync, readFileSync, statSync } from 'node:fs'
import { basename, dirname, join, relative, resolve } from 'node:path'
import { expect, test } from 'vitest'

const SRC = resolve(import.meta.dirname, '../src')

/** From the top to the bottom. A folder imports what stands below it; folders of one line do not know each other. */
const LAYERS = [
  ['cli'],
  ['host'],
  ['web'],
  ['actions'],
  ['readiness'],
  ['monitoring'],
  ['workers'],
  ['jobs'],
  ['alerts'],
  ['registry'],
  ['ledger', 'charts'],
  ['storage'],
  ['pipeline'],
  ['project'],
  ['failures', 'format', 'program'],
]

/** Of the pipeline, jobs may know only what its facts and failures look like. */
const FACTS_FOR_JOBS = ['pipeline/engine/facts.ts', 'pipeline/engine/failure.ts']

/** The most files of a folder, and lines of a file. */
const MOST_FILES = 25
const MOST_LINES = 400

interface Import {
  from: string
  to: string
}

function files(folder: string): string[] {
  return readdirSync(folder).flatMap((name) => {
    const path = join(folder, name)
    if (statSync(path).isDirectory()) return name === 'node_modules' ? [] : files(path)
    return name.endsWith('.ts') ? [path] : []
  })
}

const SOURCES = files(SRC).map((path) => ({
  path: relative(SRC, path),
  text: readFileSync(path, 'utf8'),
}))

function imports(): Import[] {
  return SOURCES.flatMap(({ path, text }) =>
    [...text.matchAll(/(?:from|import\()\s*'(\.[^']+)'/g)].map(([, to]) => ({
      from: path,
      to: join(dirname(path), to ?? ''),
    })),
  )
}

/** Statements that write, of the program and of its SQL files; migrations write what they find. */
function writes(): { table: string; path: string }[] {
  const sql = readdirSync(SRC, { recursive: true, encoding: 'utf8' })
    .filter((path) => path.endsWith('.sql') && !path.startsWith('ledger/migrations/'))
    .map((path) => ({ path, text: readFileSync(join(SRC, path), 'utf8') }))
  return [...SOURCES, ...sql].flatMap(({ path, text }) =>
    [...text.matchAll(/\b(?:insert into|update|delete from)\s+nightshift\.(\w+)/gi)].map(
      ([, table = '']) => ({ table, path }),
    ),
  )
}

const folderOf = (path: string) => (path.includes('/') ? path.slice(0, path.indexOf('/')) : path)
const layerOf = (path: string) => LAYERS.findIndex((layer) => layer.includes(folderOf(path)))

test('imports go one way', () => {
  const wrong = imports().filter(({ from, to }) => {
    const [source, target] = [folderOf(from), folderOf(to)]
    if (source === target || source === 'cli.ts') return false
    return layerOf(from) >= layerOf(to) || layerOf(from) < 0 || layerOf(to) < 0
  })
  expect(wrong).toEqual([])
})

test('jobs know no more of the pipeline than its facts and failures', () => {
  const wrong = imports().filter(
    ({ from, to }) =>
      folderOf(from) === 'jobs' && folderOf(to) === 'pipeline' && !FACTS_FOR_JOBS.includes(to),
  )
  expect(wrong).toEqual([])
})

/** Where a project is read or made; they take the time as an option. */
const STARTS = [
  'project/files/load-project.ts',
  'project/files/known-project.ts',
  'project/init/init-project.ts',
]

test('the pipeline, the project, failures and formats know no environment, no clock, no queue and no database', () => {
  const forbidden =
    /process\.env|Date\.now\(|new Date\(\)|Temporal\.Now|from '(?:pg|bullmq|ioredis|nodemailer)'/
  const wrong = SOURCES.filter(
    ({ path, text }) =>
      ['pipeline', 'project', 'failures', 'format'].includes(folderOf(path)) &&
      !STARTS.includes(path) &&
      forbidden.test(text),
  )
  expect(wrong.map(({ path }) => path)).toEqual([])
})

/** Time zones are looked up there; nothing is shown by it. */
const ZONES = 'project/time/zone.ts'

test('how a value reads is decided in src/format alone', () => {
  const shows = /\.to(?:Fixed|Precision|Exponential|Locale\w*)\(|\bIntl\./
  const wrong = SOURCES.filter(
    ({ path, text }) => folderOf(path) !== 'format' && path !== ZONES && shows.test(text),
  )
  expect(wrong.map(({ path }) => path)).toEqual([])
})

/** Where a kind of source is added; docs/architecture.md, "Adding things". */
const KINDS_OF_SOURCE = ['project/project.ts', 'project/schema/view-schema.ts', 'project/source-kinds.ts']

test('kinds of source are named where they are declared; other files ask for their traits', () => {
  const kind = "'(?:events|history|snapshots|static)'"
  const named = new RegExp(
    `kind [!=]== ${kind}|case ${kind}|literal\\(${kind}|Source<${kind}|^ {2}(?:events|history|snapshots|static): \\{`,
    'm',
  )
  const files = SOURCES.filter(({ text }) => named.test(text)).map(({ path }) => path)
  expect(files.sort()).toEqual(KINDS_OF_SOURCE)
})

/** Engines, of tens of megabytes each, which belong to the compute child alone. */
const ENGINES = /from '(?:@duckdb\/node-api|onnxruntime-node|hyparquet-compressors)'/

test('no command and no long-running process loads an engine: the compute child does, when it is asked', () => {
  const above = SOURCES.filter(
    ({ path }) => /^(?:cli|host|web)\//.test(path) && !path.includes('/child/'),
  ).map(({ path }) => path)
  const text = new Map(SOURCES.map((each) => [each.path, each.text]))
  const reached = new Map<string, string>()
  const queue = [...above]
  for (let path = queue.pop(); path !== undefined; path = queue.pop()) {
    // Types are gone when it runs, and what is imported by a call is loaded when it is called.
    for (const [, to = ''] of (text.get(path) ?? '').matchAll(
      /^(?:import|export)(?! type)[^']*? from '(\.[^']+)'/gm,
    )) {
      const target = join(dirname(path), to)
      if (reached.has(target) || above.includes(target)) continue
      reached.set(target, path)
      queue.push(target)
    }
  }
  const wrong = [...reached].filter(([path]) =>
    [...(text.get(path) ?? '').matchAll(/^(?:import|export)(?! type)[^']*? from '[^']+'/gm)].some(([line]) =>
      ENGINES.test(line),
    ),
  )
  expect(wrong.map(([path, by]) => `${path}, by ${by}`)).toEqual([])
})

test('only the program itself exits', () => {
  const exits = SOURCES.filter(({ text }) => /process\.exit\(/.test(text))
  expect(exits.map(({ path }) => path).filter((path) => path !== 'cli.ts')).toEqual([])
})

test('no folder has more files than a person reads at a glance', () => {
  const counts = new Map<string, number>()
  for (const { path } of SOURCES) counts.set(dirname(path), (counts.get(dirname(path)) ?? 0) + 1)
  const large = [...counts].filter(([folder, count]) => folder !== 'cli/commands' && count > MOST_FILES)
  expect(large).toEqual([])
})

test('no file has more lines than a person reads in one go, tests included', () => {
  const long = ['src', 'test', 'build', 'fixtures', 'bench'].flatMap((folder) =>
    files(resolve(SRC, '..', folder)).filter(
      (path) => readFileSync(path, 'utf8').split('\n').length - 1 > MOST_LINES,
    ),
  )
  expect(long).toEqual([])
})

test('a name is one file, save for the monitors, which are alike, and the pages, which are named as their commands', () => {
  const alike = /^(?:monitoring\/\w+\/(?:due|job|record)\.ts|web\/pages\/|cli\/commands\/)/
  const paths = new Map<string, string[]>()
  for (const { path } of SOURCES) {
    if (alike.test(path)) continue
    paths.set(basename(path), [...(paths.get(basename(path)) ?? []), path])
  }
  expect([...paths.values()].filter((same) => same.length > 1)).toEqual([])
})

test('a table is written in one folder', () => {
  const owners = new Map<string, Set<string>>()
  for (const { table, path } of writes()) {
    owners.set(table, (owners.get(table) ?? new Set()).add(dirname(path)))
  }
  // Every table that the migrations make is written by somebody: else this test does not see what is written.
  const made = readdirSync(join(SRC, 'ledger/migrations'))
    .filter((name) => name.endsWith('.sql'))
    .flatMap((name) =>
      [
        ...readFileSync(join(SRC, 'ledger/migrations', name), 'utf8').matchAll(
          /^create table nightshift\.(\w+)/gm,
        ),
      ].map(([, table = '']) => table),
    )
  expect(made.filter((table) => !owners.has(table))).toEqual([])
  const shared = [...owners].filter(([, folders]) => folders.size > 1)
  expect(shared.map(([table, folders]) => [table, [...folders]])).toEqual([])
})

test('commands and pages have no SQL and no transaction: actions and the owners of tables do', () => {
  const sql =
    /\btransaction\(|\b(?:pool|client|connection|database)\.query\b|['"`]\s*(?:(?:select|insert into|update|delete from)\s|with\s+\w+\s+as\s)/i
  const wrong = SOURCES.filter(
    ({ path, text }) => /^(?:cli\/|web\/pages\/|web\/buttons\/)/.test(path) && sql.test(text),
  )
  expect(wrong.map(({ path }) => path)).toEqual([])
})

test('no file imports itself by way of others, types included', () => {
  expect(circles(imports())).toEqual([])
})

/** Tarjan: the sets of files that reach one another. */
function circles(all: Import[]): string[][] {
  const targets = new Map<string, string[]>()
  for (const { from, to } of all) targets.set(from, [...(targets.get(from) ?? []), to])
  const order = new Map<string, number>()
  const lowest = new Map<string, number>()
  const path: string[] = []
  const found: string[][] = []
  const visit = (file: string) => {
    order.set(file, order.size)
    lowest.set(file, order.size - 1)
    path.push(file)
    for (const next of targets.get(file) ?? []) {
      if (!order.has(next)) visit(next)
      if (path.includes(next)) {
        lowest.set(file, Math.min(lowest.get(file) ?? 0, lowest.get(next) ?? 0))
      }
    }
    if (lowest.get(file) !== order.get(file)) return
    const circle = path.splice(path.indexOf(file))
    if (circle.length > 1 || targets.get(file)?.includes(file)) found.push(circle)
  }
  for (const { from } of all) if (!order.has(from)) visit(from)
  return found
}

test('the search for circles finds them', () => {
  const files = (...pairs: [string, string][]) => pairs.map(([from, to]) => ({ from, to }))
  expect(circles(files(['a', 'b'], ['b', 'c'], ['a', 'c']))).toEqual([])
  expect(circles(files(['a', 'b'], ['b', 'c'], ['c', 'b']))).toEqual([['b', 'c']])
  expect(circles(files(['a', 'a']))).toEqual([['a']])
  expect(circles(files(['a', 'b'], ['b', 'c'], ['c', 'd'], ['d', 'a'], ['x', 'a']))[0]).toHaveLength(4)
})
