import { afterEach, expect, test } from 'vitest'
import type { TemporaryProject } from '../projects/cdnow.ts'
import { generatedProject, valueModel, writeDay } from '../projects/generated.ts'
import { type Life, openLife } from './life.ts'

const SCHEDULE = `schedule: nightly
cron: "0 2 * * *"
refresh: [activity]
start: "2026-03-03"
deadline: "06:00"
retry: { attempts: 2, backoff: 1s, wait_for_data: 5h }
`

let project: TemporaryProject
let life: Life
afterEach(async () => {
  await life.close()
  await project.remove()
})

/** Data of the day before last lies there; what the night of 3 March needs does not. */
async function begin(options: { worker?: boolean } = {}): Promise<void> {
  project = await generatedProject({
    view: 'expect: { fresh: { events: 26h } }\n',
    schedule: SCHEDULE,
  })
  await project.write('models/value/model.yaml', MODEL)
  life = await openLife(project.root, { from: '2026-03-03T01:50:00Z', ...options })
}

const MODEL = valueModel()
const night = () => life.slot('features', 'activity', '2026-03-03')
const attempts = async () =>
  (await life.database.pool.query(`select outcome, started_at from nightshift.attempts order by number`)).rows

test('the file arrives in the middle: nobody is woken, the pauses grow, no attempt is counted', async () => {
  await begin()
  await life.until('2026-03-03T03:10:00Z', 1)
  expect(await night()).toMatchObject({
    state: 'waiting',
    waits_for: expect.stringContaining('source events is late: its newest row is of 2026-03-01T12:00:00Z'),
    wait_until: '2026-03-03T07:00:00.000Z',
  })
  const looks = (await life.database.pool.query(`select known_at from nightshift.runs`)).rows
  expect(looks).toHaveLength(1)
  const before = await attempts()
  // Looks at 2:00, 2:01, 2:03, 2:08, 2:18, 2:33, 2:48, 3:03.
  expect(before.map(({ outcome }) => outcome)).toEqual(Array(8).fill('waiting'))
  await writeDay(project.root, '2026-03-02')
  await life.until('2026-03-03T06:30:00Z', 1)
  expect(await night()).toMatchObject({ state: 'published', late: false, waits_for: null })
  expect((await attempts()).map(({ outcome }) => outcome)).toEqual([
    ...before.map(() => 'waiting'),
    'published',
  ])
  expect(life.mails.received).toEqual([])
})

// Takes 10 s and more: the hours of a night are gone through a minute at a time.
test('the file never arrives: an incident at the deadline, not before, and one thread until it is there', async () => {
  await begin()
  await life.until('2026-03-03T05:59:00Z')
  expect(await night()).toMatchObject({ state: 'waiting', late: false })
  expect(life.mails.received).toEqual([])

  await life.until('2026-03-03T06:02:00Z', 1)
  expect(await night()).toMatchObject({ state: 'waiting', late: true })
  const [first] = life.mails.received
  expect(life.mails.received).toHaveLength(1)
  expect(first?.mail.subject).toBe('value 2026-03-03 not published by 06:00 UTC: it waits for data (#1)')
  expect(first?.mail.text).toContain('No features of activity for 2026-03-03 by the deadline')
  expect(first?.mail.text).toContain(
    'it waits for data: source events is late: its newest row is of 2026-03-01 12:00 UTC',
  )
  expect(first?.mail.text).toContain('Waits for data until 2026-03-03 07:00 UTC')

  // The wait is over at 7:00, and somebody has to act.
  await life.until('2026-03-03T07:10:00Z')
  expect(await night()).toMatchObject({ state: 'failed' })
  expect(life.mails.received).toHaveLength(2)
  const [, failed] = life.mails.received
  expect(failed?.mail.text).toContain('nightshift retry')
  expect(failed?.mail.inReplyTo).toBe(first?.mail.messageId)

  await writeDay(project.root, '2026-03-02')
  await life.until('2026-03-03T09:00:00Z', 10)
  expect(await night()).toMatchObject({ state: 'failed' })
  await life.retry('features', 'activity', '2026-03-03')
  await life.until('2026-03-03T09:10:00Z')
  expect(await night()).toMatchObject({ state: 'published' })
  const closing = life.mails.received.slice(2)
  expect(closing.map(({ mail }) => [mail.subject, mail.inReplyTo])).toEqual([
    [first?.mail.subject, first?.mail.messageId],
  ])
})
