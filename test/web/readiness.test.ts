import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Browser, Page } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type Operation, operationsOf } from '../../src/actions/operations/operation-record.ts'
import { type Host, openHost } from '../../src/host/host.ts'
import { openSession, type Session } from '../../src/host/session.ts'
import { listBackfills } from '../../src/jobs/backfills/backfill-records.ts'
import { acceptancesOf } from '../../src/readiness/acceptances.ts'
import { recordDailyGate } from '../../src/readiness/daily-gates.ts'
import { drillsOf } from '../../src/readiness/drills/drill-record.ts'
import { ITEMS } from '../../src/readiness/gate.ts'
import { waiversOf } from '../../src/readiness/waivers.ts'
import { historyOf } from '../../src/registry/history-records.ts'
import { champion } from '../../src/registry/version-records.ts'
import { nightshift } from '../cli/nightshift.ts'
import { smallModel } from '../projects/generated.ts'
import { hasBrowser, openBrowser, seriousFindings, visit } from './browser.ts'
import { openSite, type Site, usersOf } from './site.ts'

const [ANN, OLGA, VIC] = ['ann@example.com', 'olga@example.com', 'vic@example.com'] as const
const PROJECT = `project: generated
timezone: UTC
warehouse: warehouse
alerts: { from: nightshift@example.com, base_url: "http://localhost:8080" }
people: { ${ANN}: approver, ${OLGA}: operator, ${VIC}: viewer }
`
const SCHEDULE = 'schedule: nightly\ncron: "30 2 * * *"\nscore: [value]\ndeadline: "06:00"\n'
const PAGE = '/models/value/readiness'
const inDays = (days: number) => new Date(Date.now() + days * 86_400_000).toISOString().slice(0, 10)

let site: Site
let session: Session
let host: Host
const pool = () => site.database.pool
const at = () => ({ project: site.project.root, env: { DATABASE_URL: site.database.url } })
const text = async (path: string, cookie: string) => (await site.ask(path, { cookie })).text()
const command = async (...args: string[]) => {
  const { code, stderr } = await nightshift(args, at())
  expect(code, stderr).toBe(0)
}

beforeAll(async () => {
  site = await openSite({
    files: { 'nightshift.yaml': PROJECT, 'schedules/nightly.yaml': SCHEDULE },
    users: usersOf({ [ANN]: 'operator', [OLGA]: 'operator', [VIC]: 'viewer' }),
  })
  const model = join(site.project.root, 'model.onnx')
  await command('register', 'value', model, '--as-of', '2026-03-02')
  await command('promote', 'value', '--version', '1', '--override', 'the first', '--by', ANN)
  await command('run', 'value', '--as-of', '2026-03-02')
  const second = join(site.project.root, 'second.onnx')
  writeFileSync(second, smallModel({ work: 1 }))
  await command('register', 'value', second, '--as-of', '2026-03-02')
  process.env.DATABASE_URL = site.database.url
  session = await openSession({ project: site.project.root }, 'worker', { quiet: true })
  host = await openHost(session, { role: 'worker', places: 1, scope: 'ledger' })
})
afterAll(async () => {
  await host?.close()
  await session?.close()
  delete process.env.DATABASE_URL
  await site?.close()
})

/** The newest operation, once a worker has done it. */
async function over(kind: Operation['kind']): Promise<Operation | undefined> {
  host.wake()
  const newest = async () => (await operationsOf(pool(), 'value')).find((each) => each.kind === kind)
  await expect
    .poll(async () => ['done', 'failed'].includes((await newest())?.state ?? ''), { timeout: 120_000 })
    .toBe(true)
  return newest()
}

