import type { Browser } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { hasBrowser, openBrowser } from './browser.ts'
import { LABELS_SQL, LAST, labelOf, MODEL_YAML, writeHistory } from './history.ts'
import { openSite, type Site } from './site.ts'

/** The day of the last night, and one on which all of them have matured. */
const [TODAY, LATER] = [new Date(`${LAST}T12:00:00Z`), new Date('2026-03-01T12:00:00Z')]

let site: Site
let now = TODAY
beforeAll(async () => {
  site = await openSite({
    files: { 'models/value/model.yaml': MODEL_YAML, 'models/value/labels.sql': LABELS_SQL },
    clock: () => now,
  })
  await writeHistory(site.database)
})
afterAll(() => site?.close())

/** The words of the model's card, a line for each reason. */
async function card(): Promise<string> {
  const page = await (await site.ask('/')).text()
  const [article = ''] = /<article[\s\S]*?<\/article>/.exec(page) ?? []
  return article.replaceAll('</li>', '\n').replaceAll(/<[^>]*>/g, '')
}

test('outcomes are told with their limit, and with the day from which the next is known', async () => {
  now = TODAY
  const said = await card()
  expect(said).toMatch(/AUC 0\.7\d* \(0\.7\d* to 0\.\d+\) on the night of \S+, influenced by the campaign/)
  expect(said).toContain(`The outcome of ${labelOf(45)} will be known on ${labelOf(75)}.`)
})

test('a night that waits although its time has come is told with the reason of the last look', async () => {
  now = LATER
  const note = `its label window ends at ${labelOf(75)}T00:00:00Z, but the newest event of source calls is at ${labelOf(74)}T11:00:00Z`
  await site.database.pool.query(
    `update nightshift.outcomes set note = $2, looks = 1, look_at = timestamptz '2099-01-01' where model = $3 and partition = $1`,
    [labelOf(45), note, 'value'],
  )
  expect(await card()).toContain(
    `The outcome of ${labelOf(45)} is not measured yet: its label window ends at ${labelOf(75)} 00:00 UTC, but the newest event of source calls is at ${labelOf(74)} 11:00 UTC.`,
  )
})

test('of the columns that moved, the farthest past its threshold comes first, as in mails', async () => {
  now = TODAY
  const set = (column: string, statistic: 'psi' | 'jensen_shannon', value: number) =>
    site.database.pool.query(
      `update nightshift.drift set figures = figures || $3::jsonb where partition = $1 and column_name = $2`,
      [LAST, column, { [statistic]: value }],
    )
  await set('spend', 'psi', 0.8)
  await set('plan', 'jensen_shannon', 0.7)
  expect(await card()).toContain('spend (PSI 0.8, threshold 0.1), plan (Jensen-Shannon 0.7, threshold 0.1)')
  await set('plan', 'jensen_shannon', 0.9)
  expect(await card()).toContain('plan (Jensen-Shannon 0.9, threshold 0.1), spend (PSI 0.8, threshold 0.1)')
})

test('columns that could not be compared are counted and told; where none could, that is no yes', async () => {
  now = TODAY
  const { pool } = site.database
  const calm = `update nightshift.drift set drifted = false, alerting = false where partition = $1`
  await pool.query(calm, [LAST])
  expect(await card()).toContain('No drift: it matches the holdout of 3f2a9c0b1d.')
  const few = (columns: string) =>
    pool.query(
      `update nightshift.drift set figures = figures || $2::jsonb where partition = $1 and ${columns}`,
      [LAST, { threshold: null, note: 'not enough rows: there are 3, at least 50 are needed' }],
    )
  await few(`column_name = 'plan'`)
  expect(await card()).toContain(
    'No drift in the 4 of 5 columns that could be compared with the holdout of 3f2a9c0b1d; the others: not enough rows: there are 3, at least 50 are needed.',
  )
  await few('true')
  const said = await card()
  expect(said).toContain('Not compared: not enough rows: there are 3, at least 50 are needed.')
  expect(said).toContain('Unknown')
  expect(said).not.toContain('Yes')
})

