import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { INCIDENT_KINDS } from '../../../src/failures/incident-kinds.ts'
import { openProject } from '../../../src/project/files/load-project.ts'
import { initProject } from '../../../src/project/init/init-project.ts'
import { runbookSkeleton } from '../../../src/project/init/runbook-skeleton.ts'
import { modelNamed } from '../../../src/project/named.ts'
import { examineRunbook } from '../../../src/readiness/runbook/examine-runbook.ts'
import { openSections } from '../../../src/readiness/runbook/own-words.ts'
import { commandsOf } from '../../../src/readiness/runbook/runbook-commands.ts'

const EXAMPLE = resolve(import.meta.dirname, '../../..')
const example = openProject(EXAMPLE)
const churn = modelNamed(example, 'churn')
const written = readFileSync(join(EXAMPLE, 'models/churn/RUNBOOK.md'), 'utf8')

let folder: string
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'nightshift-runbook-'))
})
afterAll(() => rmSync(folder, { recursive: true, force: true }))

test('the runbooks of the examples answer every section', () => {
  expect(openSections(churn, written)).toEqual([])
  const root = join(folder, 'shop')
  initProject(root, { today: '2026-11-28', timezone: 'Europe/Berlin' })
  const shop = openProject(root)
  const text = readFileSync(join(root, 'models/lapse/RUNBOOK.md'), 'utf8')
  expect(openSections(modelNamed(shop, 'lapse'), text)).toEqual([])
})

test('the skeleton answers nothing, also without its TODOs, with other marks, or numbered anew', () => {
  const skeleton = runbookSkeleton(churn)
  const bare = skeleton.replaceAll(/^TODO: .*$/gm, 'Ask Ann.')
  const disguised = bare
    .toUpperCase()
    .replaceAll(/^\d+\. /gm, '- **')
    .replaceAll('## ', '## ')
  const lower = disguised.replace(/^## (.*)$/gm, (line) => line.toLowerCase())
  for (const text of [bare, lower]) {
    expect(openSections(churn, text).map(({ section }) => section)).toEqual([...INCIDENT_KINDS])
  }
})

test('headings alone, or one word said often, answer nothing', () => {
  const headings = INCIDENT_KINDS.map((kind) => `## ${kind}\n### What it means here\n`).join('\n')
  expect(openSections(churn, headings).every(({ why }) => why === 'is empty')).toBe(true)
  const often = INCIDENT_KINDS.map((kind) => `## ${kind}\n${'banana '.repeat(50)}\n`).join('\n')
  expect(openSections(churn, often)).toHaveLength(INCIDENT_KINDS.length)
})

test('a section that is gone is named', () => {
  expect(openSections(churn, written.replace('## parity', '## equality'))).toEqual([
    { section: 'parity', why: 'is missing' },
  ])
})

test('commands are read from inline code and from blocks, without what a shell does with them', () => {
  const text = [
    'Look with `npx nightshift status churn`, then `nightshift show`.',
    '```sh safe',
    '$ nightshift skip churn:D --reason "no data today"   # not before 07:00',
    'nightshift show RUN --json > run.json',
    'nightshift.yaml',
    '```',
    '`nightshift retry ...` is not a call, nor is nightshift run in a sentence.',
  ].join('\n')
  expect(commandsOf(text)).toMatchObject([
    { line: 1, args: ['status', 'churn'], named: false, safe: false },
    { line: 1, args: ['show'], named: true, safe: false },
    { line: 3, args: ['skip', 'churn:D', '--reason', 'no data today'], safe: true },
    { line: 4, args: ['show', 'RUN', '--json'], safe: true },
  ])
})

test('commands that are not legal are told with their line; what changes something is not run', async () => {
  const file = {
    path: 'models/churn/RUNBOOK.md',
    text: 'Do `nightshift retri RUN`.\nThen `nightshift status churn --dayz 3`, or `nightshift rollback churn --to N`.\n```sh safe\nnightshift skip churn:D --reason "x"\n```\n',
    sha256: '',
  }
  const { commands, checked, ran } = await examineRunbook(example, churn, file, { run: true })
  expect(commands).toEqual([
    expect.stringMatching(/RUNBOOK\.md:1: `nightshift retri RUN` is not legal: unknown command 'retri'/),
    expect.stringMatching(
      /RUNBOOK\.md:2: `nightshift status churn --dayz 3` is not legal: unknown option '--dayz'/,
    ),
    expect.stringMatching(/RUNBOOK\.md:4: `nightshift skip .*` changes something/),
  ])
  expect({ checked, ran }).toEqual({ checked: 4, ran: 0 })
})

test('a safe command that this project refuses is told', async () => {
  const file = {
    path: 'RUNBOOK.md',
    text: '```sh safe\nnightshift drift churn --as-of someday\n```\n',
    sha256: '',
  }
  const { commands, ran } = await examineRunbook(example, churn, file, { run: true })
  expect(ran).toBe(1)
  expect(commands).toEqual([
    expect.stringMatching(/^RUNBOOK\.md:2: `nightshift drift churn --as-of someday` fails: .*someday/),
  ])
})
