import { existsSync } from 'node:fs'
import { type Browser, chromium, type Page } from 'playwright-core'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { openSite, PASSWORD, type Site, usersOf } from './site.ts'

const CHROMIUM = '/usr/bin/chromium'
if (!existsSync(CHROMIUM)) console.warn('skipped: the queue board in a browser, since there is no Chromium')

let site: Site
let browser: Browser
beforeAll(async () => {
  if (!existsSync(CHROMIUM)) return
  site = await openSite({ users: usersOf({ ann: 'operator', vic: 'viewer' }) })
  await site.queues.add('scoring', { id: 'r1-a1', title: 'score value 2026-03-02', data: { run: 'r1' } })
  browser = await chromium.launch({ executablePath: CHROMIUM, args: ['--no-sandbox'] })
})
afterAll(async () => {
  await browser?.close()
  await site?.close()
})

/** Signs in as a person does, and collects what the browser complains of. */
async function visit(name: string): Promise<{ page: Page; complaints: string[]; elsewhere: string[] }> {
  const page = await (await browser.newContext()).newPage()
  const complaints: string[] = []
  const elsewhere: string[] = []
  page.on('console', (message) => {
    if (message.type() === 'error' || message.type() === 'warning') complaints.push(message.text())
  })
  page.on('pageerror', (error) => complaints.push(error.message))
  page.on('request', (request) => {
    if (!request.url().startsWith(site.url) && !request.url().startsWith('data:'))
      elsewhere.push(request.url())
  })
  await page.goto(`${site.url}/queues`)
  await page.getByLabel('Name').fill(name)
  await page.getByLabel('Password').fill(PASSWORD)
  await page.getByRole('button', { name: 'Sign in' }).click()
  await page.waitForURL(`${site.url}/queues`)
  return { page, complaints, elsewhere }
}

test.skipIf(!existsSync(CHROMIUM))(
  'the board works behind the sign-in without a word against the policy; a viewer has fewer buttons',
  async () => {
    const buttons: number[] = []
    for (const name of ['vic', 'ann']) {
      const { page, complaints, elsewhere } = await visit(name)
      await page.getByText('scoring', { exact: true }).first().click()
      await page.getByText('score value 2026-03-02').first().click()
      await page.getByText('run r1').first().waitFor()
      buttons.push(await page.locator('button').count())
      expect({ name, complaints, elsewhere }).toEqual({ name, complaints: [], elsewhere: [] })
    }
    const [viewer = 0, operator = 0] = buttons
    expect(viewer).toBeGreaterThan(0)
    expect(operator).toBeGreaterThan(viewer)
  },
)
