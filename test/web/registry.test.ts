import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Browser, Page } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { operationsOf } from '../../src/actions/operations/operation-record.ts'
import { type Host, openHost } from '../../src/host/host.ts'
import { openSession, type Session } from '../../src/host/session.ts'
import { champion } from '../../src/registry/version-records.ts'
import { nightshift } from '../cli/nightshift.ts'
import { smallModel } from '../projects/generated.ts'
import { hasBrowser, openBrowser, seriousFindings, visit } from './browser.ts'
import { openSite, type Site, usersOf } from './site.ts'

const [ANN, OLGA, VIC] = ['ann@example.com', 'olga@example.com', 'vic@example.com'] as const
const PROJECT = `project: generated
timezone: Europe/Berlin
warehouse: warehouse
alerts: { from: nightshift@example.com, base_url: "http://localhost:8080", command: docker compose exec app nightshift }
people: { ${ANN}: approver, ${OLGA}: operator, ${VIC}: viewer }
`
const PAGE = '/registry/value'

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
    files: { 'nightshift.yaml': PROJECT },
    users: usersOf({ [ANN]: 'operator', [OLGA]: 'operator', [VIC]: 'viewer' }),
  })
  await command('register', 'value', join(site.project.root, 'model.onnx'), '--as-of', '2026-03-02')
  await command('promote', 'value', '--version', '1', '--override', 'the first', '--by', ANN)
  await command('run', 'value', '--as-of', '2026-03-02')
  const second = join(site.project.root, 'second.onnx')
  writeFileSync(second, smallModel({ work: 1 }))
  await command('register', 'value', second, '--as-of', '2026-03-02', '--by', OLGA)
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

/** The newest operation, once the worker has done it. */
async function over() {
  host.wake()
  const newest = async () => (await operationsOf(pool(), 'value'))[0]
  await expect
    .poll(async () => ['done', 'failed'].includes((await newest())?.state ?? ''), { timeout: 120_000 })
    .toBe(true)
  return newest()
}

describe.skipIf(!hasBrowser)("a model's page in the registry", () => {
  let browser: Browser
  let page: Page
  let complaints: string[]
  beforeAll(async () => {
    browser = await openBrowser()
    ;({ page, complaints } = await visit(browser, site.url, ANN, { width: 390, bypassCSP: true }))
  })
  afterAll(() => browser?.close())

  const section = (title: string) =>
    page.locator('.action', { has: page.getByRole('heading', { name: title, exact: true }) })
  const shown = async () => {
    await page.goto(site.url + PAGE)
    return page.locator('main').innerText()
  }
  const press = async (button: string, done: string) => {
    await page.getByRole('button', { name: button, exact: true }).click()
    await page.waitForURL(`**${PAGE}?done=${done}`)
  }

  test('is as wide as a phone, and has nothing serious for axe, in light and in dark', async () => {
    for (const colorScheme of ['light', 'dark'] as const) {
      await page.emulateMedia({ colorScheme, reducedMotion: 'reduce' })
      await page.goto(site.url + PAGE)
      expect(await page.evaluate('document.documentElement.scrollWidth')).toBe(390)
      expect(await seriousFindings(page)).toEqual([])
    }
  })

  test('promotes through the gate alone, and despite it with a reason; both need one where people are declared', async () => {
    await shown()
    await page.getByRole('button', { name: 'Promote', exact: true }).click()
    // The browser asks for what is missing.
    expect(page.url()).toBe(site.url + PAGE)
    await section('Promote').getByLabel('Why').fill('better on recent nights')
    await press('Promote', 'promotion')
    expect(await over()).toMatchObject({ kind: 'promotion', version: 2, passed: false, by: ANN })
    expect((await champion(pool(), 'value'))?.version).toBe(1)
    expect(await shown()).toMatch(/refused\s+Promotion of version 2 [\s\S]*items are open: /)
    const form = section('Promote')
    await form.getByLabel('Why').fill('better on recent nights.')
    await form.getByLabel(/Even if the gate is not ready/).check()
    await press('Promote', 'promotion')
    expect(await over()).toMatchObject({ passed: true })
    expect((await champion(pool(), 'value'))?.version).toBe(2)
    expect(await shown()).toMatch(
      /Version 2 became champion on \d{4}-\d\d-\d\d at \d\d:\d\d, by ann@example.com: better on recent nights\. Version 1 was before it\. It was promoted despite the gate, with open: /,
    )
  })

  test('rolls back with a reason, and tells it in a sentence', async () => {
    await section('Roll back').getByLabel('Why').fill('worse for new customers')
    await press('Roll back', 'rollback')
    expect(await over()).toMatchObject({ kind: 'rollback', passed: true, by: ANN })
    expect((await champion(pool(), 'value'))?.version).toBe(1)
    expect(await shown()).toMatch(
      /Version 1 became champion again on \d{4}-\d\d-\d\d at \d\d:\d\d, by ann@example.com: worse for new customers\. Version 2 was before it\./,
    )
    expect(complaints).toEqual([])
  })

  test('tells the rest of its history in sentences too', async () => {
    const said = await shown()
    expect(said).toMatch(/Version 2 was registered on [\d-]+ at [\d:]+, by olga@example.com\./)
    expect(said).toMatch(
      /Version 1 became champion on [\d-]+ at [\d:]+, by ann@example.com: the first\. No version was before it\./,
    )
    await page.goto(`${site.url}/models/value`)
    await page.getByText('Events', { exact: true }).click()
    expect(await page.locator('main').innerText()).toContain(
      'worse for new customers. Version 2 was before it.',
    )
  })
})

