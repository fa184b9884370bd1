import type { Browser, Page } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { findBackfill } from '../../src/jobs/backfills/backfill-records.ts'
import { cancelBackfill } from '../../src/jobs/backfills/change-backfill.ts'
import { feedBackfills } from '../../src/jobs/backfills/feed-backfills.ts'
import { startBackfill } from '../../src/jobs/backfills/start-backfill.ts'
import { toSettings } from '../../src/jobs/request-run.ts'
import { transaction } from '../../src/ledger/connection/database.ts'
import { createRun } from '../../src/ledger/nights/run-transitions.ts'
import { findSlot, lockSlot } from '../../src/ledger/nights/slots.ts'
import { DEFAULT_RETRY } from '../../src/project/project.ts'
import { asOfRange, parseAsOf } from '../../src/project/time/asof.ts'
import { hasBrowser, openBrowser, seriousFindings, visit } from './browser.ts'
import { openSite, type Site, usersOf } from './site.ts'

const NIGHTS = asOfRange(parseAsOf('2026-02-27', 'UTC'), parseAsOf('2026-03-06', 'UTC'), 'UTC')

let site: Site
let id: number
beforeAll(async () => {
  site = await openSite({ users: usersOf({ ann: 'operator', vic: 'viewer' }) })
  id = await begin('value', NIGHTS)
})
afterAll(() => site?.close())

const pool = () => site.database.pool
const feed = () =>
  feedBackfills({
    database: site.database,
    log: { info: () => {}, warn: () => {} },
    stale: async () => new Map(),
  })

async function begin(name: string, nights: typeof NIGHTS): Promise<number> {
  const plan = {
    kind: 'scores' as const,
    name,
    slots: nights.map(({ label }) => ({
      as_of: label,
      action: 'run' as const,
      reason: '',
      version: 1,
      replaces: null,
    })),
    version: 1,
    estimate_seconds: null,
    rows: null,
    refresh: [],
  }
  const settings = toSettings(DEFAULT_RETRY, 60_000, null)
  const number = await startBackfill(site.database, plan, nights, {
    mode: 'missing',
    maxActive: 2,
    settings,
    by: 'ann',
  })
  await feed()
  return number ?? 0
}

/** As the planner and a worker would: starts a night that the backfill asks for, and ends it. */
async function live(partition: string, state: 'running' | 'published' | 'failed' | 'held', minutes = 0) {
  const slot = await findSlot(pool(), 'scores', 'value', partition)
  if (slot?.request == null) throw new Error(`${partition} is not asked for`)
  const { request } = slot
  const run = await transaction(site.database, async (client) =>
    createRun(client, await lockSlot(client, slot.id), { ...request }),
  )
  const failure =
    state === 'failed' || state === 'held'
      ? { class: 'contract', message: `${partition}: no row has a plan`, anchor: '#contract', evidence: {} }
      : null
  await pool().query(
    `update nightshift.runs set state = $2, attempt = 1, failure = $3, started_at = now() - make_interval(mins => $4),
            ended_at = case when $2 = 'running' then null else now() end where id = $1`,
    [run, state, failure, minutes],
  )
  await pool().query('update nightshift.slots set state = $2 where run = $1', [run, state])
  await feed()
  return run
}

const read = async (path: string, cookie: string) => (await site.ask(path, { cookie })).text()
const fact = (page: string, name: string) =>
  new RegExp(`<dt>${name}</dt><dd>(.*?)</dd>`, 's').exec(page)?.[1]?.replace(/<[^>]*>/g, '')

test('a backfill without an ended night has no rate yet', async () => {
  const page = await read(`/backfills/${id}`, await site.signIn('vic'))
  expect(page).toContain('0 of 8 nights published')
  expect(fact(page, 'Rate')).toBe('not known before a night has ended')
  expect(fact(page, 'Time left')).toBe('not known before a night has ended')
})

