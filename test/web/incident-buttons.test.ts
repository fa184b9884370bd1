import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { listIncidents } from '../../src/alerts/incidents/list-incidents.ts'
import { activeMutes } from '../../src/alerts/incidents/mutes.ts'
import { findSlot } from '../../src/ledger/nights/slots.ts'
import { facts } from '../alerts/sample.ts'
import { nightshift, nightshiftJson } from '../cli/nightshift.ts'
import { smallModel, writeDay } from '../projects/generated.ts'
import { promoting } from '../promoting.ts'
import { openSite, type Site, usersOf } from './site.ts'

/** A night has to have more rows than there are customers, so that each is held. */
const VIEW = `view: activity
entity: customer_id
owner: data@example.com
sources:
  events: { path: data/events/**/*.parquet, kind: events, event_time: happened_at }
expect: { rows: { min: 1000 } }
`
const SETTINGS = `project: generated
timezone: UTC
warehouse: warehouse
alerts: { from: nightshift@example.com, base_url: "http://localhost:8080", command: sudo -u scores nightshift }
`

let site: Site
let ann: string
let vic: string
beforeAll(async () => {
  site = await openSite({
    users: usersOf({ ann: 'operator', vic: 'viewer' }),
    files: { 'nightshift.yaml': SETTINGS, 'features/activity/view.yaml': VIEW },
  })
  ann = await site.signIn('ann')
  vic = await site.signIn('vic')
})
afterAll(() => site?.close())

const at = () => ({ project: site.project.root, env: { DATABASE_URL: site.database.url } })
const read = async (path: string, cookie = ann) => (await site.ask(path, { cookie })).text()
const card = (page: string) => /<section[^>]*aria-labelledby="act">.*?<\/section>/s.exec(page)?.[0] ?? ''
const formsIn = (text: string) => [...text.matchAll(/action="([^"]+)"/g)].map(([, path]) => path)

/** Presses a button of a page, with all that its form holds. */
async function press(page: string, path: string, reason?: string, cookie = ann, name = 'ann') {
  const form = new RegExp(`action="${path}">(.*?)</form>`, 's').exec(page)?.[1] ?? ''
  const fields = [...form.matchAll(/name="(\w+)" value="([^"]*)"/g)].map(([, key, value]) => [key, value])
  const csrf = await site.csrf(name)
  const answer = await site.ask(path, {
    cookie,
    form: { ...Object.fromEntries(fields), csrf, ...(reason === undefined ? {} : { reason }) },
  })
  return [answer.status, answer.headers.get('location')]
}

const openOf = async (subject: string) =>
  (await listIncidents(site.database.pool, new Date(), { subject })).find(
    ({ closedAt }) => closedAt === undefined,
  )

/** Features that are held, and their incident. */
async function held(night: string): Promise<{ run: string; incident: number }> {
  const { json } = await nightshiftJson(['refresh', 'activity', '--as-of', night], at())
  expect(json.state).toBe('held')
  const incident = await openOf('activity')
  if (incident === undefined) throw new Error('no incident is open')
  return { run: json.run, incident: incident.id }
}

