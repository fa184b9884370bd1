import { existsSync } from 'node:fs'
import { type Browser, chromium } from 'playwright-core'
import { afterAll, beforeAll, expect, test } from 'vitest'
import type { OutcomeFacts } from '../../src/pipeline/outcomes/outcome-facts.ts'
import { bias } from '../../src/web/pages/model/bias.ts'
import { parseXml } from '../charts/xml.ts'
import { FAILED, LABELS_SQL, LAST, labelOf, MODEL_YAML, SHIFTED, writeHistory } from './history.ts'
import { openSite, type Site } from './site.ts'

const CHROMIUM = '/usr/bin/chromium'
/** Where screenshots are kept for somebody to look at; nowhere by default. */
const PICTURES = process.env.NIGHTSHIFT_TEST_PICTURES

let site: Site
/** The day of the last night. */
const TODAY = new Date(`${LAST}T12:00:00Z`)
let now = TODAY
beforeAll(async () => {
  site = await openSite({
    files: { 'models/value/model.yaml': MODEL_YAML, 'models/value/labels.sql': LABELS_SQL },
    clock: () => now,
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
  // Measured beside estimated: the estimate goes on where labels end.
  has(page, new RegExp(`Estimated from the scores of ${LAST} alone, before labels are known: 0\\.77`))
})

test('rows without a label are told, and warned of where they are most', async () => {
  has(await text('/models/value'), '<p class="quiet small">10 of 300 rows have no label.</p>')
  const unlabelled = (rows: number) =>
    site.database.pool.query(
      `update nightshift.outcomes set report = report || jsonb_build_object('unlabelled', $2::int) where partition = $1`,
      [labelOf(44), rows],
    )
  await unlabelled(283)
  try {
    for (const page of ['/models/value', `/nights/value/${labelOf(44)}`]) {
      has(await text(page), '<p class="note"><strong>283 of 300 rows have no label.</strong>')
    }
    has(await text('/'), `283 of 300 rows have no label on the night of ${labelOf(44)}`)
  } finally {
    await unlabelled(10)
  }
})

test('business figures say whose they are where quality is measured on fewer', async () => {
  const said = 'Business figures read the labels of all rows, including those that were acted on;'
  has(await text(`/nights/value/${labelOf(39)}`), said)
  has(await text(`/nights/value/${labelOf(44)}`), 'In brackets: 95 % intervals, from resampled entities.')
  // Measured on everybody.
  expect(await text(`/nights/value/${labelOf(44)}`)).not.toContain(said)
})

test('a figure without an interval has none, in words and brackets', async () => {
  const intervals = (bounds: object) =>
    site.database.pool.query(
      `update nightshift.outcomes
          set report = report || jsonb_build_object('intervals', jsonb_build_object('auc', $2::jsonb)) where partition = $1`,
      [labelOf(44), bounds],
    )
  const { rows } = await site.database.pool.query(
    `select report->'intervals'->'auc' as auc from nightshift.outcomes where partition = $1`,
    [labelOf(44)],
  )
  try {
    // The second as nights of a row or two were recorded before.
    for (const bounds of [
      { low: null, high: null },
      { low: 0.5, high: 0.5 },
    ]) {
      await intervals(bounds)
      const page = await text('/models/value')
      expect(page).not.toMatch(/\(95 %: *(?:0\.5)? to /)
      has(page, new RegExp(`0\\.7\\d* on ${labelOf(44)}\\.`))
      has(page, /<dt>ROC AUC<\/dt><dd>0\.7\d*<\/dd>/)
      has(page, /data-label="95 %">too few rows</)
    }
  } finally {
    await intervals(rows[0]?.auc)
  }
})

test.each<[OutcomeFacts['treated'], string]>([
  [
    {
      known: true,
      rows: 9,
      measured_on: 'untreated',
      biased: false,
      note: 'measured on the 894 rows that were not acted on',
    },
    'Measured on the 894 rows that were not acted on.',
  ],
  [
    { known: true, rows: 0, measured_on: 'untreated', biased: false, note: null },
    'Measured on the rows that were not acted on.',
  ],
  [
    { known: true, rows: 9, measured_on: 'all', biased: true, note: 'the campaign influences these figures' },
    'Biased by the campaign. The campaign influences these figures.',
  ],
])('whose figures they are is said once, as a sentence: %o', (treated, said) => {
  expect(String(bias(treated)).replaceAll(/<[^>]*>/g, '')).toBe(said)
})

test('nights that were measured under another horizon are told, and no others', async () => {
  expect(await text('/models/value')).not.toContain('under a horizon of')
  await site.database.pool.query(
    `update nightshift.outcomes set horizon = case partition when $1 then null else '14d' end where partition in ($1, $2, $3)`,
    [labelOf(20), labelOf(21), labelOf(22)],
  )
  has(
    await text('/models/value'),
    `2 nights, ${labelOf(21)} to ${labelOf(22)}, were measured under a horizon of 14d; model.yaml now has 30d.`,
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
  has(page, 'blank: no such night, or nothing to compare with</li>')
  has(page, `<title>${LAST}: PSI 0.`)
  has(page, new RegExp(`>spend</th><td[^>]*>.*?alerting.*?${SHIFTED}`))
})

test('from and to choose the nights, both are in the form, and the address of the table follows', async () => {
  const page = await text(`/models/value?from=${labelOf(2)}&to=${labelOf(9)}`)
  has(page, `8 nights from ${labelOf(2)} to ${labelOf(9)}`)
  has(page, `name="from" type="date" value="${labelOf(2)}"`)
  has(page, `name="to" type="date" value="${labelOf(9)}"`)
  has(page, 'hollow: backfilled')
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
  expect(await unknown.text()).toContain('This project has value, but none named none')
})

test('a night whose label window is over, and that nobody has looked at since, is due', async () => {
  const { pool } = site.database
  // As it is recorded when the night is published.
  const note = `its label window ends at ${labelOf(75)}T00:00:00Z`
  await pool.query('update nightshift.outcomes set note = $2, look_at = matures_at where partition = $1', [
    labelOf(45),
    note,
  ])
  try {
    now = new Date(`${labelOf(75)}T12:00:00Z`)
    const due = 'it is due because its label window has ended, but it has not been checked yet'
    const command =
      ': run <code>npx nightshift up</code> or <code>npx nightshift outcomes value --measure</code>'
    for (const page of ['/models/value', `/nights/value/${labelOf(45)}`, '/']) {
      const said = await text(page)
      has(said, due)
      expect(said.includes(`${due}${command}`), page).toBe(page !== '/')
      expect(said).not.toContain('its label window ends at')
    }
  } finally {
    now = TODAY
  }
})

test('nights that wait although their time has come are told with the reason of the last look', async () => {
  const { pool } = site.database
  const note = `its label window ends at ${labelOf(75)}T00:00:00Z, but the newest event of source calls is at ${labelOf(74)}T11:00:00Z`
  await pool.query(
    `update nightshift.outcomes set note = $2, looks = 1, look_at = timestamptz '2099-01-01' where partition = $1`,
    [labelOf(45), note],
  )
  const said = note.replaceAll(/T(\d\d:\d\d):00Z/g, ' $1 UTC')
  try {
    now = new Date(`${labelOf(75)}T12:00:00Z`)
    const page = await text('/models/value')
    has(page, `${labelOf(45)} is still immature although its maturity date has passed: ${said}.`)
    has(page, `29 nights are immature: ${labelOf(46)} matures`)
    has(page, `<div class="small quiet">${said}</div>`)
    now = new Date(`${labelOf(76)}T12:00:00Z`)
    has(
      await text('/models/value'),
      `2 nights, ${labelOf(45)} to ${labelOf(46)}, are still immature although their maturity dates have passed. ${labelOf(45)}: ${said}.`,
    )
  } finally {
    now = TODAY
  }
})

test('the last night is the last that was due, whichever nights are shown', async () => {
  const { pool } = site.database
  const lastOf = (page: string) => /<dt>Last night<\/dt><dd>(.*?)<\/dd>/.exec(page)?.[1] ?? ''
  const next = labelOf(75)
  await pool.query(
    `insert into nightshift.slots (kind, name, as_of, partition, state, due)
     values ('scores', 'value', $1, $2, 'expected', $3)`,
    [`${next}T00:00:00Z`, next, `${next}T02:00:00Z`],
  )
  try {
    now = new Date(`${next}T00:30:00Z`)
    for (const path of ['/models/value', `/models/value?from=${labelOf(2)}&to=${labelOf(9)}`]) {
      const page = await text(path)
      expect(lastOf(page), path).toContain(`<a href="/nights/value/${LAST}">${LAST}</a>`)
      expect(page, path).not.toContain(`Before and after of ${next}`)
    }
  } finally {
    now = TODAY
    await pool.query('delete from nightshift.slots where partition = $1', [next])
  }
  has(await text('/models/value'), `#drift">Before and after of ${LAST}</a>`)
})

test('a figure that was measured under the name of one of ours has a column of its own in the table', async () => {
  const rename = (from: string, to: string) =>
    site.database.pool.query(
      `update nightshift.outcomes set report = jsonb_set(report, '{business,0,name}', to_jsonb($2::text))
        where report #>> '{business,0,name}' = $1`,
      [from, to],
    )
  await rename('saved per contact', 'auc')
  const [head = ''] = (await text('/models/value/nights.csv')).split('\r\n')
  await rename('auc', 'saved per contact')
  const columns = head.split(',')
  expect(columns.filter((name) => /auc$/.test(name))).toEqual(['estimated_auc', 'auc', 'own auc'])
  expect(new Set(columns).size).toBe(columns.length)
})

test('from after to is refused, as a page and as a table', async () => {
  for (const path of ['/models/value', '/models/value/nights.csv']) {
    const answer = await site.ask(`${path}?from=${labelOf(9)}&to=${labelOf(2)}`)
    expect(answer.status, path).toBe(400)
    has(await answer.text(), `expected from to be no later than to, got: from ${labelOf(9)} to ${labelOf(2)}`)
  }
})

test('where there is no night, that is said once, with the way to the last ones', async () => {
  const page = await text('/models/value?from=2020-01-01&to=2020-02-01')
  has(page, 'value has no night from 2020-01-01 to 2020-02-01.')
  has(page, `The last night is ${LAST}: <a href="/models/value">the last nights</a>`)
  expect(pictures(page)).toEqual([])
  expect(page).not.toContain('yet')
})

test('a figure that no night has is a sentence and no empty picture', async () => {
  const page = await text(`/models/value?from=${FAILED}&to=${FAILED}`)
  has(page, 'There are no scores of these nights to show yet.')
  has(page, 'There is no figure for these nights yet.')
  has(page, 'No realized outcomes are known for these nights yet.')
  has(page, 'None of these nights has been measured yet.')
  expect(pictures(page)).toEqual([])
})

test('how many nights are shown is said in words', async () => {
  const shown = async (path: string) =>
    /<span class="quiet small">([^<]*)<\/span>\s*<\/form>/.exec(await text(path))?.[1]
  expect(await shown('/models/value')).toBe('The last 60 nights')
  expect(await shown(`/models/value?from=${labelOf(2)}&to=${labelOf(9)}`)).toBe('8 nights')
  expect(await shown(`/models/value?from=${LAST}`)).toBe('One night')
  expect(await shown(`/models/value?to=${labelOf(9)}`)).toBe('10 nights, from the first one on')
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
        [1280, 'light'],
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
        // No heading of a table is cut off: what a box hides is wider than the box.
        const cut = await page.evaluate(
          `[...document.querySelectorAll('.scroll')].filter((box) => box.checkVisibility() && box.scrollWidth > box.clientWidth).map((box) => box.textContent.slice(0, 40))`,
        )
        expect([width, cut]).toEqual([width, []])
        if (PICTURES !== undefined)
          await page.screenshot({ path: `${PICTURES}/model-${width}-${colorScheme}.png`, fullPage: true })
        await page.close()
      }
    } finally {
      await browser?.close()
    }
  },
)
