import { mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { request } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll } from 'vitest'
import { letterHtml } from '../../src/alerts/letters/letter-html.ts'
import { letterText } from '../../src/alerts/letters/letter-text.ts'
import { toMessage } from '../../src/alerts/letters/message.ts'
import { threadSubject } from '../../src/alerts/letters/subject-line.ts'
import { threadLetter } from '../../src/alerts/letters/thread-mail.ts'
import { openProject } from '../../src/project/files/load-project.ts'
import type { Project } from '../../src/project/project.ts'
import { parseAsOf } from '../../src/project/time/asof.ts'
import { nightReport } from '../../src/web/night-report.ts'
import { facts, SETTINGS } from '../alerts/sample.ts'
import { FAILED, LABELS_SQL, MODEL_YAML, writeHistory } from '../web/history.ts'
import { openSite, PASSWORD, type Site, usersOf } from '../web/site.ts'

import { BREAKOUT, nothingGetsIn, type Row, SCRIPT, SECRET } from './attempts.ts'

let folder: string
let site: Site
let project: Project
beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'nightshift-hostile-'))
  writeFileSync(join(folder, 'secret'), SECRET)
  site = await openSite({
    users: usersOf({ ann: 'operator', vic: 'viewer' }),
    files: { 'models/value/model.yaml': MODEL_YAML, 'models/value/labels.sql': LABELS_SQL },
  })
  project = openProject(site.project.root)
  await writeHistory(site.database)
})
afterAll(async () => {
  await site?.close()
  rmSync(folder, { recursive: true, force: true })
})

/** An address as it is written: `fetch` would mend it. */
async function ask(path: string, headers: Record<string, string> = {}): Promise<string> {
  const { hostname, port } = new URL(site.url)
  const cookie = await site.signIn('ann')
  return new Promise((done, fail) => {
    request({ hostname, port, path, headers: { cookie, ...headers } }, (answer) => {
      const parts: Buffer[] = []
      answer.on('data', (part) => parts.push(part))
      answer.on('end', () => {
        const { location = '' } = answer.headers
        done(`${answer.statusCode} ${location} ${Buffer.concat(parts).toString()}`)
      })
    })
      .on('error', fail)
      .end()
  })
}

async function post(
  path: string,
  form: Record<string, string>,
  headers: Record<string, string> = {},
  who = 'ann',
) {
  const cookie = await site.signIn(who)
  const csrf = await site.csrf(who)
  const answer = await site.ask(path, { cookie, form: { csrf, ...form }, headers })
  return `${answer.status} ${answer.headers.get('location') ?? ''} ${await answer.text()}`
}

async function mail(changes: Parameters<typeof facts>[0], recipient = 'oncall@example.com'): Promise<string> {
  const of = facts(changes)
  const incident = {
    ...{ id: 12, subject: of.subject, subjectKind: of.subjectKind, kind: of.failure.class },
    ...{ openedAt: new Date(0), closedAt: undefined, ackedAt: undefined, ackedBy: undefined },
    ...{ facts: of, nights: [] },
  }
  const now = new Date(60_000)
  const letter = threadLetter({
    occasion: 'opened',
    incidents: [incident],
    recipient,
    now,
    alive: { worker: false, scheduler: false, untaken: [] },
    settings: SETTINGS,
  })
  const subject = threadSubject([incident])
  const { raw } = await toMessage(
    {
      ...{
        id: 1,
        kind: 'mail',
        thread: undefined,
        recipient,
        subject,
        messageId: '<1@x>',
        inReplyTo: undefined,
      },
      ...{ references: [], text: letterText(letter), html: letterHtml(letter, subject), attachments: [] },
      ...{ createdAt: now, tries: 0 },
    },
    SETTINGS,
  )
  const head = raw.toString().split('\r\n\r\n')[0] ?? ''
  return `${head.replaceAll('\r', '')}\n\n${letterHtml(letter, subject)}`
}