test('its page shows each night by its state, the rate, the time left, and why nights failed', async () => {
  const ann = await site.signIn('ann')
  await live('2026-02-27', 'published', 30)
  const failed = await live('2026-02-28', 'failed', 10)
  const held = await live('2026-03-01', 'held', 10)
  await live('2026-03-02', 'running')
  const page = await read(`/backfills/${id}`, ann)
  expect(page).toContain('1 of 8 nights published</strong>, 1 failed, 1 held, 2 under way, 3 not started')
  // Three nights in the 30 minutes from the start of the first to the end of the last; five are left.
  expect(fact(page, 'Rate')).toBe('6 nights an hour, by its last 3 nights')
  expect(fact(page, 'Time left')).toMatch(/^about 50 min(?: \d s)?$/)
  const squares = [...page.matchAll(/<a class="cell face face-(\w+)" href="([^"]+)" title="([^"]+)"/g)].map(
    ([, face, href, title]) => [face, href, title],
  )
  expect(squares).toEqual([
    ['published', '/nights/value/2026-02-27', '2026-02-27: published'],
    ['failed', '/nights/value/2026-02-28', '2026-02-28: failed'],
    ['held', '/nights/value/2026-03-01', '2026-03-01: held back'],
    ['running', '/nights/value/2026-03-02', '2026-03-02: running'],
    ['waiting', '/nights/value/2026-03-03', '2026-03-03: waiting'],
    ['expected', '/nights/value/2026-03-04', '2026-03-04: not started'],
    ['expected', '/nights/value/2026-03-05', '2026-03-05: not started'],
    ['expected', '/nights/value/2026-03-06', '2026-03-06: not started'],
  ])
  const stuck = /aria-labelledby="stuck">(.*?)<\/section>/s.exec(page)?.[1] ?? ''
  expect(stuck).toMatch(new RegExp(`2026-02-28: no row has a plan.*href="/runs/${failed}"`, 's'))
  expect(stuck).toMatch(new RegExp(`2026-03-01: no row has a plan.*href="/runs/${held}"`, 's'))
  const list = await read('/backfills', ann)
  expect(list).toMatch(new RegExp(`href="/backfills/${id}">${id}</a> of value.*1 of 8`, 's'))
  expect(await read('/models/value', ann)).toContain('href="/backfills?model=value"')
  expect(await read('/backfills?model=other', ann)).toContain('No backfill of other so far')
})