describe.skipIf(!hasBrowser)('the readiness page in a browser', () => {
  let browser: Browser
  let page: Page
  let complaints: string[]
  beforeAll(async () => {
    browser = await openBrowser()
    ;({ page, complaints } = await visit(browser, site.url, ANN, { width: 1280, bypassCSP: true }))
  })
  afterAll(() => browser?.close())

  const press = async (button: string) => {
    await page.getByRole('button', { name: button, exact: true }).click()
    await page.waitForURL(/[?&]done=/)
  }
  const section = (title: string) =>
    page.locator('.action', { has: page.getByRole('heading', { name: title, exact: true }) })
  const shown = async () => {
    await page.goto(site.url + PAGE)
    return page.locator('main').innerText()
  }

  test('asking the gate gives an answer for each of the eleven items', async () => {
    expect(await shown()).toContain('not asked yet')
    await press('Ask the gate')
    expect(await page.getByRole('status').innerText()).toContain('The gate is asked')
    expect(await over('gate')).toMatchObject({ version: 2, passed: false, by: ANN, state: 'done' })
    const said = await shown()
    expect(said).toMatch(/not ready\s+\d of 11\s+asked .* by hand by ann@example.com/)
    expect(await page.locator('tr[id]').count()).toBe(ITEMS.length)
    expect(await page.locator('#rollback').innerText()).toContain('no drill rollback is on record')
    expect(await page.locator('#rollback code').innerText()).toBe(
      'npx nightshift drill value rollback --version 2',
    )
  })

  test('a waiver and an acceptance are recorded in the name of who signed in', async () => {
    const waive = section('Waive an item')
    await waive.getByLabel('Item').selectOption('shadow')
    await waive.getByLabel('Until').fill(inDays(10))
    await waive.getByLabel('Why').fill('nothing to compare with')
    await press('Waive')
    expect(await waiversOf(pool(), 'value')).toMatchObject([
      { item: 'shadow', until: inDays(10), reason: 'nothing to compare with', by: ANN },
    ])
    await press('Accept')
    expect(await acceptancesOf(pool(), 'value')).toMatchObject([{ by: ANN, owner: 'crm@example.com' }])
    const said = await shown()
    expect(said).toContain(`at version 2 from crm@example.com`)
    await press('Ask the gate again')
    expect((await over('gate'))?.outcome).toContain(`1 waived until ${inDays(10)}`)
    await shown()
    expect(await page.locator('#shadow').innerText()).toContain(
      `Waived until ${inDays(10)} by ${ANN}: nothing to compare with`,
    )
  })

  test('a drill is done by a worker and leaves its record', async () => {
    await section('Drill').getByLabel('Which').selectOption('rollback')
    await press('Start the drill')
    expect(await over('drill')).toMatchObject({ drill: 'rollback', passed: true, by: ANN })
    expect(await drillsOf(pool(), 'value')).toMatchObject([
      { kind: 'rollback', version: 2, passed: true, by: ANN },
    ])
    expect(await shown()).toMatch(/passed\s+Drill rollback of version 2/)
  })

  test('a promotion is refused by the gate, and made despite it with a reason, which stays on the page', async () => {
    await section('Promote').getByLabel('Why').fill('the old one fails on new plans')
    await press('Promote version 2')
    expect(await over('promotion')).toMatchObject({ state: 'done', passed: false })
    expect((await champion(pool(), 'value'))?.version).toBe(1)
    expect(await shown()).toMatch(/refused\s+Promotion of version 2 [\s\S]*items are open: /)
    await section('Promote').getByLabel('Why').fill('the old one fails on new plans')
    await section('Promote')
      .getByLabel(/Even if the gate is not ready/)
      .check()
    await press('Promote version 2')
    expect(await over('promotion')).toMatchObject({
      passed: true,
      outcome: 'version 2 is the champion, version 1 was',
    })
    expect((await champion(pool(), 'value'))?.version).toBe(2)
    expect((await historyOf(pool(), 'value')).at(-1)).toMatchObject({
      event: 'promoted',
      by: ANN,
      reason: 'the old one fails on new plans',
      evidence: { overridden: true },
    })
    const said = await shown()
    expect(said).toMatch(/Promoted despite the gate[\s\S]*version 2 by ann@example.com/)
  })

  test('a rollback makes the version before the champion again', async () => {
    await shown()
    await section('Roll back').getByLabel('Why').fill('worse than before')
    await press('Roll back')
    expect(await over('rollback')).toMatchObject({ passed: true, by: ANN })
    expect((await historyOf(pool(), 'value')).at(-1)).toMatchObject({
      event: 'rolled back',
      version: 1,
      by: ANN,
      reason: 'worse than before',
    })
  })

  test('a backfill shows its plan, begins, and is followed on the page', async () => {
    await shown()
    const form = section('Backfill')
    await form.getByLabel('From').fill('2026-03-02')
    await form.getByLabel('To').fill('2026-03-03')
    await form.getByRole('button').click()
    expect(await page.locator('main').innerText()).toContain('1 of 2 nights to run')
    await press('Start the backfill')
    const newest = async () => (await listBackfills(pool(), 'value'))[0]
    expect(await newest()).toMatchObject({ from: '2026-03-03', by: ANN, nights: 1 })
    host.wake()
    await expect.poll(newest, { timeout: 120_000 }).toMatchObject({ state: 'done', published: 1 })
    expect(await shown()).toMatch(/done\s+Backfill \d+, 2026-03-03 to 2026-03-03/)
  })

  test('the page is accessible and as wide as the window, also on a phone and in the dark', async () => {
    for (const width of [1280, 390]) {
      for (const colorScheme of ['light', 'dark'] as const) {
        await page.setViewportSize({ width, height: 900 })
        await page.emulateMedia({ colorScheme })
        for (const path of [PAGE, '/', '/models/value/backfill?from=2026-03-02&to=2026-03-03&mode=all']) {
          await page.goto(site.url + path)
          expect(await page.evaluate('document.documentElement.scrollWidth'), path).toBe(width)
          expect(await seriousFindings(page), path).toEqual([])
        }
      }
    }
    expect(complaints).toEqual([])
  })
})

