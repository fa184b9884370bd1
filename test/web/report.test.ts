import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { chromium } from 'playwright-core'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { transaction } from '../../src/database/database.ts'
import type { Profile } from '../../src/pipeline/profile/profile.ts'
import { parseAsOf } from '../../src/project/asof.ts'
import { openProject } from '../../src/project/load.ts'
import type { Project } from '../../src/project/project.ts'
import { profileOfRun } from '../../src/registry/profiles.ts'
import { storeReferenceProfile } from '../../src/registry/reference-profiles.ts'
import { nightReport } from '../../src/web/report.ts'
import { FAILED, LABELS_SQL, LAST, labelOf, MODEL_YAML, writeHistory } from './history.ts'
import { openSite, type Site } from './site.ts'

const CHROMIUM = '/usr/bin/chromium'
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

function report(asOf: string, of: Project = project): Promise<string> {
  const model = of.models.value
  if (model === undefined) throw new Error('the project has no model value')
  return nightReport({ database: site.database, project: () => of }, model, parseAsOf(asOf, of.timezone), NOW)
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
  has(text, new RegExp(`Not known yet: its labels mature <time datetime="${labelOf(104)}T`))
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
    expect(largePictures(text)[0]?.[1]).toMatch(/^mean 43.2 → /)
    const small = (page: string) => page.match(/class="small-multiple".*?<\/svg>/)?.[0]
    expect(small(text)).not.toBe(small(old))
  } finally {
    await site.database.pool.query('delete from nightshift.reference_profiles')
    await compare('holdout of 3f2a9c0b1d')
  }
})

test('a night that was measured has its outcome, a failed one its failure', async () => {
  const measured = await report(labelOf(44))
  has(measured, '<h2 id="measured">What came of it</h2>')
  has(measured, 'Biased by the campaign.')
  has(await report(FAILED), '<strong>resource</strong>: out of memory')
})

test('it stands alone: nothing is fetched and nothing runs; links lead to the pages, or are text where there are none', async () => {
  const text = await report(LAST)
  expect(text).not.toMatch(
    /<script|<link rel="stylesheet"|<img|<iframe|<form|@import|url\((?!&#39;data:|"data:|#)/,
  )
  const links = [...text.matchAll(/<a href="([^"]*)"/g)].map(([, href]) => href ?? '')
  expect(links.length).toBeGreaterThan(0)
  expect(links.filter((href) => !href.startsWith('http://localhost:8080/'))).toEqual([])
  const alone = await report(LAST, { ...project, alerts: undefined })
  expect(alone).not.toMatch(/<a href="\//)
})

test('a night without a run is an error that says how to make one', async () => {
  await expect(report('2024-01-01')).rejects.toThrow(
    /^report value: expected a night that has run, got: 2024-01-01, .*nightshift run value --as-of 2024-01-01/,
  )
})

const inBrowser = test.skipIf(!existsSync(CHROMIUM))
if (!existsSync(CHROMIUM)) console.warn('skipped: the report in a browser, since there is no Chromium')

inBrowser('it opens from disk, on a phone too, with its style and its text in the pictures', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'nightshift-report-'))
  const browser = await chromium.launch({
    executablePath: CHROMIUM,
    args: ['--no-sandbox', '--headless', '--disable-gpu', '--disable-background-networking'],
  })
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
