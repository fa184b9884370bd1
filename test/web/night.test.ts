import { join } from 'node:path'
import type { Browser } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { findSlot } from '../../src/ledger/nights/slots.ts'
import { openProject } from '../../src/project/files/load-project.ts'
import { startWeb, type WebServer } from '../../src/web/start-web.ts'
import { nightshift } from '../cli/nightshift.ts'
import type { TemporaryProject } from '../projects/cdnow.ts'
import { generatedProject, writeParquet } from '../projects/generated.ts'
import { promoting } from '../promoting.ts'
import { type Life, openLife } from '../workers/life.ts'
import { hasBrowser, openBrowser, seriousFindings, visit } from './browser.ts'
import { LABELS_SQL, LAST, labelOf, MODEL_YAML, SHIFTED, writeHistory } from './history.ts'
import { openSite, type Site, usersOf } from './site.ts'

describe('the page of a night', () => {
  let site: Site
  let cookie: string
  beforeAll(async () => {
    site = await openSite({
      users: usersOf({ ann: 'operator' }),
      files: { 'models/value/model.yaml': MODEL_YAML, 'models/value/labels.sql': LABELS_SQL },
    })
    await writeHistory(site.database)
    cookie = await site.signIn('ann')
  })
  afterAll(() => site?.close())
  const read = async (path: string) => (await site.ask(path, { cookie })).text()
  const answerOf = (page: string) =>
    /<p class="answer">(.*?)<\/p>/s
      .exec(page)?.[1]
      ?.replace(/<[^>]*>/g, '')
      .trim()

  test('begins with the verdict on its list, for the reasons of the overview', async () => {
    const moved = await read(`/nights/value/${LAST}`)
    expect(answerOf(moved)).toBe('May this list be used? No')
    expect(moved).toMatch(/Its input has drifted: (?:spend|plan) \([^)]*\), (?:spend|plan) \(/)
    expect(moved.indexOf('class="answer"')).toBeLessThan(moved.indexOf('face-published big'))
    const quiet = await read(`/nights/value/${labelOf(57)}`)
    expect(answerOf(quiet)).toBe('May this list be used? Yes')
    expect(quiet).toContain('No drift: it matches the holdout of 3f2a9c0b1d.')
  })

  test('has the columns that moved first, farthest first', async () => {
    const rows = (page: string) =>
      [...page.matchAll(/<tr><th scope="row">(\w+)/g)].map(([, column]) => column)
    const columns = rows(
      (await read(`/nights/value/${SHIFTED}`)).split('id="drift"')[1]?.split('</section>')[0] ?? '',
    )
    expect(columns.slice(0, 2).sort()).toEqual(['plan', 'spend'])
    expect(columns).toHaveLength(5)
    const { rows: recorded } = await site.database.pool.query<{ column_name: string }>(
      `select column_name from nightshift.drift where partition = $1 order by position`,
      [SHIFTED],
    )
    expect(recorded.map((row) => row.column_name).slice(0, 2)).not.toEqual(columns.slice(0, 2))
  })

  test('leads to the nights before and after it', async () => {
    const page = await read(`/nights/value/${labelOf(50)}`)
    expect(page).toContain(`<a rel="prev" href="/nights/value/${labelOf(49)}">`)
    expect(page).toContain(`<a rel="next" href="/nights/value/${labelOf(51)}">`)
    expect(await read(`/nights/value/${labelOf(0)}`)).not.toContain('rel="prev"')
    expect(await read(`/nights/value/${LAST}`)).not.toContain('rel="next"')
  })
})

const [GOOD, BLOCKED] = ['2026-03-02', '2026-03-03']

describe.skipIf(!hasBrowser)('a night that is blocked', () => {
  let project: TemporaryProject
  let life: Life
  let web: WebServer
  let browser: Browser

  const writeDay = (date: string, plan: string) =>
    writeParquet(
      join(project.root, `data/events/date=${date}/events.parquet`),
      `SELECT i AS customer_id, CASE i WHEN 7 THEN '${plan}' ELSE 'basic' END AS plan, TIMESTAMP '${date} 12:00:00' AS happened_at,
         (i % 7)::DOUBLE AS amount FROM range(300) t(i)`,
    )

  beforeAll(async () => {
    project = await generatedProject({
      customers: 1,
      sql: 'SELECT customer_id, sum(amount)::FLOAT AS spend, count(*)::FLOAT AS orders, min(plan) AS plan FROM events GROUP BY customer_id\n',
      schedule:
        'schedule: nightly\ncron: "30 2 * * *"\nscore: [value]\nstart: "2026-03-02"\ndeadline: "04:00"\n',
      view: 'columns: { plan: { values: [basic, pro] } }\n',
    })
    await project.write(
      'models/value/model.yaml',
      'model: value\nowner: crm@example.com\non_call: [oncall@example.com]\nview: activity\ninputs: [spend, orders]\nscore: { column: score, min: 0, max: 1 }\n',
    )
    await writeDay('2026-03-01', 'pro')
    await writeDay('2026-03-02', 'gold')
    life = await openLife(project.root, { from: '2026-03-01T12:00:00Z' })
    const at = { project: project.root, env: { DATABASE_URL: life.database.url } }
    for (const args of [['register', 'value', join(project.root, 'model.onnx')], promoting('value', 1)]) {
      const { code, stderr } = await nightshift(args, at)
      expect(code, stderr).toBe(0)
    }
    for (const day of [GOOD, BLOCKED]) {
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

  test('names what blocks it to a viewer, with who may act', async () => {
    const { page, context } = await visit(browser, web.url, 'vic', { width: 390, bypassCSP: true })
    await page.goto(`${web.url}/nights/value/${BLOCKED}`)
    const text = await page.locator('main').innerText()
    expect(text).toMatch(/May this list be used\?\s+No\s+Its features were held until someone decides/)
    expect(text).toMatch(/What blocks this night[\s\S]*held back\s+The features activity 2026-03-03, run/)
    expect(text).toContain('Buttons are for operators: ann.')
    expect(text).not.toContain('nightshift ')
    expect(await page.evaluate('document.documentElement.scrollWidth')).toBe(390)
    expect(await seriousFindings(page)).toEqual([])
    await context.close()
  })

  test('has the buttons of what blocks it, and is scored once that is mended', async () => {
    const { page, complaints, context } = await visit(browser, web.url, 'ann')
    await page.goto(`${web.url}/nights/value/${BLOCKED}`)
    const blocker = page.locator('section', {
      has: page.getByRole('heading', { name: 'What blocks this night' }),
    })
    await writeDay('2026-03-02', 'pro')
    await blocker.getByRole('button', { name: 'Run it again' }).click()
    await page.waitForURL(`**/nights/value/${BLOCKED}?done=again`)
    expect(await page.getByRole('status').innerText()).toContain('The night is requested again.')
    expect(await page.getByText('What blocks this night').count()).toBe(0)
    await life.until('2026-03-03T06:00:00Z', 10)
    expect(await findSlot(life.database.pool, 'scores', 'value', BLOCKED)).toMatchObject({
      state: 'published',
    })
    await page.goto(`${web.url}/nights/value/${BLOCKED}`)
    expect(await page.locator('main').innerText()).toMatch(/May this list be used\?\s+(?:Yes|Unknown)/)
    await page.getByRole('link', { name: `Previous night: ${GOOD}` }).click()
    await page.waitForURL(`**/nights/value/${GOOD}`)
    expect(complaints).toEqual([])
    await context.close()
  })
})
