import { spawnSync } from 'node:child_process'
import { readdirSync, readFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { expect, test } from 'vitest'
import { commandsPage, filesPage } from '../build/reference-pages.ts'
import { MEASURES } from '../src/pipeline/drift/measures.ts'
import { jsonSchemas } from '../src/project/files/json-schemas.ts'

const ROOT = resolve(import.meta.dirname, '..')
const PAGES = [
  'README.md',
  ...readdirSync(join(ROOT, 'docs'))
    .filter((name) => name.endsWith('.md'))
    .map((name) => `docs/${name}`),
]

/** The options of each command, by its name. */
function optionsOfCommands(): Map<string, Set<string>> {
  const { status, stdout, stderr } = spawnSync(process.execPath, [join(ROOT, 'dist/cli.js'), 'describe'], {
    encoding: 'utf8',
  })
  expect(status, stderr).toBe(0)
  const commands: { usage: string; options: { flags: string }[] }[] = JSON.parse(stdout)
  return new Map(
    commands.map(({ usage, options }) => [
      usage.split(' ')[1] ?? '',
      new Set(options.flatMap(({ flags }) => flags.match(/--[a-z-]+/g) ?? [])),
    ]),
  )
}

/** Of every command. */
const EVERYWHERE = ['--project', '--help', '--debug', '--simulation']

/** Commands with their options as a page writes them: `npx nightshift run MODEL --as-of D`. */
function commandsIn(page: string): { command: string; options: string[] }[] {
  const text = readFileSync(join(ROOT, page), 'utf8')
  return [...text.matchAll(/(?:npx |`|\$ )nightshift ([a-z]+)([^\n`#]*)/g)].map(
    ([, command = '', rest = '']) => ({
      command,
      options: [...rest.matchAll(/--[a-z-]+/g)].map(([option]) => option),
    }),
  )
}

test('every command and option that the pages name is there', () => {
  const known = optionsOfCommands()
  const named = PAGES.flatMap((page) => commandsIn(page).map((each) => ({ page, ...each })))
  const wrong = named.flatMap(({ page, command, options }) => {
    const legal = known.get(command)
    if (legal === undefined) return [`${page}: ${command}`]
    return options
      .filter((option) => !legal.has(option) && !EVERYWHERE.includes(option))
      .map((option) => `${page}: ${command} ${option}`)
  })
  expect(wrong).toEqual([])
  expect(new Set(named.map(({ command }) => command)).size).toBeGreaterThan(30)
})

test('every file that the pages link to is there', () => {
  for (const page of PAGES) {
    const text = readFileSync(join(ROOT, page), 'utf8')
    for (const [, path = ''] of text.matchAll(/\]\((?!https?:|#)([^)#]+)/g)) {
      expect(() => readdirSync(join(ROOT, page, '..', path, '..')), `${page}: ${path}`).not.toThrow()
      const [name] = path.replace(/\/$/, '').split('/').slice(-1)
      expect(readdirSync(join(ROOT, page, '..', path, '..')), `${page}: ${path}`).toContain(name)
    }
  }
})

/** Headings of a page as GitHub makes anchors of them. */
function anchorsOf(page: string): Set<string> {
  const text = readFileSync(join(ROOT, page), 'utf8').replace(/```[\s\S]*?```/g, '')
  return new Set(
    [...text.matchAll(/^#{1,6} (.+)$/gm)].map(([, title = '']) =>
      title
        .toLowerCase()
        .replace(/[^\p{L}\p{N} _-]/gu, '')
        .replaceAll(' ', '-'),
    ),
  )
}

test('every heading that the pages link to is there', () => {
  const wrong = PAGES.flatMap((page) => {
    const text = readFileSync(join(ROOT, page), 'utf8')
    return [...text.matchAll(/\]\((?!https?:)([^)#]*\.md)?#([^)]+)\)/g)].flatMap(
      ([link, path, anchor = '']) => {
        const target = path === undefined ? page : join(page, '..', path)
        return anchorsOf(target).has(anchor) ? [] : [`${page}: ${link}`]
      },
    )
  })
  expect(wrong).toEqual([])
})

test('docs/README.md lists every page', () => {
  const text = readFileSync(join(ROOT, 'docs/README.md'), 'utf8')
  const missing = PAGES.filter((page) => page.startsWith('docs/') && page !== 'docs/README.md')
    .map((page) => page.slice('docs/'.length))
    .filter((page) => !text.includes(`](${page})`))
  expect(missing).toEqual([])
})

test('the example in this repository is valid', () => {
  const { status, stdout } = spawnSync(
    process.execPath,
    [join(ROOT, 'dist/cli.js'), 'validate', '--json', '--project', ROOT],
    {
      encoding: 'utf8',
      env: { ...process.env, DATABASE_URL: '' },
    },
  )
  // In a checkout without the example's data (npm run fixtures) its sources are missing; nothing else may be wrong.
  const { problems }: { problems: { severity: string; absent?: boolean }[] } = JSON.parse(stdout)
  const errors = problems.filter(({ severity }) => severity === 'error')
  expect(errors.filter(({ absent }) => absent !== true)).toEqual([])
  expect(status).toBe(errors.length === 0 ? 0 : 2)
})

test('docs/drift.md defines each measure as its table does', () => {
  const text = readFileSync(join(ROOT, 'docs/drift.md'), 'utf8')
  for (const { title, of, definition } of MEASURES)
    expect(text).toContain(`| ${title} | ${of} | ${definition} |`)
})

test('docs/commands.md and docs/files.md are what `npm run reference` writes', () => {
  const { stdout } = spawnSync(process.execPath, [join(ROOT, 'dist/cli.js'), 'describe'], {
    encoding: 'utf8',
  })
  const pages = {
    'docs/commands.md': commandsPage(JSON.parse(stdout)),
    'docs/files.md': filesPage(jsonSchemas()),
  }
  for (const [page, expected] of Object.entries(pages))
    expect(readFileSync(join(ROOT, page), 'utf8'), page).toBe(expected)
})
