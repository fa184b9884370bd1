import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { transaction } from '../../src/ledger/connection/database.ts'
import { profileOfRun } from '../../src/monitoring/drift/record.ts'
import { storeReferenceProfile } from '../../src/monitoring/drift/reference-profiles.ts'
import type { Profile } from '../../src/pipeline/profile/profile.ts'
import { openProject } from '../../src/project/files/load-project.ts'
import type { Project } from '../../src/project/project.ts'
import { parseAsOf } from '../../src/project/time/asof.ts'
import { nightReport } from '../../src/web/night-report.ts'
import { hasBrowser, openBrowser } from './browser.ts'
import { FAILED, LABELS_SQL, LAST, labelOf, MODEL_YAML, writeHistory } from './history.ts'
import { openSite, type Site } from './site.ts'

const PICTURES = process.env.NIGHTSHIFT_TEST_PICTURES
const NOW = new Date('2025-12-24T08:00:00Z')

let site: Site
let project: Project
beforeAll(async () => {
  site = await openSite({
    files: { 'models/value/model.yaml': MODEL_YAML, 'models/value/labels.sql': LABELS_SQL },
  })
  project = openProject(site.project.root)
  await writeHistory(site.database)
})
afterAll(() => site?.close())

function report(asOf: string, of: Project = project, now = NOW): Promise<string> {
  const model = of.models.value
  if (model === undefined) throw new Error('the project has no model value')
  return nightReport({ database: site.database, project: () => of }, model, parseAsOf(asOf, of.timezone), now)
}

async function runOf(partition: string): Promise<string> {
  const { rows } = await site.database.pool.query<{ run: string }>(
    `select run from nightshift.slots where kind = 'scores' and partition = $1`,
    [partition],
  )
  return rows[0]?.run ?? ''
}

/** A failure names what is missing instead of printing the file. */
function has(text: string, wanted: string | RegExp): void {
  const found = typeof wanted === 'string' ? text.includes(wanted) : wanted.test(text)
  expect(found, `expected the report to have ${wanted}`).toBe(true)
}