describe.skipIf(!hasBrowser)('the calendar in a browser', () => {
  let browser: Browser
  beforeAll(async () => {
    if (hasBrowser) browser = await openBrowser()
  })
  afterAll(() => browser?.close())

  test('days that scroll go beneath the names and what stands above them', async () => {
    const page = await browser.newPage({ viewport: { width: 1440, height: 900 } })
    await page.goto(`${site.url}/?days=91`)
    const hidden = await page.evaluate(
      `(() => {
         const box = document.querySelector('.calendar-box')
         box.scrollIntoView()
         const ends = []
         for (const left of [-10_000, -200]) {
           box.scrollLeft = left
           const edge = box.querySelector('tbody th').getBoundingClientRect()
           const { y, height } = box.querySelector('thead th').getBoundingClientRect()
           // What is painted above the names, at their right edge.
           const { scope, cellIndex } = document.elementFromPoint(edge.right - 4, y + height - 6).closest('th')
           ends.push(scope + cellIndex)
         }
         return { wider: box.scrollWidth > box.clientWidth, ends }
       })()`,
    )
    expect(hidden).toEqual({ wider: true, ends: ['col0', 'col0'] })
    await page.close()
  })

  test('on a phone each square says its day, the first and those of a new month with its name', async () => {
    const page = await browser.newPage({ viewport: { width: 390, height: 900 } })
    await page.goto(`${site.url}/?days=28&until=2025-11-14`)
    const said = await page.evaluate(
      `[...document.querySelectorAll('.calendar-table tbody tr:first-of-type td')].slice(0, 28)
         .map((cell) => getComputedStyle(cell, '::before').content.replaceAll('"', '').replace(/\\\\a|\\n/, ' ').replace(/ +/g, ' '))`,
    )
    expect(said).toEqual([
      ...['Oct 18', 19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 29, 30, 31].map(String),
      ...['Nov 1', 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14].map(String),
    ])
    expect(await page.evaluate('document.documentElement.scrollWidth')).toBe(390)
    await page.close()
  })
})

test('of a single model the last nights are drawn too, each picture with a sentence, and the next night has its deadline', async () => {
  now = TODAY
  await site.database.pool.query(
    `insert into nightshift.slots (kind, name, as_of, partition, schedule, due, deadline, state)
     values ('scores', 'value', $1, '2027-01-01', 'nightly', $1::timestamptz + interval '2 hours', $1::timestamptz + interval '6 hours', 'expected')`,
    ['2027-01-01T00:00:00Z'],
  )
  // A night that a backfill has just asked for.
  await site.database.pool.query(
    `insert into nightshift.slots (kind, name, as_of, partition, due, state)
     values ('scores', 'value', '2020-01-01', '2020-01-01', $1::timestamptz + interval '1 second', 'expected')`,
    [now.toISOString()],
  )
  const page = await (await site.ask('/')).text()
  expect(page).toMatch(
    /Next due[\s\S]*for <span class="nowrap">2027-01-01<\/span>, deadline <time[^>]*>2027-01-01 06:00 UTC/,
  )
  const [, section = ''] = /<section aria-labelledby="last">([\s\S]*?)<p class="small">/.exec(page) ?? []
  const figures = [...section.matchAll(/<h2>([^<]*)<\/h2><p>([\s\S]*?)<\/p>/g)].map(([, title, words]) => [
    title,
    words,
  ])
  expect(figures).toEqual([
    ['Scores', expect.stringMatching(/^Median score 0\.\d+ on /)],
    ['Drift', expect.stringMatching(/^Columns drifted on \d+ of \d+ nights\.$/)],
    ['Rows', expect.stringMatching(/^[\d,]+ rows on /)],
    ['Run time', expect.stringMatching(/ from first attempt to publication\.$/)],
  ])
})
