import type { Browser } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { drifting, facts } from '../alerts/sample.ts'
import { hasBrowser, openBrowser, seriousFindings, visit } from './browser.ts'
import { openSite, type Site, usersOf } from './site.ts'

/** The oldest are open: sorted by age alone they would stand on the last page. */
const [OPEN, CLOSED] = [60, 75]

let site: Site
let cookie: string
let csrf: string
beforeAll(async () => {
  site = await openSite({ users: usersOf({ ann: 'operator', vic: 'viewer' }) })
  cookie = await site.signIn('ann')
  csrf = await site.csrf('ann')
  for (let number = 1; number <= OPEN + CLOSED; number++) {
    const subject = number % 2 === 0 ? 'churn' : 'upsell & more'
    await site.database.pool.query(
      `insert into nightshift.incidents (subject_kind, subject, kind, detail, opened_at, closed_at)
       values ('model', $1, 'late-data', $2, $3, $4)`,
      [
        // One of a kind is open at a time.
        number <= OPEN ? `${subject}-${number}` : subject,
        { facts: facts({ subject }), nights: [] },
        new Date(Date.UTC(2026, 5, 1, number)),
        number <= OPEN ? null : new Date(Date.UTC(2026, 5, 20)),
      ],
    )
  }
})
afterAll(() => site.close())

const read = async (path: string) => (await site.ask(path, { cookie })).text()
const idsIn = (page: string) => [...page.matchAll(/<tr id="(\d+)">/g)].map(([, id]) => Number(id))
const link = (page: string, rel: 'next' | 'prev') =>
  new RegExp(`<a rel="${rel}" href="([^"]+)"`).exec(page)?.[1]?.replaceAll('&amp;', '&')
const down = (from: number, to: number) => Array.from({ length: from - to + 1 }, (_, index) => from - index)

/** Every page from an address on, by its links alone. */
async function follow(path: string): Promise<string[]> {
  const pages = [await read(path)]
  for (let next = link(pages[0] ?? '', 'next'); next !== undefined; next = link(pages.at(-1) ?? '', 'next'))
    pages.push(await read(next))
  return pages
}

describe('the list of incidents', () => {
  test('has all of them on its pages, each once: the open ones first, then the closed ones, the newest first', async () => {
    const pages = await follow('/incidents')
    expect(pages.map((page) => idsIn(page).length)).toEqual([50, 50, 35])
    expect(pages.flatMap(idsIn)).toEqual([...down(OPEN, 1), ...down(OPEN + CLOSED, OPEN + 1)])
    const titles = (page: string) => [...page.matchAll(/<h2 id="\w+">(\w+)/g)].map(([, title]) => title)
    expect(pages.map(titles)).toEqual([['Open'], ['Open', 'Closed'], ['Closed']])
    expect(link(pages[2] ?? '', 'prev')).toBe('/incidents?page=2')
    expect(link(pages[1] ?? '', 'prev')).toBe('/incidents')
  })

  test('keeps what it is filtered by', async () => {
    const open = await follow('/incidents?state=open')
    expect(open.flatMap(idsIn)).toEqual(down(OPEN, 1))
    expect(link(open[0] ?? '', 'next')).toBe('/incidents?state=open&page=2')
    const [first, ...others] = await follow('/incidents?subject=upsell+%26+more')
    expect(others).toEqual([])
    expect(idsIn(first ?? '')).toEqual(down(OPEN + CLOSED, OPEN + 1).filter((id) => id % 2 === 1))
    expect(first).toContain('No incident is open.')
  })

  test('says of a page that has nothing where there is something', async () => {
    expect(await read('/incidents?page=9&state=open')).toContain(
      'Page 9 is empty. <a href="/incidents?state=open">The first page</a>',
    )
  })
})

