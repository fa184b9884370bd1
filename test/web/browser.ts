import { existsSync } from 'node:fs'
import { createRequire } from 'node:module'
import { type Browser, type BrowserContext, chromium, type Page } from 'playwright-core'
import { PASSWORD } from './site.ts'

const CHROMIUM = '/usr/bin/chromium'
const AXE = createRequire(import.meta.url).resolve('axe-core/axe.min.js')

/** Whether pages can be looked at as people do. */
export const hasBrowser = existsSync(CHROMIUM)
if (!hasBrowser) console.warn('skipped: the pages in a browser, since there is no Chromium')

export function openBrowser(): Promise<Browser> {
  return chromium.launch({
    executablePath: CHROMIUM,
    args: ['--no-sandbox', '--headless', '--disable-gpu', '--disable-background-networking'],
  })
}

/** Somebody at a browser. */
export interface Visitor {
  context: BrowserContext
  page: Page
  /** What the browser complained of: errors, warnings, and whatever broke the policy. */
  complaints: string[]
}

export async function visit(
  browser: Browser,
  url: string,
  name: string,
  options: { width?: number; colorScheme?: 'light' | 'dark'; bypassCSP?: boolean } = {},
): Promise<Visitor> {
  const { width = 1440, colorScheme = 'light', bypassCSP = false } = options
  const context = await browser.newContext({ viewport: { width, height: 900 }, colorScheme, bypassCSP })
  const page = await context.newPage()
  const complaints: string[] = []
  page.on('console', (message) => {
    if (message.type() === 'error' || message.type() === 'warning') complaints.push(message.text())
  })
  page.on('pageerror', (error) => complaints.push(error.message))
  await page.goto(`${url}/signin`)
  await page.getByLabel('Name').fill(name)
  await page.getByLabel('Password').fill(PASSWORD)
  await page.getByRole('button', { name: 'Sign in' }).click()
  await page.waitForURL(`${url}/`)
  return { context, page, complaints }
}

/** What axe finds serious or critical on the page, by all rules or by those named; the context has to bypass the policy, which admits no script. */
export async function seriousFindings(page: Page, rules?: string[]): Promise<string[]> {
  if ((await page.evaluate('typeof axe')) === 'undefined') await page.addScriptTag({ path: AXE })
  const options = { resultTypes: ['violations'], ...(rules === undefined ? {} : { runOnly: rules }) }
  const findings = await page.evaluate(`axe.run(document, ${JSON.stringify(options)})`)
  return violationsOf(findings).flatMap(({ id, impact, nodes }) =>
    impact === 'serious' || impact === 'critical' ? nodes.map(({ html }) => `${id}: ${html}`) : [],
  )
}

interface Violation {
  id: string
  impact: string
  nodes: { html: string }[]
}

function violationsOf(results: unknown): Violation[] {
  if (typeof results !== 'object' || results === null || !('violations' in results)) {
    throw new Error('axe did not say what it found')
  }
  return JSON.parse(JSON.stringify(results.violations))
}
