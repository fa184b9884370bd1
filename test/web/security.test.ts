import { request } from 'node:http'
import { hashSync } from 'bcryptjs'
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import { parseNetworks } from '../../src/web/security/network.ts'
import { localPath } from '../../src/web/security/signin.ts'
import { parseUsers } from '../../src/web/security/users.ts'
import { nightshift } from '../cli/nightshift.ts'
import { openSite, PASSWORD, type Site, usersOf } from './site.ts'

/** Asks as `fetch` may not: with any headers, on a connection of its own, without sending a body. */
function statusOf(
  site: Site,
  path: string,
  { method = 'GET', headers = {} }: { method?: string; headers?: Record<string, string> },
): Promise<number> {
  const { hostname: host, port } = new URL(site.url)
  return new Promise((resolve, reject) => {
    const asked = request({ host, port, path, method, headers, agent: false }, (answer) => {
      resolve(answer.statusCode ?? 0)
      asked.destroy()
    })
    asked.once('error', reject)
    if (method === 'GET') asked.end()
    else asked.flushHeaders()
  })
}

/** As a browser asks whose DNS was made to lie: under another name than the address has. */
function askAs(site: Site, host: string, path: string): Promise<number> {
  return statusOf(site, path, { headers: { host } })
}

describe('with users', () => {
  let site: Site
  let users = usersOf({ ann: 'operator', vic: 'viewer' })
  let isProxy = parseNetworks('', 'the test')
  beforeAll(async () => {
    site = await openSite({ users: () => users(), isProxy: (address) => isProxy(address) })
  })
  afterAll(() => site.close())
  afterEach(async () => {
    users = usersOf({ ann: 'operator', vic: 'viewer' })
    isProxy = parseNetworks('', 'the test')
    await site.database.pool.query('delete from nightshift.sessions')
  })

  test('a page asks for the sign-in and comes back to what was wanted', async () => {
    const refused = await site.ask('/incidents?state=open')
    expect(refused.status).toBe(303)
    expect(refused.headers.get('location')).toBe('/signin?next=%2Fincidents%3Fstate%3Dopen')
    const form = await (await site.ask('/signin?next=%2Fincidents%3Fstate%3Dopen')).text()
    expect(form).toContain('name="next" value="/incidents?state=open"')
    const signed = await site.ask('/signin', {
      form: { name: 'ann', password: PASSWORD, next: '/incidents?state=open' },
    })
    expect([signed.status, signed.headers.get('location')]).toEqual([303, '/incidents?state=open'])
    const [cookie = ''] = signed.headers.getSetCookie()
    expect(cookie).toMatch(/^nightshift=[\w-]{43}; .*Path=\/; HttpOnly; SameSite=Lax$/)
    expect((await site.ask('/incidents', { cookie: cookie.split(';')[0] ?? '' })).status).toBe(200)
  })

  test('the ledger keeps no token that would open the door', async () => {
    const cookie = await site.signIn('ann')
    const { rows } = await site.database.pool.query('select * from nightshift.sessions')
    expect(rows).toHaveLength(1)
    expect(JSON.stringify(rows)).not.toContain(cookie.split('=')[1])
    const hash = String(rows[0].token_hash)
    expect((await site.ask('/', { cookie: `nightshift=${hash}` })).status).toBe(303)
  })

  test('behind https the cookie is secure and belongs to this host alone', async () => {
    isProxy = parseNetworks('127.0.0.0/8', 'the test')
    const headers = { 'x-forwarded-proto': 'https' }
    const signed = await site.ask('/signin', { headers, form: { name: 'ann', password: PASSWORD } })
    const [cookie = ''] = signed.headers.getSetCookie()
    expect(cookie).toMatch(/^__Host-nightshift=.*; Path=\/; HttpOnly; Secure; SameSite=Lax$/)
    expect((await site.ask('/', { headers, cookie: cookie.split(';')[0] ?? '' })).status).toBe(200)
  })

  test('nobody but a declared proxy says where a request comes from', async () => {
    const forwarded = {
      'x-forwarded-proto': 'https',
      'x-forwarded-host': 'evil.example',
      origin: 'http://evil.example',
    }
    const form = { name: 'ann', password: PASSWORD }
    expect((await site.ask('/signin', { headers: forwarded, form })).status).toBe(403)
    const signed = await site.ask('/signin', { headers: { 'x-forwarded-proto': 'https' }, form })
    expect(signed.headers.getSetCookie()[0]).not.toContain('Secure')
    isProxy = parseNetworks('127.0.0.1', 'the test')
    expect((await site.ask('/signin', { headers: forwarded, form })).status).toBe(303)
  })

  test('behind a declared proxy the wrong tries of one address make no other wait', async () => {
    isProxy = parseNetworks('127.0.0.1, 10.0.0.0/8', 'the test')
    const from = (chain: string, name = 'ann', password = 'wrong password') =>
      site.ask('/signin', { headers: { 'x-forwarded-for': chain }, form: { name, password } })
    const statuses = []
    // What the client itself writes into the header stands first, and does not count.
    for (let at = 0; at < 7; at++) statuses.push((await from(`192.0.2.${at}, 203.0.113.9, 10.0.0.7`)).status)
    expect(statuses).toEqual([401, 401, 401, 401, 401, 429, 429])
    expect((await from('203.0.113.10', 'ann', PASSWORD)).status).toBe(303)
  })

  test.each([
    ['ann', 'wrong password'],
    ['nobody', PASSWORD],
    ['ann', ''],
    ['ann', 'x'.repeat(10_000)],
  ])('%s with a wrong password is told no more than that it is wrong', async (name, password) => {
    const answer = await site.ask('/signin', { form: { name, password } })
    expect(answer.status).toBe(401)
    expect(await answer.text()).toContain('Name or password is wrong.')
    expect(answer.headers.getSetCookie()).toEqual([])
  })

  test('a viewer looks and changes nothing; the page says so', async () => {
    const cookie = await site.signIn('vic')
    expect((await site.ask('/', { cookie })).status).toBe(200)
    const csrf = await site.csrf('vic')
    for (const path of [
      '/runs/r1/retry',
      '/runs/r1/release',
      '/slots/value/2026-03-02/skip',
      '/incidents/1/ack',
    ]) {
      const answer = await site.ask(path, { cookie, form: { csrf, reason: 'why not' } })
      expect(answer.status, path).toBe(403)
      expect(await answer.text()).toContain('vic is a viewer')
    }
  })

  test('the queue board is there for a viewer, who cannot act on it', async () => {
    const cookie = await site.signIn('vic')
    const board = await site.ask('/queues', { cookie })
    expect(board.status).toBe(200)
    expect(await board.text()).not.toContain('fonts.googleapis.com')
    const headers = { 'sec-fetch-site': 'same-origin' }
    const queues = await (await site.ask('/queues/api/queues', { cookie })).text()
    expect(queues).toContain('"readOnlyMode":true')
    expect(queues).not.toContain('"readOnlyMode":false')
    for (const action of ['pause', 'retry/failed', 'clean/failed', 'add', 'obliterate']) {
      const answer = await site.ask(`/queues/api/queues/features/${action}`, {
        cookie,
        method: 'PUT',
        headers,
      })
      expect(answer.status, action).toBe(403)
    }
  })

  test('an operator acts on the queue board, from its own pages only', async () => {
    const cookie = await site.signIn('ann')
    const pause = (headers: Record<string, string>) =>
      site.ask('/queues/api/queues/parity/pause', { cookie, method: 'PUT', headers })
    expect((await pause({})).status).toBe(403)
    expect((await pause({ 'sec-fetch-site': 'cross-site' })).status).toBe(403)
    expect(await site.queues.queue('parity').isPaused()).toBe(false)
    expect((await pause({ 'sec-fetch-site': 'same-origin' })).status).toBe(200)
    expect(await site.queues.queue('parity').isPaused()).toBe(true)
    expect((await site.ask('/queues/api/queues', { method: 'GET' })).status).toBe(401)
  })

  test('a change without the session’s csrf, or from a foreign page, is refused', async () => {
    const cookie = await site.signIn('ann')
    const csrf = await site.csrf('ann')
    const retry = (form: Record<string, string>, headers: Record<string, string> = {}) =>
      site.ask('/runs/r1/retry', { cookie, form, headers }).then(({ status }) => status)
    expect(await retry({})).toBe(403)
    expect(await retry({ csrf: `${csrf.slice(0, -1)}!` })).toBe(403)
    expect(await retry({ csrf }, { origin: 'https://evil.example' })).toBe(403)
    expect(await retry({ csrf }, { origin: 'null' })).toBe(403)
    expect(await retry({ csrf }, { 'sec-fetch-site': 'cross-site' })).toBe(403)
    // Let through, and there is no such run.
    expect(await retry({ csrf })).toBe(404)
    expect(await retry({ csrf }, { origin: site.url, 'sec-fetch-site': 'same-origin' })).toBe(404)
    const signIn = { name: 'ann', password: PASSWORD }
    const foreign = await site.ask('/signin', { form: signIn, headers: { origin: 'https://evil.example' } })
    expect(foreign.status).toBe(403)
  })

  test('the session of one does not take the csrf of another', async () => {
    const cookie = await site.signIn('ann')
    await site.signIn('vic')
    const csrf = await site.csrf('vic')
    expect((await site.ask('/runs/r1/retry', { cookie, form: { csrf } })).status).toBe(403)
  })

  test('a session ends with the sign-out', async () => {
    const cookie = await site.signIn('ann')
    const csrf = await site.csrf('ann')
    const out = await site.ask('/signout', { cookie, form: { csrf } })
    expect([out.status, out.headers.get('location')]).toEqual([303, '/signin'])
    expect((await site.ask('/', { cookie })).status).toBe(303)
  })

  test.each([
    [
      'after 12 hours without a request',
      `update nightshift.sessions set seen_at = now() - interval '12 hours 1 minute'`,
    ],
    ['after seven days', `update nightshift.sessions set expires_at = now() - interval '1 second'`],
  ])('a session ends %s', async (_, aged) => {
    const cookie = await site.signIn('ann')
    expect((await site.ask('/', { cookie })).status).toBe(200)
    await site.database.pool.query(aged)
    expect((await site.ask('/', { cookie })).status).toBe(303)
  })

  test('a session lives on while it is used', async () => {
    const cookie = await site.signIn('ann')
    await site.database.pool.query(`update nightshift.sessions set seen_at = now() - interval '11 hours'`)
    expect((await site.ask('/', { cookie })).status).toBe(200)
    const { rows } = await site.database.pool.query(
      `select seen_at > now() - interval '1 minute' as fresh from nightshift.sessions`,
    )
    expect(rows).toEqual([{ fresh: true }])
  })

  test('who is removed, or has a new password, is out; who has a new role has it at once', async () => {
    const cookie = await site.signIn('vic')
    const same = users().get('vic')?.hash ?? ''
    users = () => parseUsersOf(`vic:operator:${same}`)
    const csrf = await site.csrf('vic')
    expect((await site.ask('/runs/r1/retry', { cookie, form: { csrf } })).status).toBe(404)
    users = () => parseUsersOf(`vic:operator:${hashSync('another password', 4)}`)
    expect((await site.ask('/', { cookie })).status).toBe(303)
    users = () => parseUsersOf(`ann:operator:${same}`)
    expect((await site.ask('/', { cookie })).status).toBe(303)
  })

  test('each answer forbids scripts, frames, sniffing and caching', async () => {
    const cookie = await site.signIn('ann')
    for (const path of ['/', '/signin', '/incidents', '/nothing-here', '/healthz']) {
      const { headers } = await site.ask(path, { cookie })
      const policy = headers.get('content-security-policy') ?? ''
      expect(policy, path).toMatch(
        /default-src 'none'.*base-uri 'none'.*form-action 'self'.*frame-ancestors 'none'/,
      )
      expect(policy, path).not.toMatch(/script-src|unsafe-eval|https?:/)
      expect(headers.get('x-content-type-options')).toBe('nosniff')
      expect(headers.get('referrer-policy')).toBe('same-origin')
      expect(headers.get('cache-control')).toBe('no-store')
    }
    const board = (await site.ask('/queues', { cookie })).headers.get('content-security-policy') ?? ''
    expect(board).toMatch(/default-src 'none'; script-src 'self';/)
    expect(board).not.toMatch(/script-src [^;]*unsafe/)
  })

  test('a body of megabytes is refused before it is read', async () => {
    const headers = { 'content-type': 'application/x-www-form-urlencoded', 'content-length': '2000000' }
    expect(await statusOf(site, '/signin', { method: 'POST', headers })).toBe(413)
  })

  test('after five wrong tries from one address the next has to wait a second, for that name alone', async () => {
    const wrong = () => site.ask('/signin', { form: { name: 'eve', password: 'wrong password' } })
    const answers = await Promise.all(Array.from({ length: 8 }, wrong))
    expect(answers.map(({ status }) => status).sort()).toEqual([401, 401, 401, 401, 401, 429, 429, 429])
    const late = answers.find(({ status }) => status === 429)
    expect(late?.headers.get('retry-after')).toBe('1')
    await site.signIn('ann')
  })
})