test('a viewer reads who may change it, sees no command, and may press nothing', async () => {
  const vic = await site.signIn('vic')
  const page = await read(`/backfills/${id}`, vic)
  expect(page).toContain('Buttons are for operators: ann.')
  expect(page).not.toMatch(/nightshift (?:pause|cancel)|<form method="post" action="\/backfills/)
  for (const name of ['pause', 'resume', 'cancel']) {
    const form = { csrf: await site.csrf('vic') }
    expect((await site.ask(`/backfills/${id}/${name}`, { cookie: vic, form })).status, name).toBe(403)
  }
  expect(await findBackfill(pool(), id)).toMatchObject({ state: 'running', changed_by: null })
})

test('nights that are hours stand in lines of days, a thousand to a page', async () => {
  const hours = asOfRange(parseAsOf('2026-01-01T00Z', 'UTC'), parseAsOf('2026-02-15T23Z', 'UTC'), 'UTC')
  const number = await begin('hourly', hours)
  const cookie = await site.signIn('ann')
  const squares = (page: string) => page.match(/class="cell face/g)?.length
  const first = await read(`/backfills/${number}`, cookie)
  expect(squares(first)).toBe(1000)
  expect(first).toContain('<h3 class="small">2026-01-01</h3>')
  expect(first).toContain('href="/nights/hourly/2026-01-01T00Z"')
  expect(first).toContain(`<a rel="next" href="/backfills/${number}?page=2">Later nights</a>`)
  const second = await read(`/backfills/${number}?page=2`, cookie)
  expect(squares(second)).toBe(hours.length - 1000)
  expect(second).toContain(`<a rel="prev" href="/backfills/${number}">Earlier nights</a>`)
  await cancelBackfill(site.database, number)
})

test('what is not there is told', async () => {
  const cookie = await site.signIn('ann')
  const form = { csrf: await site.csrf('ann') }
  for (const number of ['99', 'x', '-1']) {
    expect((await site.ask(`/backfills/${number}`, { cookie })).status).toBe(404)
    expect((await site.ask(`/backfills/${number}/pause`, { cookie, form })).status).toBe(404)
  }
  for (const path of ['/backfills?page=x', `/backfills/${id}?page=0`])
    expect((await site.ask(path, { cookie })).status).toBe(400)
  expect((await site.ask(`/backfills/${id}/pause`, { cookie, form: { csrf: 'no' } })).status).toBe(403)
})

describe.skipIf(!hasBrowser)('a backfill in a browser', () => {
  let browser: Browser
  let page: Page
  let complaints: string[]
  beforeAll(async () => {
    browser = await openBrowser()
    ;({ page, complaints } = await visit(browser, site.url, 'ann', { width: 390, bypassCSP: true }))
  })
  afterAll(() => browser?.close())

  const press = async (button: string, done: string) => {
    await page.getByRole('button', { name: button, exact: true }).click()
    await page.waitForURL(`**/backfills/${id}?done=${done}`)
    return page.locator('main').innerText()
  }

  test('it is as wide as a phone, and has nothing serious for axe, in light and in dark', async () => {
    for (const colorScheme of ['light', 'dark'] as const) {
      await page.emulateMedia({ colorScheme, reducedMotion: 'reduce' })
      for (const path of ['/backfills', `/backfills/${id}`]) {
        await page.goto(site.url + path)
        expect(await page.evaluate('document.documentElement.scrollWidth'), path).toBe(390)
        expect(await seriousFindings(page), path).toEqual([])
      }
    }
  })

  test('it is found from the menu; pause, resume and cancel do as they say, on record', async () => {
    await page.goto(site.url)
    await page.getByRole('navigation', { name: 'Main' }).getByRole('link', { name: 'Backfills' }).click()
    await page.getByRole('link', { name: String(id), exact: true }).click()
    const paused = await press('Pause', 'pause')
    expect(paused).toMatch(/The backfill is paused[\s\S]*One night that had started still finishes/)
    expect(paused).toMatch(/Paused\s+\d{4}-\d\d-\d\d \d\d:\d\d UTC by ann/)
    expect(paused).toMatch(/about \d+ min (?:\d+ s )?once it goes on/)
    expect(await page.getByRole('button', { name: 'Pause' }).count()).toBe(0)
    expect(await findBackfill(pool(), id)).toMatchObject({ state: 'paused', changed_by: 'ann', active: 1 })
    expect(await press('Resume', 'resume')).toContain('The backfill goes on.')
    expect(await findBackfill(pool(), id)).toMatchObject({ state: 'running', changed_by: 'ann' })
    expect(await press('Cancel', 'cancel')).toMatch(/cancelled[\s\S]*Cancelled\s+\d{4}-/)
    expect(await findBackfill(pool(), id)).toMatchObject({ state: 'cancelled', changed_by: 'ann', left: 4 })
    expect(await page.getByRole('button', { name: /Pause|Resume|Cancel/ }).count()).toBe(0)
    const again = await site.ask(`/backfills/${id}/resume`, {
      cookie: await site.signIn('ann'),
      form: { csrf: await site.csrf('ann') },
    })
    expect([again.status, await again.text()]).toEqual([
      409,
      expect.stringContaining(`backfill ${id} is cancelled`),
    ])
    expect(complaints).toEqual([])
  })

  test('a square leads to its night', async () => {
    await page.goto(`${site.url}/backfills/${id}`)
    await page.getByRole('link', { name: '2026-02-28: failed' }).click()
    await page.waitForURL('**/nights/value/2026-02-28')
    expect(await page.locator('main').innerText()).toContain('no row has a plan')
  })
})