test('a viewer sees no button and may press none; who is no approver does not promote', async () => {
  const vic = await site.signIn(VIC)
  const page = await text(PAGE, vic)
  expect(page).not.toMatch(/<form[^>]*action="\/models/)
  expect(page).toContain('Buttons are for operators: ann@example.com, olga@example.com.')
  expect(page).not.toMatch(/nightshift (?:check|promote|rollback|waive|accept|drill|backfill)/)
  for (const name of ['gate', 'drill', 'promotion', 'rollback', 'waiver', 'acceptance', 'backfill']) {
    const form = { csrf: await site.csrf(VIC), version: '2' }
    expect((await site.ask(`/models/value/${name}`, { cookie: vic, form })).status, name).toBe(403)
  }
  expect(
    (await site.ask('/models/value/backfill?from=2026-03-02&to=2026-03-02', { cookie: vic })).status,
  ).toBe(403)
  const olga = await site.signIn(OLGA)
  const own = await text(PAGE, olga)
  expect(own).toContain('action="/models/value/waiver"')
  expect(own).not.toContain('action="/models/value/promotion"')
  expect(own).toContain('olga@example.com is no approver')
  const refused = await site.ask('/models/value/promotion', {
    cookie: olga,
    form: { csrf: await site.csrf(OLGA), version: '2' },
  })
  expect(refused.status).toBe(403)
  expect(await refused.text()).toContain('expected an approver of nightshift.yaml (ann@example.com)')
})

test('a form without the session’s token is refused', async () => {
  const cookie = await site.signIn(ANN)
  const answer = await site.ask('/models/value/acceptance', { cookie, form: { csrf: 'no' } })
  expect(answer.status).toBe(403)
})

test.each<[string, Record<string, string>, string[]]>([
  [
    'waiver',
    { item: 'rolback', until: inDays(3), reason: 'why' },
    ['waive', 'value', 'rolback', '--until', inDays(3), '--reason', 'why', '--by', ANN],
  ],
  [
    'waiver',
    { item: 'shadow', until: '2020-01-01', reason: 'why' },
    ['waive', 'value', 'shadow', '--until', '2020-01-01', '--reason', 'why', '--by', ANN],
  ],
  [
    'waiver',
    { item: 'shadow', until: inDays(3), reason: ' ' },
    ['waive', 'value', 'shadow', '--until', inDays(3), '--reason', ' ', '--by', ANN],
  ],
  ['drill', { drill: 'rolback' }, ['drill', 'value', 'rolback', '--by', ANN]],
  ['gate', { version: '99' }, ['check', 'value', '--version', '99']],
  ['promotion', { version: '99', reason: 'why' }, ['promote', 'value', '--version', '99', '--by', ANN]],
  ['rollback', { to: '99', reason: 'why' }, ['rollback', 'value', '--to', '99', '--by', ANN]],
  [
    'rollback',
    { withdraw: 'yes', to: '1', reason: 'why' },
    ['rollback', 'value', '--to', '1', '--withdraw', '--by', ANN],
  ],
  [
    'backfill',
    { from: 'someday', to: '2026-03-02' },
    ['backfill', 'value', '--from', 'someday', '--to', '2026-03-02', '--by', ANN],
  ],
  [
    'backfill',
    { from: '2026-03-03', to: '2026-03-02' },
    ['backfill', 'value', '--from', '2026-03-03', '--to', '2026-03-02', '--by', ANN],
  ],
])('bad input to %s is refused in the words of the command: %o', async (name, fields, args) => {
  const cookie = await site.signIn(ANN)
  const form = { csrf: await site.csrf(ANN), ...fields }
  const answer = await site.ask(`/models/value/${name}`, { cookie, form })
  expect(answer.status).toBe(409)
  const said = /role="alert">([^<]*)</.exec(await answer.text())?.[1] ?? ''
  const plain = said
    .replaceAll('&quot;', '"')
    .replaceAll('&#39;', "'")
    .replaceAll('&lt;', '<')
    .replaceAll('&gt;', '>')
    .replaceAll('&amp;', '&')
  const { code, stderr } = await nightshift(args, at())
  expect(code, stderr).toBe(2)
  expect(plain).not.toBe('')
  // A command reads `latest` and the like too.
  expect(stderr.replace(', or one of today, yesterday, latest', '')).toContain(plain)
})

test('a backfill of more nights than a page plans is left to the command', async () => {
  const cookie = await site.signIn(ANN)
  const answer = await site.ask('/models/value/backfill?from=1800-01-01&to=2026-03-02', { cookie })
  expect([answer.status, await answer.text()]).toEqual([
    409,
    expect.stringContaining('expected at most 2000 nights from a page, got: 82606; the command takes more'),
  ])
})

test('unknown models and versions are told', async () => {
  const cookie = await site.signIn(ANN)
  const form = { csrf: await site.csrf(ANN) }
  const none = await site.ask('/models/none/acceptance', { cookie, form })
  expect([none.status, await none.text()]).toEqual([404, expect.stringContaining('This project has value')])
  expect((await site.ask('/models/none/readiness', { cookie })).status).toBe(404)
  for (const version of ['99', 'x', '-1'])
    expect((await site.ask(`${PAGE}?version=${version}`, { cookie })).status).toBe(404)
})

test('the overview names what is open of the champion, when the gate was asked, and how to ask where it was not', async () => {
  const cookie = await site.signIn(VIC)
  const live = (await champion(pool(), 'value'))?.version ?? 0
  const item = (id: string, status: 'pass' | 'fail') => ({ ...ITEMS[0], id, status, evidence: 'as it is' })
  const gate = {
    model: 'value',
    version: live,
    champion: live,
    at: new Date(Date.now() + 60_000).toISOString(),
    ready: false,
    items: [item('rollback', 'fail'), item('parity', 'pass')],
  }
  // biome-ignore lint/suspicious/noExplicitAny: two items stand for eleven
  await recordDailyGate(pool(), inDays(0), gate as any)
  const card = async (as = cookie) =>
    /<section class="card" aria-labelledby="ready">[\s\S]*?<\/section>/.exec(await text('/', as))?.[0] ?? ''
  const said = await card()
  expect(said).toContain('1 of 2')
  expect(said).toContain(`href="${PAGE}?version=${live}#rollback">Rollback</a>`)
  expect(said).toContain(gate.at.slice(0, 10))
  const page = await text(`${PAGE}?version=${live}`, cookie)
  expect(page).toContain('aria-label="Rollback: fail on 1 of 1 days"')
  await pool().query('delete from nightshift.champions')
  const [read, run] = [await card(), await card(await site.signIn(ANN))]
  expect(read).toContain('No version is live.</span>')
  expect(run).toContain('No version is live. Ask now: <code>npx nightshift check value</code>')
})

test('without sign-in people say who they are, as with --by', async () => {
  const open = await openSite()
  try {
    const page = await (await open.ask(PAGE)).text()
    expect(page).toContain('name="by"')
    const csrf = /name="csrf" value="([^"]+)"/.exec(page)?.[1] ?? ''
    const accept = (by: string) => open.ask('/models/value/acceptance', { form: { csrf, by } })
    for (const [by, words] of [
      ['', 'accept value: expected --by to name a person, got: nothing'],
      [' CRM@example.com', 'expected somebody other than the owner of the model'],
    ] as const)
      expect(await (await accept(by)).text()).toContain(words)
    expect((await accept('bob')).status).toBe(303)
    expect(await acceptancesOf(open.database.pool, 'value')).toMatchObject([{ by: 'bob', version: null }])
  } finally {
    await open.close()
  }
})