describe('acknowledging an incident', () => {
  const press = (id: number, form: Record<string, string> = {}) =>
    site.ask(`/incidents/${id}/ack`, { cookie, form: { csrf, ...form } })
  /** The fields of the form that acknowledges an incident, as the page has them. */
  const fieldsOf = (page: string, id: number) => {
    const [, form = ''] = new RegExp(`action="/incidents/${id}/ack">(.*?)</form>`, 's').exec(page) ?? []
    return Object.fromEntries([...form.matchAll(/name="(\w+)" value="([^"]*)"/g)].map(([, n, v]) => [n, v]))
  }

  test('said on the page of an incident leads back to it, and shows', async () => {
    const page = await read('/incidents/3')
    const answer = await press(3, fieldsOf(page, 3))
    expect([answer.status, answer.headers.get('location')]).toEqual([303, '/incidents/3?done=ack'])
    const after = await read('/incidents/3?done=ack')
    expect(after).toContain('You acknowledged the incident: no more mails until something new happens.')
    expect(after).toMatch(/Acknowledged by<\/dt><dd>ann, since <time/)
    expect(after).toContain('Acknowledged by ann:')
    expect(after).not.toContain('action="/incidents/3/ack"')
  })

  test('said on the list leads back to the list as it was', async () => {
    const path = '/incidents?state=open&page=2'
    const answer = await press(5, fieldsOf(await read(path), 5))
    const location = '/incidents?state=open&page=2&done=ack#5'
    expect([answer.status, answer.headers.get('location')]).toEqual([303, location])
    const after = await read(location.replace(/#.*/, ''))
    expect(after).toMatch(/<tr id="5">.*?<td data-label="Acknowledged by">ann<\/td>/s)
    expect(after).toContain('You acknowledged the incident')
  })

  test('leads nowhere else, whatever the form says', async () => {
    const answer = await press(7, { from: 'https://evil.example', page: '2' })
    expect(answer.headers.get('location')).toBe('/incidents/7?done=ack')
    const list = await press(7, { from: 'list', subject: '//evil.example/?a=b&c', page: '-1' })
    expect(list.headers.get('location')).toBe(
      '/incidents?subject=%2F%2Fevil.example%2F%3Fa%3Db%26c&done=ack#7',
    )
  })

  test('is no question to a viewer, nor of what is closed', async () => {
    const list = await (await site.ask('/incidents', { cookie: await site.signIn('vic') })).text()
    expect(list).not.toContain('>Acknowledge<')
    expect(await read('/incidents?page=3')).not.toContain('>Acknowledge<')
  })
})

test('a closed drift is told in the past, on its page and on the list', async () => {
  const insert = async (closedAt: Date | null) => {
    const detail = { facts: drifting('stay', { plan: 3, spend: 1 }), nights: [] }
    const { rows } = await site.database.pool.query(
      `insert into nightshift.incidents (subject_kind, subject, kind, detail, opened_at, closed_at)
       values ('model', 'stay', 'drift', $1, now(), $2) returning id`,
      [detail, closedAt],
    )
    return String(rows[0]?.id)
  }
  const closed = await read(`/incidents/${await insert(new Date())}`)
  expect(closed).toContain('stay drifted in plan, spend.')
  expect(closed).toContain('Model input or output no longer matched the baseline.')
  expect(closed).not.toMatch(/drifts|look before you trust/)
  const list = await read('/incidents?subject=stay')
  expect(list).toContain('stay drifted in plan, spend.')
  expect(list).not.toMatch(/drifts|look before you trust/)
  const open = await read(`/incidents/${await insert(null)}`)
  expect(open).toContain('stay has drifted in plan, spend: check its scores before you use them.')
  expect(open).toContain('no longer matches the baseline')
})

describe.skipIf(!hasBrowser)('the list on a phone', () => {
  let browser: Browser
  beforeAll(async () => {
    browser = await openBrowser()
  })
  afterAll(() => browser.close())

  test('is as wide as the phone, has nothing serious for axe, and turns its pages by thumb', async () => {
    const { page, context } = await visit(browser, site.url, 'ann', { width: 390, bypassCSP: true })
    await page.goto(`${site.url}/incidents`)
    await page.getByRole('link', { name: 'Next' }).click()
    await page.waitForURL('**/incidents?page=2')
    for (const path of ['/incidents', '/incidents?page=2', '/incidents?page=9', '/incidents/5']) {
      await page.goto(site.url + path)
      expect({ path, width: await page.evaluate('document.documentElement.scrollWidth') }).toEqual({
        path,
        width: 390,
      })
      expect({ path, findings: await seriousFindings(page) }).toEqual({ path, findings: [] })
    }
    await page.goto(`${site.url}/incidents?page=2`)
    await page.getByRole('button', { name: /^Acknowledge.*churn-10, late-data, incident 10$/ }).click()
    await page.waitForURL('**/incidents?page=2&done=ack#10')
    expect(await page.locator('tr[id="10"]').innerText()).toMatch(/ann\d+$/)
    await context.close()
  })
})