/** A night's report of the project with some of its settings and its model's words replaced. */
async function report(words: string, baseUrl: string): Promise<string> {
  const { value } = project.models
  if (value === undefined) throw new Error('the project has no model value')
  const model = { ...value, description: words, owner: words, consumers: [words] }
  const of: Project = {
    ...project,
    ...{ name: words, models: { value: model } },
    alerts: project.alerts && { ...project.alerts, base_url: baseUrl },
  }
  await site.database.pool.query(
    `update nightshift.runs set failure = jsonb_set(failure, '{message}', to_jsonb($1::text))
      where failure is not null`,
    [words],
  )
  const asOf = parseAsOf(FAILED, of.timezone)
  return nightReport({ database: site.database, project: () => of }, model, asOf, new Date())
}

async function runbook(text: string | { link: string }): Promise<string> {
  const path = join(site.project.root, 'models/value/RUNBOOK.md')
  rmSync(path, { force: true })
  if (typeof text === 'string') writeFileSync(path, text)
  else symlinkSync(text.link, path)
  return ask('/models/value/runbook')
}

const RUNBOOKS: Row[] = [
  [
    'a link to the environment',
    'RUNBOOK.md on its page',
    () => runbook({ link: '/proc/self/environ' }),
    /^404 [\s\S]*This runbook cannot be shown[\s\S]*leads out of it/,
  ],
  [
    'a link to a secret',
    'RUNBOOK.md on its page',
    () => runbook({ link: join(folder, 'secret') }),
    /404 .*leads out of it/s,
  ],
  [
    'a link to an endless device',
    'RUNBOOK.md on its page',
    () => runbook({ link: '/dev/zero' }),
    /404 .*leads out of it/s,
  ],
  [
    SCRIPT,
    'RUNBOOK.md',
    () => runbook(`## ${SCRIPT}\n\n${SCRIPT} **${SCRIPT}** \`${SCRIPT}\`\n\n\`\`\`\n${SCRIPT}\n\`\`\`\n`),
    /200 [\s\S]*&lt;script&gt;/,
  ],
  [
    '/\\evil.example',
    'a link in RUNBOOK.md',
    () => runbook('[x](/\\evil.example) [y](\\\\evil.example)'),
    /200 (?![\s\S]*href="[^"]*evil)/,
  ],
  [
    'javascript:',
    'a link in RUNBOOK.md',
    () => runbook('[x](javascript:alert(1)) [y](JAVASCRIPT:alert)'),
    /200 (?![\s\S]*href="javascript)/i,
  ],
]

const PAGES: Row[] = [
  [
    BREAKOUT,
    'search of runs',
    () => ask(`/runs?text=${encodeURIComponent(BREAKOUT)}`),
    /^200 [\s\S]*&lt;img/,
  ],
  [
    SCRIPT,
    'address of a model',
    () => ask(`/models/${encodeURIComponent(SCRIPT)}`),
    /^404 [\s\S]*&lt;script/,
  ],
  [
    "' or 1=1 --",
    'search of runs',
    () => ask(`/runs?text=${encodeURIComponent("' or 1=1 --")}`),
    /^200 [\s\S]*No run/,
  ],
  ['../../etc/passwd', 'an address', () => ask('/../../etc/passwd'), /^404/],
  ['%2e%2e%2f', 'address of a runbook', () => ask('/models/..%2f..%2fvalue/runbook'), /^404/],
  ['//evil.example', 'next of the sign-in', () => ask('/signin?next=//evil.example'), /^200 (?![\s\S]*evil)/],
  [
    '/\\evil.example',
    'next of the sign-in',
    () => ask('/signin?next=/%5Cevil.example'),
    /^200 (?![\s\S]*evil)/,
  ],
  [
    'words of the attacker',
    'notice of a page',
    () => ask('/?done=Your+password+is+needed'),
    /^200 (?![\s\S]*password is needed)/,
  ],
  [
    'a header in an address',
    'an address',
    () => ask('/runs?text=a%0d%0aset-cookie:x=1'),
    /^200 [\s\S]*set-cookie:x=1&quot;|^200 [\s\S]*value="a\r?\nset-cookie:x=1"/,
  ],
  [
    'another host',
    'X-Forwarded-Host',
    () => ask('/signin', { 'x-forwarded-host': 'evil.example' }),
    /^200 (?![\s\S]*evil)/,
  ],
]

