import { spawnSync } from 'node:child_process'
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { blocksOf, commandsOf, commandsWithin, formsOf, PAGES, ROOT, wordsOf } from './blocks.ts'
import { NO_COMMANDS, NOT_RUN } from './not-run.ts'
import { isRun } from './run-page.ts'
import { notPrinted } from './shown-output.ts'
import { SHOP_PAGES, TELCO_PAGES, VALUE_PAGES, WALKED_PAGES } from './staged-pages.ts'

const ALL = PAGES.flatMap(blocksOf)
const STAGED = new Set([...SHOP_PAGES, ...TELCO_PAGES, ...VALUE_PAGES, ...WALKED_PAGES])

test('every command of a page is run in a test, or stands in a list with the reason why not', () => {
  const commands = ALL.flatMap(commandsOf)
  const open = commands.filter((command) => isRun(command) && !STAGED.has(command.page))
  expect(
    open.map(({ page, line, text }) => `${page}:${line}: ${text}`),
    'add the page to test/docs/staged-pages.ts and run it in one of the *-pages tests, or add the command to test/docs/not-run.ts',
  ).toEqual([])
  expect(commands.filter(isRun).length).toBeGreaterThan(60)
})

test('no reason stands for a command or a block that is gone', () => {
  const commands = [...ALL.flatMap(commandsOf), ...PAGES.flatMap(commandsWithin)]
  const stale = NOT_RUN.filter(
    ({ page, command }) =>
      !commands.some((each) => (page === undefined || page === each.page) && command.test(each.text)),
  )
  expect(stale.map(({ page, command }) => `${page}: ${command}`)).toEqual([])
  const unused = NO_COMMANDS.filter(
    ({ page, begins }) =>
      !ALL.some((block) => block.page === page && block.text.trimStart().startsWith(begins)),
  )
  expect(unused.map(({ page, begins }) => `${page}: ${begins}`)).toEqual([])
})

test('every block without a language has commands, or stands in a list with what checks it', () => {
  const unknown = ALL.filter(
    (block) =>
      block.language === '' &&
      commandsOf(block).length === 0 &&
      !NO_COMMANDS.some(
        ({ page, begins }) => block.page === page && block.text.trimStart().startsWith(begins),
      ),
  )
  expect(
    unknown.map(({ page, line, text }) => `${page}:${line}: ${text.slice(0, 60)}`),
    'give the block a language, or add it to NO_COMMANDS in test/docs/not-run.ts',
  ).toEqual([])
})

test('a unit of systemd starts commands that are there', () => {
  const [unit] = ALL.filter(({ text }) => text.includes('[Service]'))
  const roles = /started as (.*)/.exec(unit?.text ?? '')?.[1]?.match(/@(\w+)/g) ?? []
  expect(roles.length).toBe(3)
  for (const role of roles) {
    const { status } = spawnSync(process.execPath, [join(ROOT, 'dist/cli.js'), role.slice(1), '--help'])
    expect(status, role).toBe(0)
  }
})

const TEXTS = [...PAGES, 'CONTRIBUTING.md', 'fixtures/README.md', 'bench/README.md'].map((page) => ({
  page,
  text: readFileSync(join(ROOT, page), 'utf8'),
}))

test('every `npm run` of a page is a script of package.json', () => {
  const { scripts } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8'))
  const named = TEXTS.flatMap(({ page, text }) =>
    [...text.matchAll(/npm run ([\w:]+)/g)].map(([, name = '']) => ({ page, name })),
  )
  expect(named.length).toBeGreaterThan(30)
  expect(named.filter(({ name }) => !(name in scripts))).toEqual([])
})

/** What was, and what is not: they name files of other times and other projects. */
const OTHER_FILES = ['docs/decisions.md', 'docs/walks.md']

test('every file of this repository that a page names in passing is there', () => {
  const gone = TEXTS.filter(({ page }) => !OTHER_FILES.includes(page)).flatMap(({ page, text }) =>
    [...text.matchAll(/`((?:src|test|build|fixtures|bench|docker)\/[\w./-]+\w)`/g)].flatMap(
      ([, path = '']) => (path.includes('NNN_') || existsSync(join(ROOT, path)) ? [] : [`${page}: ${path}`]),
    ),
  )
  expect(gone).toEqual([])
})

test('commands are taken out of a page as one would type them', () => {
  const command = (text: string) => commandsOf({ page: 'p', line: 10, language: '', text })
  expect(command('$ npx nightshift status\na  b\n...\n$ npx nightshift runs   # all\n')).toEqual([
    { page: 'p', line: 10, text: 'npx nightshift status', shown: ['a  b', '...'] },
    { page: 'p', line: 13, text: 'npx nightshift runs', shown: [''] },
  ])
  expect(
    command('npm ci && npm test\nnpx nightshift run M\n    [--by WHO]\n').map(({ text }) => text),
  ).toEqual(['npm ci', 'npm test', 'npx nightshift run M [--by WHO]'])
  expect(wordsOf(`npx nightshift skip A:D --reason 'not needed' --by "Ann A"`)).toEqual([
    ...['npx', 'nightshift', 'skip', 'A:D', '--reason', 'not needed', '--by', 'Ann A'],
  ])
  expect(formsOf('check M')).toEqual(['check M'])
  expect(formsOf('check [M] --x [--all | --as-of D | --none] [--by WHO]')).toEqual([
    'check --x',
    'check M --x --all --by WHO',
    'check M --x --as-of D --by WHO',
    'check M --x --none --by WHO',
  ])
  expect(commandsOf({ page: 'p', line: 1, language: 'yaml', text: 'npx nightshift x\n' })).toEqual([])
})

test('what a page shows is compared with what was printed', () => {
  const printed = 'as of       state    rows\n2026-01-02  published  17\nnext: nightshift check a\n'
  expect(notPrinted(['as of  state ...', '2025-05-05  published  3', '...', ''], printed)).toEqual([])
  expect(notPrinted(['as of  status', '2025-05-05  failed  3', 'next: nightshift run a'], printed)).toEqual([
    'as of  status',
    '2025-05-05  failed  3',
    'next: nightshift run a',
  ])
})
