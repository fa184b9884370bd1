import { existsSync } from 'node:fs'
import { type Browser, chromium } from 'playwright-core'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { parseXml } from '../charts/xml.ts'
import { FAILED, LABELS_SQL, LAST, labelOf, MODEL_YAML, SHIFTED, writeHistory } from './history.ts'
import { openSite, type Site } from './site.ts'

const CHROMIUM = '/usr/bin/chromium'
/** Where screenshots are kept for somebody to look at; nowhere by default. */
const PICTURES = process.env.NIGHTSHIFT_TEST_PICTURES

let site: Site
beforeAll(async () => {
  site = await openSite({
    files: { 'models/value/model.yaml': MODEL_YAML, 'models/value/labels.sql': LABELS_SQL },
  })
  await writeHistory(site.database)
})
afterAll(() => site?.close())

async function text(path: string): Promise<string> {
  const answer = await site.ask(path)
  expect(answer.status, path).toBe(200)
  return answer.text()
}

/** What a page must have; a failure names it instead of printing the page. */
function has(page: string, wanted: string | RegExp): void {
  const found = typeof wanted === 'string' ? page.includes(wanted) : wanted.test(page)
  expect(found, `expected the page to have ${wanted}`).toBe(true)
}

/** The pictures of a page, each read as strictly as a browser reads XML. */
function pictures(page: string): string[] {
  const svgs = [...page.matchAll(/<svg[^>]*class="chart"[\s\S]*?<\/svg>/g)].map(([svg]) => svg)
  for (const svg of svgs) parseXml(svg)
  return svgs
}

test('a model shows its scores, outcomes, business figures, rows and times over the last 60 nights', async () => {
  const page = await text('/models/value')
  const labels = pictures(page).map((svg) => /aria-label="([^"]*)"/.exec(svg)?.[1] ?? '')
  expect(labels.map((label) => label.split(':')[0])).toEqual([
    'Score',
    'AUC',
    'Realized and predicted',
    'saved per contact',
    'Rows',
    'Seconds',
  ])
  for (const label of labels) {
    expect(label).toContain(`60 nights from ${labelOf(15)} to ${LAST}`)
    expect(label).toContain(`champion v2 from ${labelOf(30)}`)
    expect(label).toContain(`challenger v3 in shadow from ${labelOf(66)}`)
  }
})

test('immature nights are told with the date when they mature, and a biased figure says so', async () => {
  const page = await text('/models/value')
  has(
    page,
    new RegExp(
      `30 nights are immature: ${labelOf(45)} matures <time datetime="${labelOf(75)}T00:00:00.000Z"`,
    ),
  )
  has(page, 'Biased by the campaign.</strong> Two customers in three were called')
  expect(pictures(page)[1]).toContain('>immature</text>')
  // Measured beside promised: the estimate goes on where labels end.
  has(page, new RegExp(`The scores of ${LAST} promise 0\\.77\\d* of themselves`))
})

test('nights that were measured under another horizon are told, and no others', async () => {
  expect(await text('/models/value')).not.toContain('under a horizon of')
  await site.database.pool.query(
    `update nightshift.outcomes set horizon = case partition when $1 then null else '14d' end where partition in ($1, $2, $3)`,
    [labelOf(20), labelOf(21), labelOf(22)],
  )
  has(
    await text('/models/value'),
    `2 nights, ${labelOf(21)} to ${labelOf(22)}, were measured under a horizon of 14d; model.yaml has 30d now.`,
  )
})

test('the heat map says in words what moved and since when; a table says the same', async () => {
  const page = await text('/models/value')
  const strips = [...page.matchAll(/<svg[^>]*role="img" aria-label="(\w+): ((?:no drift|drifted)[^"]*)"/g)]
  expect(strips.map(([, column, words]) => [column, words])).toEqual([
    ['score', 'no drift in 60 nights'],
    ['spend', `drifted on 15 of 60 nights, first on ${SHIFTED}`],
    ['tenure_days', 'no drift in 60 nights'],
    ['calls_30d', 'no drift in 60 nights'],
    ['plan', `drifted on 15 of 60 nights, first on ${SHIFTED}`],
  ])
  has(page, `<title>${LAST}: PSI 0.`)
  has(page, new RegExp(`>spend</th><td[^>]*>.*?alerting.*?${SHIFTED}`))
})