const FORMS: Row[] = [
  ['no csrf', 'retry', () => post('/runs/r1/retry', { csrf: '' }), /^403/],
  ['a foreign origin', 'retry', () => post('/runs/r1/retry', {}, { origin: 'https://evil.example' }), /^403/],
  ['the origin null', 'retry', () => post('/runs/r1/retry', {}, { origin: 'null' }), /^403/],
  [
    'a foreign origin with its own host forwarded',
    'retry',
    () => post('/runs/r1/retry', {}, { origin: 'https://evil.example', 'x-forwarded-host': 'evil.example' }),
    /^403/,
  ],
  [
    'a viewer',
    'skip',
    () => post('/slots/value/2026-03-02/skip', { reason: 'x' }, {}, 'vic'),
    /^403 [\s\S]*vic is a viewer/,
  ],
  ["r1' or '1'='1", 'retry', () => post(`/runs/${encodeURIComponent("r1' or '1'='1")}/retry`, {}), /^404/],
  [
    SCRIPT,
    'name at the sign-in',
    async () => {
      const answer = await site.ask('/signin', { form: { name: BREAKOUT, password: SCRIPT } })
      return `${answer.status} ${await answer.text()}`
    },
    /^401 [\s\S]*&lt;img/,
  ],
  [
    '//evil.example',
    'next of the sign-in',
    async () => {
      const answer = await site.ask('/signin', {
        form: { name: 'ann', password: PASSWORD, next: '/\\evil.example' },
      })
      return `${answer.status} ${answer.headers.get('location')}`
    },
    /^303 \/$/,
  ],
]

const MAILS: Row[] = [
  [
    SCRIPT,
    'words of a model',
    () => mail({ description: SCRIPT, owner: SCRIPT, consumers: [BREAKOUT] }),
    /&lt;script&gt;/,
  ],
  [
    'a line break and a header',
    'name of a model',
    () => mail({ subject: 'x\r\nBcc: evil@example.com' }),
    /^(?!(?:(?!\n\n)[\s\S])*\nBcc:)/i,
  ],
  [
    "$& $' $`",
    'message of a failure',
    () => mail({ failure: { class: 'bug', message: "a $& $' $` b", anchor: '#bug', evidence: {} } }),
    /a \$&amp; \$&#39; \$` b/,
  ],
  [
    'javascript:',
    'base_url',
    () => mail({ baseUrl: 'javascript:alert(1)//' }),
    /^(?![\s\S]*href="javascript)/,
  ],
  [BREAKOUT, 'base_url', () => mail({ baseUrl: `https://x/${BREAKOUT}` }), /https:\/\/x\/&quot;&#39;&gt;/],
]

const REPORTS: Row[] = [
  [SCRIPT, 'words of a model, a failure', () => report(SCRIPT, 'https://example.com'), /&lt;script&gt;alert/],
  [
    BREAKOUT,
    'base_url',
    () => report('x', `https://x/${BREAKOUT}`),
    /href="https:\/\/x\/&quot;'&gt;&lt;img src=x onerror=alert\(1\)&gt;\/\w+\//,
  ],
  ["$& $' $`", 'base_url', () => report('x', "https://x/$&$'$`"), /href="https:\/\/x\/\$&amp;\$'\$`\/\w+\//],
]

nothingGetsIn('runbooks', RUNBOOKS)
nothingGetsIn('addresses of pages', PAGES)
nothingGetsIn('forms', FORMS)
nothingGetsIn('mails', MAILS)
nothingGetsIn('the report', REPORTS)
