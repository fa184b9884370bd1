import { join } from 'node:path'
import type { Browser } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { openProject } from '../../src/project/files/load-project.ts'
import { startWeb, type WebServer } from '../../src/web/start-web.ts'
import { nightshift } from '../cli/nightshift.ts'
import type { TemporaryProject } from '../projects/cdnow.ts'
import { generatedProject, writeParquet } from '../projects/generated.ts'
import { promoting } from '../promoting.ts'
import { type Life, openLife } from '../workers/life.ts'
import { hasBrowser, openBrowser, seriousFindings, visit } from './browser.ts'
import { usersOf } from './site.ts'

const SCRIPT = '<script>alert(1)</script>'
const SQL = `SELECT customer_id, sum(amount)::FLOAT AS spend, count(*)::FLOAT AS orders, min(plan) AS plan
FROM events GROUP BY customer_id
`
const SCHEDULE = `schedule: nightly
cron: "30 2 * * *"
score: [value]
start: "2026-03-02"
deadline: "04:00"
`
const MODEL = `model: value
description: Whether a customer is worth a call
owner: crm@example.com
on_call: [oncall@example.com]
consumers: [call centre]
view: activity
inputs: [spend, orders]
score: { column: score, min: 0, max: 1 }
`
const RUNBOOK = `# Value

## contract

The data broke a promise. Look first, then \`nightshift retry RUN\`.

1. Ask ${SCRIPT} the loader.
2. See [the wiki](https://example.com/wiki), not [this](javascript:alert(1)).
`
/** The night that is held, and the one before it. */
const [GOOD, HELD] = ['2026-03-02', '2026-03-03']

let project: TemporaryProject
let life: Life
let web: WebServer
let browser: Browser

/** Events of a day; a plan that is not a legal one holds the night that sees it. */
const writeDay = (date: string, plan: string) =>
  writeParquet(
    join(project.root, `data/events/date=${date}/events.parquet`),
    `SELECT i AS customer_id, CASE i WHEN 7 THEN '${plan}' ELSE 'basic' END AS plan, TIMESTAMP '${date} 12:00:00' AS happened_at,
       (i % 7)::DOUBLE AS amount FROM range(300) t(i)`,
  )

beforeAll(async () => {
  if (!hasBrowser) return
  project = await generatedProject({
    customers: 1,
    sql: SQL,
    schedule: SCHEDULE,
    view: 'columns: { plan: { values: [basic, pro] } }\n',
  })
  await project.write('models/value/model.yaml', MODEL)
  await project.write('models/value/RUNBOOK.md', RUNBOOK)
  await writeDay('2026-03-01', 'pro')
  await writeDay('2026-03-02', SCRIPT)
  life = await openLife(project.root, { from: '2026-03-01T12:00:00Z' })
  const at = { project: project.root, env: { DATABASE_URL: life.database.url } }
  for (const args of [
    ['register', 'value', join(project.root, 'model.onnx'), '--by', 'ann@example.com'],
    promoting('value', 1),
  ]) {
    const { code, stderr } = await nightshift(args, at)
    expect({ code, stderr }).toMatchObject({ code: 0 })
  }
  // From one time that matters to the next: the cron's, and past the deadline.
  for (const day of [GOOD, HELD]) {
    await life.until(`${day}T02:30:00Z`, 24 * 60)
    await life.until(`${day}T05:00:00Z`, 75)
  }
  const read = openProject(project.root)
  web = await startWeb(
    { database: life.database, queues: life.queues, project: () => read, clock: life.now },
    { port: 0, users: usersOf({ ann: 'operator', vic: 'viewer' }) },
  )
  browser = await openBrowser()
})
afterAll(async () => {
  await browser?.close()
  await web?.close()
  await life?.close()
  await project?.remove()
})

const runOf = async (kind: 'scores' | 'features', partition: string) => {
  const name = kind === 'scores' ? 'value' : 'activity'
  const run = (await life.slot(kind, name, partition))?.run
  if (run == null) throw new Error(`expected ${kind} of ${partition} to have a run`)
  return run
}

/** Every page, with what they are about. */
const pages = async () => [
  '/',
  '/?days=14&until=2026-03-10',
  `/nights/value/${GOOD}`,
  `/nights/activity/${HELD}`,
  `/runs/${await runOf('scores', GOOD)}`,
  '/models/value',
  '/incidents',
  '/incidents/1',
  '/runs',
  '/runs?state=held&text=plan',
  '/runs?group=1',
  '/backfills',
  '/workers',
  '/registry',
  '/registry/value',
  '/mails',
  '/mails/1',
  '/models/value/runbook#contract',
  '/nights/value/2030-01-01',
  '/runs/nothing',
  '/nowhere',
]