test('from and to choose the nights, both are in the form, and the address of the table follows', async () => {
  const page = await text(`/models/value?from=${labelOf(2)}&to=${labelOf(9)}`)
  has(page, `8 nights from ${labelOf(2)} to ${labelOf(9)}`)
  has(page, `name="from" type="date" value="${labelOf(2)}"`)
  has(page, `name="to" type="date" value="${labelOf(9)}"`)
  has(page, 'hollow: filled in later')
  const href = /href="(\/models\/value\/nights\.csv[^"]*)"/.exec(page)?.[1]?.replaceAll('&amp;', '&') ?? ''
  const [head = '', ...rows] = (await text(href)).trim().split('\r\n')
  expect(rows.map((row) => row.split(',')[0])).toEqual(
    Array.from({ length: 8 }, (_, index) => labelOf(index + 2)),
  )
  const at = (row: string, name: string) => row.split(',')[head.split(',').indexOf(name)]
  expect(rows.map((row) => at(row, 'backfilled'))).toEqual([
    ...Array(4).fill('true'),
    ...Array(4).fill('false'),
  ])
  expect(Number(at(rows[0] ?? '', 'auc_low'))).toBeLessThan(Number(at(rows[0] ?? '', 'auc')))
})

test('what cannot be read is answered with what is legal, an unknown model with those that there are', async () => {
  const wrong = await site.ask('/models/value?from=yesterday')
  expect(wrong.status).toBe(400)
  expect(await wrong.text()).toContain('a date such as 2026-11-22')
  const unknown = await site.ask('/models/none')
  expect(unknown.status).toBe(404)
  expect(await unknown.text()).toContain('This project has value, and none named none')
})

test('nights before the history are an empty page and no error', async () => {
  const page = await text('/models/value?from=2020-01-01&to=2020-02-01')
  has(page, '0 nights')
  has(page, 'No night has been profiled yet')
})

test('a failed night is a gap in the pictures and a row of the table', async () => {
  const page = await text('/models/value')
  has(
    page,
    new RegExp(`<a href="/nights/value/${FAILED}">${FAILED}</a></th><td><span class="state face face-failed`),
  )
  const scores = /<summary>Scores as a table[\s\S]*?<\/details>/.exec(page)?.[0] ?? ''
  expect(scores).toContain(
    `<tr><th scope="row">${FAILED}</th><td class="number"></td><td class="number"></td><td class="number"></td></tr>`,
  )
})

const inBrowser = test.skipIf(!existsSync(CHROMIUM))
if (!existsSync(CHROMIUM))
  console.warn('skipped: the page of a model in a browser, since there is no Chromium')

inBrowser(
  'in a browser nothing is refused or fetched elsewhere, text is in the pictures, and a phone needs no sideways scrolling',
  async () => {
    let browser: Browser | undefined
    try {
      browser = await chromium.launch({
        executablePath: CHROMIUM,
        args: ['--no-sandbox', '--headless', '--disable-gpu', '--disable-background-networking'],
      })
      for (const [width, colorScheme] of [
        [1440, 'light'],
        [390, 'dark'],
        [390, 'light'],
        [1440, 'dark'],
      ] as const) {
        const page = await browser.newPage({ viewport: { width, height: 900 }, colorScheme })
        const complaints: string[] = []
        page.on('console', (message) => complaints.push(message.text()))
        page.on('pageerror', (error) => complaints.push(error.message))
        page.on('request', (request) => {
          if (!request.url().startsWith(site.url) && !request.url().startsWith('data:'))
            complaints.push(request.url())
        })
        await page.goto(`${site.url}/models/value`)
        expect(complaints).toEqual([])
        expect(await page.evaluate('document.documentElement.scrollWidth')).toBe(width)
        const title = await page.locator('svg.chart text').first().boundingBox()
        expect(title?.height).toBeGreaterThan(8)
        // The custom property is what paints: another theme, another colour.
        const stroke = await page.evaluate(
          `getComputedStyle(document.querySelector('svg.chart path[stroke*="--chart-tonight"]')).stroke`,
        )
        expect(stroke).toBe(colorScheme === 'light' ? 'rgb(31, 95, 191)' : 'rgb(110, 168, 255)')
        if (PICTURES !== undefined)
          await page.screenshot({ path: `${PICTURES}/model-${width}-${colorScheme}.png`, fullPage: true })
        await page.close()
      }
    } finally {
      await browser?.close()
    }
  },
)