describe('the page of an incident', () => {
  test('releases the held run, comes back, and shows that the incident is over', async () => {
    const { run, incident } = await held('2026-03-02')
    const page = await read(`/incidents/${incident}`)
    expect(formsIn(card(page))).toEqual([
      `/incidents/${incident}/ack`,
      `/runs/${run}/release`,
      `/runs/${run}/retry`,
      '/slots/features/activity/2026-03-02/skip',
    ])
    expect(await press(page, `/runs/${run}/release`, 'a small day')).toEqual([
      303,
      `/incidents/${incident}?done=release`,
    ])
    const after = await read(`/incidents/${incident}?done=release`)
    expect(after).toContain('The run is released: this partition is published.')
    expect(after).toMatch(/face-published big">closed</)
    expect(card(after)).toBe('')
  })

  test('retries the night; while that run waits, nothing is offered that would be refused', async () => {
    await writeDay(site.project.root, '2026-03-02')
    const { run, incident } = await held('2026-03-03')
    const page = await read(`/incidents/${incident}`)
    expect(await press(page, `/runs/${run}/retry`)).toEqual([303, `/incidents/${incident}?done=again`])
    const slot = await findSlot(site.database.pool, 'features', 'activity', '2026-03-03')
    expect(slot?.run).not.toBe(run)
    const after = await read(`/incidents/${incident}?done=again`)
    expect(after).toContain('The night is requested again.')
    expect(card(after)).toMatch(
      new RegExp(`<a href="/runs/${slot?.run}">${slot?.run}</a> of 2026-03-03 is queued`),
    )
    expect(formsIn(card(after))).toEqual([
      `/incidents/${incident}/ack`,
      '/slots/features/activity/2026-03-03/skip',
    ])
    expect(card(after)).not.toMatch(/nightshift (?:retry|release)/)
  })

  test('skips the night, and the incident is over', async () => {
    const incident = await openOf('activity')
    const path = '/slots/features/activity/2026-03-03/skip'
    const page = await read(`/incidents/${incident?.id}`)
    expect(await press(page, path, 'a holiday')).toEqual([303, `/incidents/${incident?.id}?done=skip`])
    expect(await findSlot(site.database.pool, 'features', 'activity', '2026-03-03')).toMatchObject({
      state: 'skipped',
      reason: 'a holiday (ann)',
    })
    expect(await openOf('activity')).toBeUndefined()
  })

  test('of several nights, offers to run each one again', async () => {
    const first = await held('2026-03-04')
    const second = await held('2026-03-05')
    expect(second.incident).toBe(first.incident)
    const page = await read(`/incidents/${first.incident}`)
    const nights = /aria-labelledby="nights">.*?<\/section>/s.exec(page)?.[0] ?? ''
    expect(formsIn(nights)).toEqual([`/runs/${first.run}/retry`, `/runs/${second.run}/retry`])
    expect(nights).toContain('Run 2026-03-04 again')
  })

  test('has the commands of its mails, as they are typed where the project runs; a viewer sees who may act', async () => {
    const incident = await openOf('activity')
    const run = incident?.facts.run
    const own = card(await read(`/incidents/${incident?.id}`))
    expect(own).toContain(`sudo -u scores nightshift retry ${run}`)
    expect(own).toContain(`sudo -u scores nightshift ack ${incident?.id} --by YOU`)
    expect(own).not.toContain('npx nightshift')
    const page = await read(`/incidents/${incident?.id}`, vic)
    expect(card(page)).toContain('Buttons are for operators: ann.')
    expect(card(page)).toContain('publish the held output')
    expect(page).not.toMatch(/nightshift (?:retry|release|skip|ack|show)/)
    expect(formsIn(page).filter((path) => path !== '/signout')).toEqual([])
    expect(await press('', `/runs/${run}/retry`, undefined, vic, 'vic')).toEqual([403, null])
  })
})

test('mails about drift are muted from the phone', async () => {
  const night = { partition: '2026-03-04', run: null, slot: null, state: 'published', recovered: null }
  const { rows } = await site.database.pool.query<{ id: number }>(
    `insert into nightshift.incidents (subject_kind, subject, kind, detail) values ('view', 'activity', 'drift', $1) returning id`,
    [
      {
        facts: facts({
          subject: 'activity',
          subjectKind: 'view',
          partition: '2026-03-04',
          state: 'published',
          failure: { class: 'drift', message: 'plan moved', anchor: '#drift', evidence: {} },
        }),
        nights: [{ ...night, failedAt: '2026-03-04T02:00:00Z', late: false }],
      },
    ],
  )
  const path = `/incidents/${rows[0]?.id}`
  const page = await read(path)
  expect(formsIn(card(page))).toContain(`${path}/mute`)
  expect(await press(page, `${path}/mute`)).toEqual([303, `${path}?done=mute`])
  expect(await activeMutes(site.database.pool, new Date())).toMatchObject([
    { subject: 'activity', kind: 'drift', by: 'ann' },
  ])
  const after = await read(`${path}?done=mute`)
  expect(after).toContain('The mails are muted for three days.')
  expect(formsIn(card(after))).not.toContain(`${path}/mute`)
  expect(await press(page, '/incidents/999999/mute')).toEqual([404, null])
})

describe('where a button leads', () => {
  test.each([
    ['https://evil.example/incidents/1'],
    ['//evil.example/nights/a/b'],
    ['/nights/a/b/../../../signout'],
    ['/incidents/1?next=//evil.example'],
    ['/nights/%2e%2e/signout'],
  ])('is not %s, whatever the form says', async (back) => {
    const path = '/slots/features/activity/2026-03-04/skip'
    const form = { csrf: await site.csrf('ann'), reason: 'why', back }
    const answer = await site.ask(path, { cookie: ann, form })
    expect(answer.status).toBe(303)
    expect(answer.headers.get('location')).toMatch(/^\/runs\/\w+\?done=skip$/)
  })
})

test('a rollback is offered while there is a version to go back to, and no longer once it is done', async () => {
  await site.project.write('features/activity/view.yaml', VIEW.replace('1000', '1'))
  const [first, second] = ['model.onnx', 'second.onnx'].map((name) => join(site.project.root, name))
  writeFileSync(second ?? '', smallModel({ work: 1 }))
  const command = async (...args: string[]) => {
    const { code, stderr } = await nightshift(args, at())
    expect(code, stderr).toBe(0)
  }
  await command('refresh', 'activity', '--as-of', '2026-03-06')
  await command('register', 'value', first ?? '')
  await command(...promoting('value', 1))
  await command('register', 'value', second ?? '')
  await command(...promoting('value', 2))
  // As its mail was written after the promotion.
  const mailed = facts({
    subject: 'value',
    slot: 'value:2026-03-06',
    partition: '2026-03-06',
    versions: { live: 2, previous: 1, newest: 2 },
    failure: { class: 'model', message: 'the model has no output', anchor: '#model', evidence: {} },
  })
  const { rows } = await site.database.pool.query<{ id: number }>(
    `insert into nightshift.incidents (subject_kind, subject, kind, detail) values ('model', 'value', 'model', $1) returning id`,
    [{ facts: mailed, nights: [] }],
  )
  const path = `/incidents/${rows[0]?.id}`
  const before = card(await read(path))
  expect(before).toContain('nightshift rollback value')
  expect(before).toContain('Make version 1 live again')
  await command('rollback', 'value', '--by', 'ann')
  const after = card(await read(path))
  expect(after).not.toContain('rollback')
  expect(after).toContain('nightshift versions value')
})