test.each([
  ['promotion', { version: '2' }],
  ['promotion', { version: '2', reason: ' ', override: 'yes' }],
  ['rollback', { to: '1' }],
])('where people are declared, a %s of %o is refused without a reason', async (name, fields) => {
  const before = (await operationsOf(pool(), 'value')).length
  const cookie = await site.signIn(ANN)
  const answer = await site.ask(`/models/value/${name}`, {
    cookie,
    form: { csrf: await site.csrf(ANN), ...fields },
  })
  expect([answer.status, await answer.text()]).toEqual([
    409,
    expect.stringContaining('expected a reason: nightshift.yaml names people'),
  ])
  expect(await operationsOf(pool(), 'value')).toHaveLength(before)
})

test('operators see the commands of their project; who is no approver sees no button to promote; viewers see who may', async () => {
  const olga = await text(PAGE, await site.signIn(OLGA))
  expect(olga).toContain('docker compose exec app nightshift rollback value')
  expect(olga).not.toContain('npx nightshift')
  expect(olga).not.toContain('action="/models/value/promotion"')
  expect(olga).toContain('action="/models/value/rollback"')
  expect(olga).toContain('is no approver, so there is no button to promote. Who may: ann@example.com.')
  const cookie = await site.signIn(VIC)
  const vic = await text(PAGE, cookie)
  expect(vic).toContain('Buttons are for operators: ann@example.com, olga@example.com.')
  expect(vic).not.toMatch(/nightshift (?:promote|rollback|register|evaluate)|<form[^>]*action="\/models/)
  for (const name of ['promotion', 'rollback']) {
    const form = { csrf: await site.csrf(VIC), version: '2', reason: 'why', back: PAGE }
    expect((await site.ask(`/models/value/${name}`, { cookie, form })).status, name).toBe(403)
  }
})

test('without sign-in and with people, the form asks for the name too', async () => {
  const open = await openSite({ files: { 'nightshift.yaml': PROJECT } })
  try {
    const model = join(open.project.root, 'model.onnx')
    const { code, stderr } = await nightshift(['register', 'value', model, '--as-of', '2026-03-02'], {
      project: open.project.root,
      env: { DATABASE_URL: open.database.url },
    })
    expect(code, stderr).toBe(0)
    const page = await (await open.ask(PAGE)).text()
    expect(page).toMatch(/name="by" required/)
    expect(page).toMatch(/name="reason" required/)
    const csrf = /name="csrf" value="([^"]+)"/.exec(page)?.[1] ?? ''
    const ask = (by: string) =>
      open.ask('/models/value/promotion', { form: { csrf, by, version: '1', reason: 'why', back: PAGE } })
    for (const [by, words] of [
      ['', 'promote: expected --by WHO, one of the people in nightshift.yaml'],
      [OLGA, 'expected an approver of nightshift.yaml (ann@example.com)'],
    ] as const)
      expect(await (await ask(by)).text()).toContain(words)
    const done = await ask(ANN)
    expect([done.status, done.headers.get('location')]).toEqual([303, `${PAGE}?done=promotion`])
    expect(await operationsOf(open.database.pool, 'value')).toMatchObject([
      { by: ANN, options: { reason: 'why' } },
    ])
  } finally {
    await open.close()
  }
})