describe.skipIf(!hasBrowser)('the pages in a browser', () => {
  // Takes 10 s and more: a browser opens all pages, each in two widths and two colours.
  test('none breaks the policy, is wider than a phone, or has anything serious for axe, in light and in dark', async () => {
    const strict = await visit(browser, web.url, 'ann', { width: 390 })
    const lax = await visit(browser, web.url, 'ann', { bypassCSP: true })
    for (const path of await pages()) {
      const answer = await strict.page.goto(web.url + path)
      const missing = /2030|nothing|nowhere/.test(path)
      expect({ path, status: answer?.status() }).toEqual({ path, status: missing ? 404 : 200 })
      const width = await strict.page.evaluate('document.documentElement.scrollWidth')
      expect({ path, width: Number(width) }).toEqual({ path, width: 390 })
      // The browser reports the status of a page that does not exist.
      const complaints = strict.complaints.filter((text) => !(missing && text.includes('404')))
      expect({ path, complaints }).toEqual({ path, complaints: [] })
      strict.complaints.length = 0
      // Without motion, colours change at once.
      await lax.page.emulateMedia({ colorScheme: 'light', reducedMotion: 'reduce' })
      await lax.page.goto(web.url + path)
      expect({ path, findings: await seriousFindings(lax.page) }).toEqual({ path, findings: [] })
      // The scheme changes colours alone.
      await lax.page.emulateMedia({ colorScheme: 'dark', reducedMotion: 'reduce' })
      const dark = await seriousFindings(lax.page, ['color-contrast'])
      expect({ path, dark }).toEqual({ path, dark: [] })
    }
    await strict.context.close()
    await lax.context.close()
  })

  test('a text from the data stays a text, wherever it is shown', async () => {
    const { page, context } = await visit(browser, web.url, 'ann')
    let alerts = 0
    page.on('dialog', async (dialog) => {
      alerts++
      await dialog.dismiss()
    })
    for (const path of [
      `/nights/activity/${HELD}`,
      '/incidents/1',
      '/mails/1',
      '/models/value/runbook',
      '/runs',
    ]) {
      await page.goto(web.url + path)
      expect(await page.locator('script').count()).toBe(0)
    }
    await page.goto(`${web.url}/nights/activity/${HELD}`)
    expect(await page.getByText(SCRIPT).count()).toBeGreaterThan(0)
    await page.goto(`${web.url}/models/value/runbook`)
    expect(await page.locator('a[href^="javascript"]').count()).toBe(0)
    expect(await page.getByRole('link', { name: 'the wiki' }).getAttribute('href')).toBe(
      'https://example.com/wiki',
    )
    const csv = await (await page.request.get(`${web.url}/nights/activity/${HELD}.csv`)).text()
    expect(csv).toContain('expectation,columns.plan.values')
    expect(alerts).toBe(0)
    await context.close()
  })

  test('a mail is shown once, with its pictures, on a screen and on a phone', async () => {
    for (const width of [1440, 390]) {
      const { page, complaints, context } = await visit(browser, web.url, 'ann', { width })
      await page.goto(`${web.url}/mails/1`)
      const mail = page.locator('.mail')
      expect(await mail.count()).toBe(1)
      expect(await page.locator('iframe').count()).toBe(0)
      const text = await page.locator('pre').last().innerText()
      expect(await mail.innerText()).toContain(text.split('\n')[0])
      const spare = await page.evaluate(
        "document.querySelector('.mail').clientWidth - document.querySelector('.mail').scrollWidth",
      )
      expect(spare).toBeGreaterThanOrEqual(0)
      expect(complaints).toEqual([])
      await context.close()
    }
  })

  test('a keyboard skips to the content, and sees where it is', async () => {
    const { page, context } = await visit(browser, web.url, 'vic')
    await page.goto(`${web.url}/runs`)
    await page.keyboard.press('Tab')
    const skip = page.getByRole('link', { name: 'Skip to content' })
    expect(await page.evaluate('document.activeElement.className')).toBe('skip-link')
    expect((await skip.boundingBox())?.x).toBeGreaterThanOrEqual(0)
    await page.keyboard.press('Enter')
    expect(await page.evaluate('document.activeElement.id')).toBe('main')
    await page.keyboard.press('Tab')
    const outline = await page.evaluate('getComputedStyle(document.activeElement).outlineStyle')
    expect(outline).toBe('solid')
    await context.close()
  })

  test('a viewer reads what can be done and by whom, an operator presses the buttons: from the overview to a night that is mended', async () => {
    const viewer = await visit(browser, web.url, 'vic')
    await viewer.page.goto(`${web.url}/nights/activity/${HELD}`)
    const offered = viewer.page.locator('section', {
      has: viewer.page.getByRole('heading', { name: 'What an operator can do' }),
    })
    expect(await offered.innerText()).toMatch(/re-run it[\s\S]*Buttons are for operators: ann\./)
    expect(await viewer.page.getByText('npx nightshift').count()).toBe(0)
    expect(await viewer.page.getByRole('button', { name: 'Run it again' }).count()).toBe(0)
    await viewer.context.close()

    const { page, complaints, context } = await visit(browser, web.url, 'ann')
    const card = page.locator('article', { hasText: 'Whether a customer is worth a call' })
    expect(await card.innerText()).toMatch(/No|Not yet/)
    expect(
      await page.getByText('New features of activity for 2026-03-03 are held back (contract).').count(),
    ).toBe(1)
    await page.locator(`a.cell.face-held[title^="activity, ${HELD}"]`).click()
    await page.waitForURL(`**/nights/activity/${HELD}`)
    expect(await page.locator('main').innerText()).toMatch(/held back[\s\S]*plan/)
    await writeDay('2026-03-02', 'pro')
    await page.getByRole('button', { name: 'Run it again' }).click()
    await page.waitForURL('**/runs/*?done=retry')
    expect(await page.getByRole('status').innerText()).toBe(
      'The night is requested again: this is the new run.',
    )
    await life.until('2026-03-03T06:00:00Z', 10)
    await page.reload()
    expect(await page.locator('main').innerText()).toMatch(/published late/)
    await page.getByRole('link', { name: 'Overview', exact: true }).first().click()
    const after = page.locator('article', { hasText: 'Whether a customer is worth a call' })
    expect(await after.innerText()).toMatch(/Yes/)
    expect(await page.getByText('Nothing is late, and no incident is open.').count()).toBe(1)
    expect(complaints).toEqual([])
    await context.close()
  })
})
