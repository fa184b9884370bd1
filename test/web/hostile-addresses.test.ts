import { request } from 'node:http'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { LABELS_SQL, MODEL_YAML } from './history.ts'
import { openSite, type Site } from './site.ts'

let site: Site
beforeAll(async () => {
  site = await openSite({
    files: { 'models/value/model.yaml': MODEL_YAML, 'models/value/labels.sql': LABELS_SQL },
  })
})
afterAll(() => site?.close())

/** As it is written: `fetch` would mend some of these. */
function ask(path: string): Promise<{ status: number; text: string }> {
  const { hostname, port } = new URL(site.url)
  return new Promise((resolve, reject) => {
    request({ hostname, port, path }, (answer) => {
      const parts: Buffer[] = []
      answer.on('data', (part) => parts.push(part))
      answer.on('end', () =>
        resolve({ status: answer.statusCode ?? 0, text: Buffer.concat(parts).toString() }),
      )
    })
      .on('error', reject)
      .end()
  })
}

test.each([
  ['/models/constructor', 404, 'This project has value, but none named constructor'],
  ['/models/__proto__', 404, 'none named __proto__'],
  ['/models/toString/runbook', 404, 'No model has this name.'],
  ['/nights/hasOwnProperty/2026-03-02', 404, 'The ledger has no slot named hasOwnProperty'],
  ['/registry/__proto__', 404, 'has a model named __proto__'],
  ['/runs/%00', 400, 'a NUL character'],
  ['/runs?text=a%00b', 400, 'a NUL character'],
  ['/runs?text=%ff', 400, 'does not start a valid UTF-8 escape'],
  ['/runs?text=100%2500', 200, 'value="100%00"'],
  ['/models/value?from=0001-01-01&to=9999-12-31', 400, 'a year from 1000 to 9000, got: 0001-01-01'],
  ['/models/value/nights.csv?to=9999-12-31', 400, 'a year from 1000 to 9000'],
  ['/nights/value/0001-01-01', 404, 'The ledger has no slot named value for 0001-01-01'],
  ['/runs?from=0000-01-01', 400, 'a year from 1000 to 9000, got: 0000-01-01'],
  ['/runs?state=foo&text=plan', 400, 'state: expected one of waiting, queued, running, '],
  ['/runs?kind=views', 400, 'kind: expected one of scores, features, got: views'],
  ['/runs?class=late', 400, 'class: expected one of late-data, contract, '],
  ['/runs?page=0', 400, 'page: expected a whole number from 1 to 100000, got: 0'],
  ['/runs?group=yes', 400, 'group: expected 1, got: yes'],
  ['/runs?state=&page=', 200, 'name="text"'],
  ['/incidents?state=closed', 400, 'state: expected open, got: closed'],
  ['/incidents?page=nine', 400, 'page: expected a whole number from 1 to 100000, got: nine'],
  ['/mails?state=lost&text=plan', 400, 'state: expected one of sent, waiting, given up, got: lost'],
  ['/mails?page=-1', 400, 'page: expected a whole number from 1 to 100000, got: -1'],
  ['/?until=0001-01-01', 200, 'Nights'],
  ['/?until=9000-12-31&days=91', 200, '9000-12-31'],
])('%s is answered with %i and a sentence', async (path, status, said) => {
  const answer = await ask(path)
  expect([answer.status, answer.text.includes(said) || answer.text]).toEqual([status, true])
})

test('what cannot be read is answered with the form as it was, and finds nothing', async () => {
  for (const path of ['/runs?state=foo&text=plan', '/mails?state=foo&text=plan']) {
    const { text } = await ask(path)
    expect(text).toContain('name="text" value="plan"')
    expect(text).not.toMatch(/aria-label="(?:Results|Mails)"/)
  }
})

const VALUES = ['constructor', '__proto__', '%00', '%ff', '%', '..%2f..', '%f0%9f%98%80', "'%3b--"]
const NUMBERS = ['-1', '0', '1e9', 'NaN', '99999999999999', '9223372036854775808', '999999999999999']
const DATES = ['0000-01-01', '0001-01-01', '9999-12-31', '2026-02-30', '0000-01-01T00Z', '2026-11-22T99Z']
const PATHS = [
  ['/models/X', '/models/X/nights.csv', '/models/X.csv', '/models/X/runbook', '/registry/X', '/X'],
  ['/runs/X', '/runs/X/drift.csv', '/nights/X/2026-03-02', '/nights/value/X', '/nights/value/X.csv'],
  [
    '/incidents/X',
    '/mails/X',
    '/mails/X/style.css',
    '/queues/X',
    '/queues/api/queues/monitor/X',
    '/signin?next=X',
  ],
  ['days', 'until', 'done'].map((name) => `/?${name}=X`),
  ['text', 'name', 'state', 'kind', 'class', 'shape', 'from', 'to', 'page'].map((name) => `/runs?${name}=X`),
  ['text', 'shape', 'from'].map((name) => `/runs?group=1&${name}=X`),
  ['text', 'state', 'page'].map((name) => `/mails?${name}=X`),
  ['subject', 'state', 'page'].map((name) => `/incidents?${name}=X`),
  [
    '/models/value?from=X',
    '/models/value?to=X',
    '/models/value?from=X&to=X',
    '/queues/api/queues?activeQueue=X',
  ],
].flat()

test('no address is answered with an error of ours, whatever stands in it', async () => {
  const asked = [...VALUES, ...NUMBERS, ...DATES, 'x'.repeat(5000)]
  const failed: string[] = []
  for (const path of PATHS) {
    const answers = await Promise.all(asked.map((value) => ask(path.replaceAll('X', value))))
    failed.push(
      ...asked.flatMap((value, at) => ((answers[at]?.status ?? 0) >= 500 ? `${path}: ${value}` : [])),
    )
  }
  expect(failed).toEqual([])
})
