import { join } from 'node:path'
import type { Browser } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { Project } from '../../src/project/project.ts'
import { nightshift } from '../cli/nightshift.ts'
import { writeDay } from '../projects/generated.ts'
import { promoting } from '../promoting.ts'
import { hasBrowser, openBrowser, seriousFindings, visit } from './browser.ts'
import { openSite, type Site, usersOf } from './site.ts'

const [OLGA, VIC] = ['olga@example.com', 'vic@example.com'] as const
const LIST = '/nights/value/2026-03-03/list'

const MODEL = `model: value
description: Whether a customer is worth a call
owner: crm@example.com
on_call: [oncall@example.com]
view: activity
score: { column: score, min: 0, max: 1, threshold: 0.5, reasons: 2 }
`

let site: Site
let rows: Project['pages']['rows']
let cookies: Record<'olga' | 'vic', string>
beforeAll(async () => {
  site = await openSite({
    users: usersOf({ [OLGA]: 'operator', [VIC]: 'viewer' }),
    files: { 'models/value/model.yaml': MODEL },
    part: (whole) => ({ ...whole, pages: { rows } }),
  })
  const { root } = site.project
  await writeDay(root, '2026-03-02', 90)
  for (const args of [
    ['register', 'value', join(root, 'model.onnx'), '--as-of', '2026-03-02'],
    promoting('value', 1),
    ['run', 'value', '--as-of', '2026-03-02'],
    ['run', 'value', '--as-of', '2026-03-03'],
  ]) {
    const { code, stderr } = await nightshift(args, {
      project: root,
      env: { DATABASE_URL: site.database.url },
    })
    expect(code, stderr).toBe(0)
  }
  cookies = { olga: await site.signIn(OLGA), vic: await site.signIn(VIC) }
})
afterAll(() => site?.close())

const ask = async (who: keyof typeof cookies, path: string) => {
  const answer = await site.ask(path, { cookie: cookies[who] })
  return { status: answer.status, text: await answer.text(), type: answer.headers.get('content-type') }
}

test.each([
  ['nobody', [403, 403]],
  ['operators', [200, 403]],
  ['everyone', [200, 200]],
] as const)(
  'pages.rows: %s decides who sees rows; everyone sees verdict and counts',
  async (shown, expected) => {
    rows = shown
    for (const [index, who] of (['olga', 'vic'] as const).entries()) {
      const list = await ask(who, LIST)
      expect(list.status).toBe(200)
      expect(list.text).toMatch(/May this list be used\?/)
      expect(list.text).toMatch(/100 rows, of which \d+ are on the list: their score is at least 0\.5\./)
      expect(list.text).toMatch(/Compared with 2026-03-02: \d+ entered the list, \d+ left, \d+ stayed\./)
      expect(list.text.includes('row?entity=')).toBe(expected[index] === 200)
      for (const path of [`${LIST}.csv`, '/nights/value/2026-03-03/row?entity=6'])
        expect((await ask(who, path)).status, `${who} ${path}`).toBe(expected[index])
    }
  },
)

test('an older list names the one that readers have', async () => {
  const older = await ask('vic', '/nights/value/2026-03-02/list')
  expect(older.text).toMatch(/Readers have a newer list: <a href="\/nights\/value\/2026-03-03\/list">/)
  expect((await ask('vic', LIST)).text).not.toContain('a newer list')
})

test('a list downloads whole, the highest first, with its reasons', async () => {
  rows = 'operators'
  const { text, type } = await ask('olga', `${LIST}.csv?rows=all`)
  expect(type).toBe('text/csv; charset=utf-8')
  const [head, ...lines] = text.trim().split('\n')
  expect(head).toBe('customer_id,score,decision,version,reason_1,effect_1,reason_2,effect_2')
  expect(lines).toHaveLength(100)
  const scores = lines.map((line) => Number(line.split(',')[1]))
  expect(scores).toEqual(scores.toSorted((a, b) => b - a))
  const decided = (await ask('olga', `${LIST}.csv`)).text.trim().split('\n').slice(1)
  expect(decided).toEqual(lines.filter((line) => line.split(',')[2] === 'true'))
})

test('a night without a list, a row that is not there and a model that is unknown are missing', async () => {
  rows = 'operators'
  for (const path of [
    '/nights/value/2026-03-09/list',
    '/nights/nope/2026-03-03/list',
    '/nights/value/x/list',
  ])
    expect((await ask('olga', path)).status, path).toBe(404)
  const { status, text } = await ask('olga', '/nights/value/2026-03-03/row?entity=7777')
  expect([status, text]).toEqual([404, expect.stringContaining('got: 7777; the nearest are')])
})

describe.skipIf(!hasBrowser)('in a browser', () => {
  let browser: Browser
  beforeAll(async () => {
    browser = await openBrowser()
  })
  afterAll(() => browser?.close())

  test('a phone shows the list, and a row with what each feature did, in light and dark', async () => {
    rows = 'everyone'
    const { page, complaints } = await visit(browser, site.url, VIC, { width: 390, bypassCSP: true })
    const looked = async () => {
      for (const colorScheme of ['light', 'dark'] as const) {
        await page.emulateMedia({ colorScheme, reducedMotion: 'reduce' })
        expect(await page.evaluate('document.documentElement.scrollWidth')).toBe(390)
        expect(await seriousFindings(page)).toEqual([])
      }
    }
    await page.goto(`${site.url}/nights/value/2026-03-03`)
    await page.getByRole('link', { name: 'The list' }).click()
    await page.waitForURL(`**${LIST}`)
    await looked()
    expect(await page.locator('main').innerText()).toMatch(/spend \+0\.\d+/)
    await page.getByLabel('Another row').fill('6')
    await page.getByRole('button', { name: 'Show' }).click()
    await page.waitForURL('**/row?entity=6')
    expect(await page.locator('main').innerText()).toMatch(/Most of all spend raised it, by 0\.\d+\./)
    await looked()
    expect(complaints).toEqual([])
  })
})

test('whoever opens the list of a night that was taken back is told so', async () => {
  const { root } = site.project
  const args = ['rollback', 'value', '--withdraw', '--reason', 'wrong prices', '--by', 'ann@example.com']
  const { code, stderr } = await nightshift(args, { project: root, env: { DATABASE_URL: site.database.url } })
  expect(code, stderr).toBe(0)
  const { status, text } = await ask('olga', LIST)
  expect(status).toBe(404)
  expect(text).toMatch(/version 1 was withdrawn: wrong prices/)
  expect(text).toContain('Nothing is published for 2026-03-03.')
})