describe('without users', () => {
  let site: Site
  beforeAll(async () => {
    site = await openSite()
  })
  afterAll(() => site.close())

  test('whoever sits at this machine looks without sign-in', async () => {
    expect((await site.ask('/')).status).toBe(200)
    const signIn = await site.ask('/signin?next=/incidents')
    expect([signIn.status, signIn.headers.get('location')]).toEqual([303, '/incidents'])
  })

  test('a change still needs a form of ours', async () => {
    expect((await site.ask('/runs/r1/retry', { form: {} })).status).toBe(403)
    const foreign = { 'sec-fetch-site': 'cross-site', origin: 'https://evil.example' }
    expect((await site.ask('/runs/r1/retry', { form: {}, headers: foreign })).status).toBe(403)
    const pause = { method: 'PUT', headers: { origin: 'https://evil.example' } }
    expect((await site.ask('/queues/api/queues/parity/pause', pause)).status).toBe(403)
  })

  test('only names of this machine are answered, so that no rebound name reads the pages', async () => {
    const { port } = new URL(site.url)
    for (const host of [`localhost:${port}`, `127.0.0.1:${port}`, `[::1]:${port}`, 'localhost']) {
      expect(await askAs(site, host, '/'), host).toBe(200)
    }
    for (const host of [
      'evil.example',
      `evil.example:${port}`,
      '192.168.1.10',
      'localhost.evil.example',
      '127.0.0.1.nip.io',
    ]) {
      expect(await askAs(site, host, '/'), host).toBe(403)
      expect(await askAs(site, host, '/queues/api/queues'), host).toBe(403)
    }
  })

  test('nobody listens beyond this machine', async () => {
    await expect(openSiteAt('0.0.0.0')).rejects.toThrow(
      /--host: expected a loopback address.*got: 0\.0\.0\.0; add one first/,
    )
    const { code, stderr } = await nightshift(['web', '--host', '0.0.0.0', '--port', '0'], {
      project: site.project.root,
      env: { DATABASE_URL: site.database.url },
    })
    expect([code, stderr]).toEqual([2, expect.stringContaining('nightshift user add NAME --role operator')])
  })
})