test('it says what happened, what moved with pictures, and when its labels are known', async () => {
  const text = await report(LAST)
  has(text, `<h1>value, ${LAST}</h1>`)
  has(text, /face-published big">published<\/span>/)
  has(text, 'Compared with holdout of 3f2a9c0b1d')
  // Small pictures of all columns, large ones of what moved and of the score.
  expect(text.match(/class="small-multiple"/g)).toHaveLength(5)
  const large = [...text.matchAll(/class="chart"[^>]*aria-label="(\w+):/g)].map(([, column]) => column)
  expect(large).toEqual(['spend', 'plan', 'score'])
  has(
    text,
    'Not known yet: it is due because its label window has ended, but it has not been checked yet: run <code>npx nightshift up</code> or <code>npx nightshift outcomes value --measure</code>.',
  )
  const before = await report(LAST, project, new Date(`${LAST}T08:00:00Z`))
  has(before, new RegExp(`Not known yet: its labels mature <time datetime="${labelOf(104)}T`))
  has(text, 'c0ffee')
})

/** Large pictures: their column, and what they say. */
const largePictures = (text: string) =>
  [...text.matchAll(/class="chart"[^>]*aria-label="(\w+): ([^"]*)"/g)].map(([, column, said]) => [
    column,
    said,
  ])

test('the pictures show what the night was compared with, and say so where that was not kept', async () => {
  const run = await runOf(LAST)
  const night = await profileOfRun(site.database.pool, run)
  const before = night?.profile
  if (before === undefined) throw new Error('the night has no profile')
  const shifted: Profile = {
    ...before,
    columns: before.columns.map((column) =>
      column.kind === 'number' ? { ...column, rows: 9876, mean: 43.21 } : { ...column, rows: 9876 },
    ),
  }
  const compare = (reference: string) =>
    site.database.pool.query('update nightshift.profiles set reference = $2 where run = $1', [run, reference])
  try {
    await compare('nights 2025-10-01 to 2025-10-10 (10 nights)')
    const old = await report(LAST)
    has(old, 'The pictures show the baseline, holdout of 3f2a9c0b1d: ')
    for (const [, said] of largePictures(old)) expect(said).toContain('holdout of 3f2a9c0b1d, 4,000 rows')

    await transaction(site.database, (client) => storeReferenceProfile(client, run, shifted))
    const text = await report(LAST)
    expect(text).not.toContain('The pictures show the baseline')
    for (const [, said] of largePictures(text))
      expect(said).toContain('nights 2025-10-01 to 2025-10-10 (10 nights), 9,876 rows')
    expect(largePictures(text)[0]?.[1]).toMatch(/^mean 43\.[12]\d* → /)
    const small = (page: string) => page.match(/class="small-multiple".*?<\/svg>/)?.[0]
    expect(small(text)).not.toBe(small(old))
  } finally {
    await site.database.pool.query('delete from nightshift.reference_profiles')
    await compare('holdout of 3f2a9c0b1d')
  }
})

/** A night of which four columns are such as no quiet night has. */
const STRANGE = labelOf(70)
const LONG = `values that the reference does not have: ${'<script>alert(1)</script> gig '.repeat(6)}(241)`

async function makeStrange(): Promise<void> {
  const run = await runOf(STRANGE)
  const change = (column: string, figures: object, set = '') =>
    site.database.pool.query(
      `update nightshift.drift set figures = figures || $3 ${set} where run = $1 and column_name = $2`,
      [run, column, JSON.stringify(figures)],
    )
  const few = { threshold: null, threshold_from: null, p: null }
  await change('spend', { fired: [], note: 'constant: 8' }, ', drifted = false, alerting = true')
  await change('tenure_days', { ...few, note: 'not enough rows: there are 3' }, ', alerting = true')
  await change('calls_30d', {
    ...{ ...few, rows: 0, psi: null, ks: null, wasserstein: null, jensen_shannon: null, note: 'no rows' },
    ...{ null_rate: 0, unseen_rate: 0, reference: { rows: 300, null_rate: 0.0517, mean: 30 } },
  })
  await change('plan', { fired: ['distribution', 'unseen', 'nulls'], null_rate: 0.1, note: LONG })
}

test('a column says in a few words how it is, and why once', async () => {
  await makeStrange()
  const text = await report(STRANGE)
  const cells = (column: string) => {
    const row = text.match(new RegExp(`<tr><th scope="row">${column}[\\s\\S]*?</tr>`))?.[0] ?? ''
    const [, , state = '', ...figures] = [...row.matchAll(/<t[hd][^>]*>([\s\S]*?)<\/t[hd]>/g)].map(
      ([, cell = '']) => cell,
    )
    const face = state.match(/face-(\w+)/)?.[1]
    const [words = '', note = ''] = state.split('</span>').map((part) => part.replace(/<[^>]*>/g, '').trim())
    return { face, words, note, figures: figures.map((cell) => cell.replace(/<[^>]*>/g, '').trim()) }
  }
  // Not tonight, and an alert that is open is no matter of tonight alone.
  expect(cells('spend')).toMatchObject({
    face: 'late',
    words: 'as before tonight; alerts since earlier nights',
    note: 'constant: 8',
  })
  // What could not be compared is grey, whatever was before, and an alert goes on.
  expect(cells('tenure_days')).toMatchObject({
    face: 'expected',
    words: 'not compared; alerts since earlier nights',
    note: 'not enough rows: there are 3',
  })
  // No rows have no rates.
  expect(cells('calls_30d')).toEqual({
    face: 'expected',
    words: 'not compared',
    note: 'no rows',
    figures: ['', '', '', '', '', '', ''],
  })
  expect(cells('plan')).toMatchObject({ face: 'failed', words: 'moved, unseen values, more nulls: alert' })
  expect(text.split('gig (241)')).toHaveLength(2)
  const csv = await (await site.ask(`/runs/${await runOf(STRANGE)}/drift.csv`)).text()
  const [names = [], ...lines] = csv.split('\r\n').map((line) => line.split(','))
  const empty = lines.find((line) => line.includes('calls_30d')) ?? []
  expect(
    ['null_rate', 'reference_null_rate', 'unseen_rate'].map((name) => empty[names.indexOf(name)]),
  ).toEqual(['', '0.0517', ''])
})

test('a night that was measured has its outcome, a failed one its failure', async () => {
  const measured = await report(labelOf(44))
  has(measured, '<h2 id="measured">Realized outcomes</h2>')
  has(measured, 'Biased by the campaign.')
  has(await report(FAILED), '<strong>resource</strong>: out of memory')
})

test('the page of a night has what came of it as the report has', async () => {
  const section = (text: string) =>
    text.match(/<section class="card" aria-labelledby="(?:measured|outcome)">[\s\S]*?<\/section>/)?.[0]
  for (const night of [labelOf(44), LAST]) {
    const page = await (await site.ask(`/nights/value/${night}`)).text()
    expect(section(page)).toContain('Realized outcomes')
    expect(section(page)).toBe(section(await report(night)))
  }
  const failed = await (await site.ask(`/nights/value/${FAILED}`)).text()
  expect(section(failed)).toBeUndefined()
})

test('it stands alone: nothing is fetched and nothing runs; links lead to the pages, or are text where there are none', async () => {
  const text = await report(LAST)
  expect(text).not.toMatch(
    /<script|<link rel="stylesheet"|<img|<iframe|<form|@import|url\((?!&#39;data:|"data:|#)/,
  )
  const links = [...text.matchAll(/<a href="([^"]*)"/g)].map(([, href]) => href ?? '')
  expect(links.length).toBeGreaterThan(0)
  const elsewhere = links.filter((href) => !href.startsWith('http://localhost:8080/'))
  expect(elsewhere).toEqual(['#drift'])
  const alone = await report(LAST, { ...project, alerts: undefined })
  expect(alone).not.toMatch(/<a href="\//)
})

test('a night without a run is an error that says how to make one', async () => {
  await expect(report('2024-01-01')).rejects.toThrow(
    /^report value: expected a night that has run, got: 2024-01-01, .*nightshift run value --as-of 2024-01-01/,
  )
})

const inBrowser = test.skipIf(!hasBrowser)

inBrowser('the table of columns is as wide as its card, whatever there is to say of them', async () => {
  await makeStrange()
  const browser = await openBrowser()
  try {
    for (const width of [390, 1440]) {
      const page = await browser.newPage({ viewport: { width, height: 900 } })
      await page.setContent(await report(STRANGE))
      const found = await page.evaluate(`(() => {
        const box = document.querySelector('[aria-labelledby=drift] .scroll')
        const rows = [...box.querySelectorAll('tbody tr')].map((row) => row.offsetHeight)
        const [, , usual] = rows.toSorted((a, b) => a - b)
        return { beyond: box.scrollWidth - box.clientWidth, page: document.documentElement.scrollWidth, blown: innerWidth > 1000 && usual > 70 }
      })()`)
      expect(found).toEqual({ beyond: 0, page: width, blown: false })
      await page.close()
    }
  } finally {
    await browser.close()
  }
})

inBrowser('it opens from disk, on a phone too, with its style and its text in the pictures', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'nightshift-report-'))
  const browser = await openBrowser()
  try {
    const file = join(folder, 'report.html')
    writeFileSync(file, await report(LAST))
    for (const [width, colorScheme] of [
      [390, 'light'],
      [1440, 'dark'],
    ] as const) {
      const page = await browser.newPage({ viewport: { width, height: 900 }, colorScheme })
      const complaints: string[] = []
      page.on('console', (message) => complaints.push(message.text()))
      page.on('request', (request) => complaints.push(request.url()))
      await page.goto(pathToFileURL(file).href)
      expect(
        complaints.filter((each) => each !== pathToFileURL(file).href && !each.startsWith('data:')),
      ).toEqual([])
      expect(await page.evaluate('document.documentElement.scrollWidth')).toBe(width)
      expect((await page.locator('svg.chart text').first().boundingBox())?.height).toBeGreaterThan(8)
      if (PICTURES !== undefined)
        await page.screenshot({ path: `${PICTURES}/report-${width}-${colorScheme}.png`, fullPage: true })
      await page.close()
    }
  } finally {
    await browser.close()
    rmSync(folder, { recursive: true, force: true })
  }
})
