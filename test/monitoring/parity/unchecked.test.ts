import { pino } from 'pino'
import { afterAll, beforeAll, expect, test, vi } from 'vitest'
import { openActiveAttempts } from '../../../src/ledger/workers/active-attempts.ts'
import { certify } from '../../../src/monitoring/parity/job.ts'
import { certificateOf } from '../../../src/monitoring/parity/record.ts'
import { openProject } from '../../../src/project/files/load-project.ts'
import type { Timeouts } from '../../../src/project/project.ts'
import { parseDuration } from '../../../src/project/time/duration.ts'
import { type Children, openChildren } from '../../../src/workers/child/children.ts'
import type { Context } from '../../../src/workers/context.ts'
import type { TemporaryProject } from '../../projects/cdnow.ts'
import { generatedProject } from '../../projects/generated.ts'
import { type Life, openLife } from '../../workers/life.ts'

/** No look at a night ends within a second of which nothing is left. */
const NO_TIME: Timeouts = {
  checks: parseDuration('2m'),
  monitors: { ...parseDuration('1s'), ms: 1 },
  datasets: parseDuration('6h'),
}

let project: TemporaryProject
let life: Life
const pools: Children[] = []

beforeAll(async () => {
  project = await generatedProject({
    schedule: 'schedule: nightly\ncron: "0 2 * * *"\nrefresh: [activity]\nstart: "2026-03-02"\n',
  })
  life = await openLife(project.root, { from: '2026-03-01T23:00:00Z' })
})
afterAll(async () => {
  for (const pool of pools) await pool.close()
  await life?.close()
  await project?.remove()
})

function contextWith(timeouts: Timeouts | undefined): Context {
  const files = openProject(project.root)
  const children = openChildren({
    places: 1,
    ...(timeouts === undefined ? {} : { timeouts: () => timeouts }),
  })
  pools.push(children)
  return {
    id: 'looks',
    database: life.database,
    children,
    activeAttempts: openActiveAttempts(),
    log: pino({ level: 'silent' }),
    root: project.root,
    warehouse: files.warehouse,
    clock: life.now,
    project: () => files,
    wake: () => {},
    onPublished: async () => {},
  }
}
const incidents = async () => {
  const { rows } = await life.database.pool.query<{ kind: string; closed: boolean; message: string }>(
    `select kind, closed_at is not null as closed, detail->'facts'->'failure'->>'message' as message
       from nightshift.incidents order by id`,
  )
  return rows
}

test('a check of a night that takes too long opens an incident with its mail, and the next that ends closes it', async () => {
  await life.until('2026-03-02T04:00:00Z', 60)
  const slot = await life.slot('features', 'activity', '2026-03-02')
  expect(slot?.state).toBe('published')
  const run = slot?.published_run
  await life.until('2026-03-02T05:00:00Z', 30)
  // Checks run beside the nights: a busy machine may take longer for one than for the hours in between.
  await vi.waitFor(async () => expect(await certificateOf(life.database.pool, run ?? '')).toBeDefined(), {
    timeout: 50_000,
    interval: 200,
  })
  expect(life.mails.received).toEqual([])

  // As if nobody had compared it yet: what is compared is not compared again.
  expect(await certify(contextWith(NO_TIME), { run }, { lane: 'monitor' })).toBe('it is compared already')
  await life.database.pool.query('delete from nightshift.certificates')
  const text = await certify(contextWith(NO_TIME), { run }, { lane: 'monitor' })
  expect(text).toMatch(
    /comparing serving with training took longer than \d+ m?s and was ended \(timeouts\.monitors/,
  )
  expect(await incidents()).toEqual([
    {
      kind: 'unchecked',
      closed: false,
      message: expect.stringContaining('timeouts.monitors in nightshift.yaml'),
    },
  ])
  // The night stays published.
  expect((await life.slot('features', 'activity', '2026-03-02'))?.state).toBe('published')
  await life.until('2026-03-02T05:30:00Z', 5)
  expect(life.mails.received).toHaveLength(1)
  const mail = life.mails.received[0]?.mail
  expect(mail?.to).toMatchObject({ value: [{ address: 'oncall@example.com' }] })
  expect(mail?.text).toContain('activity for 2026-03-02 could not be completed')
  expect(mail?.text).toContain('nightshift parity activity --as-of 2026-03-02')
  expect(mail?.text).toContain('timeouts.monitors')

  expect(await certify(contextWith(undefined), { run }, { lane: 'monitor' })).toContain('0 differing')
  await life.until('2026-03-02T06:30:00Z', 5)
  expect(await incidents()).toMatchObject([{ kind: 'unchecked', closed: true }])
  expect(life.mails.received).toHaveLength(2)
})