async function openSiteAt(host: string): Promise<void> {
  const site = await openSite({ host })
  await site.close()
}

function parseUsersOf(text: string) {
  return parseUsers(text, 'the test')
}

test.each([
  ['/runs/r1?x=1#a', '/runs/r1?x=1#a'],
  ['//evil.example', '/'],
  ['/\\evil.example', '/'],
  ['/.//evil.example', '/'],
  ['https://evil.example/', '/'],
  ['javascript:alert(1)', '/'],
  ['/\t/evil.example', '/'],
  ['', '/'],
  [undefined, '/'],
])('after the sign-in %s leads to %s', (next, path) => {
  expect(localPath(next)).toBe(path)
})

test.each([
  ['ann', /entry 1: expected name:role:bcrypt-hash/],
  ['ann:admin:$2b$12$x', /entry 1: ann: expected the role viewer or operator, got: "admin"/],
  ['a b:viewer', /entry 1: expected name:role:bcrypt-hash/],
  ['-x:viewer:$2b$04$zz', /entry 1: expected a name of letters.*got: "-x"/],
  [
    `ann:viewer:plain-text-password`,
    /entry 1: ann: expected a bcrypt hash of 60 characters.*got: 19 characters that are not one/,
  ],
  [
    `ann:viewer:${hashSync('password', 4)}, ann:operator:${hashSync('password', 4)}`,
    /entry 2: ann is listed twice/,
  ],
])('the users %s are refused with what is legal, and without a hash', (text, message) => {
  expect(() => parseUsers(text, 'NIGHTSHIFT_USERS')).toThrow(message)
  expect(() => parseUsers(text, 'NIGHTSHIFT_USERS')).not.toThrow(/plain-text-password|\$2b\$04|\$2b\$12/)
})

test('users are separated by lines, commas or spaces, and lines that begin with # are none', () => {
  const [one, two, three] = ['ann:operator', 'bob:viewer', 'cy:viewer'].map(
    (each) => `${each}:${hashSync('password', 4)}`,
  )
  const names = (text: string) => [...parseUsers(text, 'here').keys()]
  expect(names(`# people\n${one}\n\n  ${two} , ${three}\n`)).toEqual(['ann', 'bob', 'cy'])
  expect(names(`${one} ${two}\n${three}`)).toEqual(['ann', 'bob', 'cy'])
  expect(names('')).toEqual([])
})
