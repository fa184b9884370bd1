import type { Browser } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { enqueue } from '../../src/alerts/delivery/enqueue-mail.ts'
import { enqueuePost } from '../../src/alerts/delivery/enqueue-post.ts'
import { transaction } from '../../src/ledger/connection/database.ts'
import { SETTINGS } from '../alerts/sample.ts'
import { hasBrowser, openBrowser, seriousFindings, visit } from './browser.ts'
import { openSite, type Site, usersOf } from './site.ts'

const URL_OF_TEAM = 'https://hooks.slack.example/services/T0/B0/xq7path'
const LETTER = { tone: 'notice' as const, lead: ['No scores of <b>churn</b>.'], sections: [], foot: [] }

let site: Site
let cookie: string
let ids: { mail: number; post: number }
beforeAll(async () => {
  site = await openSite({ users: usersOf({ vic: 'viewer' }) })
  cookie = await site.signIn('vic')
  const now = new Date('2026-11-22T03:00:00Z')
  ids = await transaction(site.database, async (client) => {
    const subject = 'churn 2026-11-22 not published: calls are late (#1)'
    const mail = await enqueue(client, now, { recipient: 'a@example.com', subject, letter: LETTER }, SETTINGS)
    const webhook = { url: URL_OF_TEAM, secret_env: 'HOOK_SECRET', format: 'slack' as const }
    const said = { event: 'opened' as const, subject, letter: LETTER, incidents: [] }
    const post = await enqueuePost(client, now, webhook, said, SETTINGS)
    await client.query('update nightshift.outbox set last_error = $1 where id = $2', [
      'https://hooks.slack.example/...: answered 503',
      post.id,
    ])
    return { mail: mail.id, post: post.id }
  })
})
afterAll(() => site.close())

const read = async (path: string) => (await site.ask(path, { cookie })).text()

describe('posts on the pages of the mails', () => {
  test('are listed beside the mails, with their state and without the path of their address', async () => {
    const page = await read('/mails')
    expect(page).toContain(`href="/mails/${ids.mail}"`)
    expect(page).toContain(`href="/mails/${ids.post}"`)
    expect(page).toContain('https://hooks.slack.example/...')
    expect(page).toContain('answered 503')
    expect(page).not.toContain('xq7path')
  })

  test('are found by what is shown of their address, and not by the rest', async () => {
    expect(await read('/mails?text=hooks.slack.example')).toContain(`href="/mails/${ids.post}"`)
    expect(await read('/mails?text=hooks.slack.example')).not.toContain(`href="/mails/${ids.mail}"`)
    expect(await read('/mails?text=services')).toContain('No mail matches.')
  })

  test('show the body that is sent', async () => {
    const page = await read(`/mails/${ids.post}`)
    expect(page).toContain('Posted to')
    expect(page).toContain('&quot;blocks&quot;: [')
    expect(page).toContain('No scores of &amp;lt;b&amp;gt;churn')
    expect(page).not.toContain('xq7path')
  })
})

describe.skipIf(!hasBrowser)('in a browser', () => {
  let browser: Browser
  beforeAll(async () => {
    browser = await openBrowser()
  })
  afterAll(() => browser?.close())

  test.each([390, 1440])('a post is readable at %i pixels, and accessible', async (width) => {
    const { context, page, complaints } = await visit(browser, site.url, 'vic', { width, bypassCSP: true })
    for (const path of ['/mails', `/mails/${ids.post}`]) {
      await page.goto(`${site.url}${path}`)
      const wide = await page.evaluate('document.documentElement.scrollWidth')
      expect(wide).toBeLessThanOrEqual(width)
      expect(await seriousFindings(page)).toEqual([])
    }
    expect(complaints).toEqual([])
    await context.close()
  })
})
