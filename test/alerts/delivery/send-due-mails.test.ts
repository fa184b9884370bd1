import { setTimeout } from 'node:timers/promises'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { sendDueMails, untilNextMail } from '../../../src/alerts/delivery/send-due-mails.ts'
import { listIncidents } from '../../../src/alerts/incidents/list-incidents.ts'
import { writeMails } from '../../../src/alerts/letters/write-mails.ts'
import { transaction } from '../../../src/ledger/connection/database.ts'
import { type Desk, openDesk } from '../desk.ts'
import { freePort, type ReceivedMail } from '../mail-server.ts'
import { drifting, facts, outage, recovery } from '../sample.ts'

const HOUR = 3600
let desk: Desk

beforeEach(async () => {
  desk = await openDesk()
})
afterEach(() => desk.close())

function lead(received: ReceivedMail | undefined): string | undefined {
  return received?.mail.text?.split('\n')[0]
}

/** Returns once a statement of the desk's database waits for a lock. */
async function isBlocked({ database }: Desk): Promise<void> {
  const waiting = `select from pg_stat_activity where wait_event_type = 'Lock' and datname = current_database()`
  while ((await database.pool.query(waiting)).rowCount === 0) await setTimeout(20)
}

describe('one incident, one thread', () => {
  test('a failure is mailed when the grouping window is over, and not before', async () => {
    const { result, recipients } = await desk.fails(facts())
    expect({ result, recipients }).toEqual({ result: 'opened', recipients: ['oncall@example.com'] })
    desk.pass(29)
    expect(await desk.mails()).toHaveLength(0)
    desk.pass(1)
    const [received] = await desk.mails()
    expect(received?.mail.subject).toBe('churn 2026-11-22 not published: calls are late (#1)')
    expect(received?.envelope).toEqual({ from: 'nightshift@example.com', to: ['oncall@example.com'] })
    expect(lead(received)).toBe('No scores of churn for 2026-11-22 (late-data).')
    expect(await desk.mails()).toHaveLength(1)
  })

  test('whoever sends mails knows when the next one is due', async () => {
    expect(await untilNextMail(desk.post())).toBeUndefined()
    await desk.fails(facts())
    expect(await untilNextMail(desk.post())).toBe(30_000)
    desk.pass(29)
    expect(await untilNextMail(desk.post())).toBe(1_000)
    desk.pass(1)
    await desk.mails()
    // Nobody acknowledges it.
    expect(await untilNextMail(desk.post())).toBe(4 * HOUR * 1000)
  })

  test('a failure whose transaction rolls back is no incident and no mail', async () => {
    const { reportFailure } = await import('../../../src/alerts/incidents/report-incident.ts')
    const { settings } = desk.post()
    await expect(
      transaction(desk.database, async (client) => {
        await reportFailure(client, desk.now(), facts(), settings)
        throw new Error('the run did not end')
      }),
    ).rejects.toThrow('the run did not end')
    desk.pass(60)
    expect(await desk.mails()).toHaveLength(0)
    expect(await listIncidents(desk.database.pool, desk.now())).toEqual([])
  })

  test('first mail, repeat, further night and all-clear share subject and root', async () => {
    await desk.fails(facts())
    desk.pass(30)
    await desk.mails()
    desk.pass(4 * HOUR)
    await desk.mails()
    desk.pass(20 * HOUR)
    await desk.fails(facts({ partition: '2026-11-23', run: 'second22' }))
    desk.pass(30)
    await desk.mails()
    await desk.recovers(recovery())
    desk.pass(30)
    expect(await desk.mails()).toHaveLength(3)
    expect(await desk.recovers(recovery({ partition: '2026-11-23' }))).toEqual([1])
    desk.pass(30)
    const all = await desk.mails()
    expect(all.map(lead)).toEqual([
      'No scores of churn for 2026-11-22 (late-data).',
      'Still: no scores of churn for 2026-11-22 (late-data).',
      'Again: no scores of churn for 2026-11-23 and 1 earlier (late-data).',
      'Resolved: scores of churn for 2026-11-23 and 1 earlier are published.',
    ])
    const [root, ...rest] = all.map(({ mail }) => mail)
    expect(new Set(all.map(({ mail }) => mail.subject)).size).toBe(1)
    expect(new Set(all.map(({ mail }) => mail.messageId)).size).toBe(4)
    expect(root?.inReplyTo).toBeUndefined()
    for (const mail of rest) {
      expect(mail.inReplyTo).toBe(root?.messageId)
      expect([mail.references].flat()).toEqual([root?.messageId])
    }
    desk.pass(48 * HOUR)
    expect(await desk.mails()).toHaveLength(4)
  })

  test('the same run told twice changes nothing', async () => {
    await desk.fails(facts())
    expect((await desk.fails(facts())).result).toBe('known')
    desk.pass(30)
    expect(await desk.mails()).toHaveLength(1)
    expect((await desk.fails(facts())).result).toBe('known')
    desk.pass(HOUR)
    expect(await desk.mails()).toHaveLength(1)
  })

  test('two kinds of one model are two incidents and, within the window, one mail', async () => {
    await desk.fails(facts())
    await desk.fails(
      facts({ failure: { class: 'drift', message: 'plan moved', anchor: '#drift', evidence: {} } }),
    )
    desk.pass(30)
    const [received] = await desk.mails()
    expect(received?.mail.subject).toBe('churn 2026-11-22: 2 incidents (#1 to #2)')
    expect(await desk.mails()).toHaveLength(1)
  })

  test('drift of scores that are taken back is over: nobody has them; publishing them again would not end it', async () => {
    await desk.fails(drifting('stay', { spend: 0.4 }))
    desk.pass(30)
    await desk.mails()
    const of = { subject: 'stay', partition: '2026-11-22', run: undefined, rows: undefined }
    expect(await desk.recovers(recovery({ ...of, how: 'published' }))).toEqual([])
    expect(await desk.recovers(recovery({ ...of, how: 'withdrawn' }))).toEqual([1])
    desk.pass(30)
    expect((await desk.mails()).at(-1)?.mail.text).toMatch(
      /^Resolved: scores of stay for 2026-11-22 are withdrawn\./,
    )
  })

  test('a mail about several shows how those that drift looked before and after, within itself', async () => {
    await desk.fails(facts({ subject: 'late' }))
    await desk.fails(drifting('stay', { spend: 0.4, plan: 0.2 }))
    await desk.fails(drifting('upsell', { spend: 12.6 }))
    desk.pass(30)
    const [received, ...others] = await desk.mails()
    expect(others).toEqual([])
    expect(received?.mail.subject).toBe('late, stay and upsell 2026-11-22: 3 incidents (#1 to #3)')
    const pictures = received?.mail.attachments ?? []
    expect(pictures.map(({ filename }) => filename)).toEqual([
      '1-upsell-spend.png',
      '2-stay-spend.png',
      '3-stay-plan.png',
      '4-stay-score.png',
      '5-upsell-score.png',
    ])
    for (const { contentDisposition, contentType, content, cid } of pictures) {
      expect([contentDisposition, contentType]).toEqual(['inline', 'image/png'])
      expect(content.subarray(0, 8).toString('hex')).toBe('89504e470d0a1a0a')
      expect(received?.raw.replace(/=\r\n/g, '').replaceAll('=3D', '=')).toContain(`src="cid:${cid}"`)
    }
    expect(desk.log.filter(({ level }) => level === 'error')).toEqual([])
  })

  test('a missed deadline joins the incident that its night is already part of', async () => {
    await desk.fails(facts({ state: 'held', failure: { ...facts().failure, class: 'contract' } }))
    desk.pass(30)
    await desk.mails()
    desk.pass(2 * HOUR)
    const late = facts({
      failure: { class: 'deadline', message: 'not there', anchor: '#deadline', evidence: {} },
    })
    expect((await desk.fails(late)).result).toBe('joined')
    expect((await desk.fails(late)).result).toBe('known')
    const [incident, ...others] = await listIncidents(desk.database.pool, desk.now())
    expect(others).toEqual([])
    expect({ kind: incident?.kind, late: incident?.nights[0]?.late }).toEqual({
      kind: 'contract',
      late: true,
    })
    // What is said of the cause is still the cause.
    expect(incident?.facts.failure.class).toBe('contract')
  })

  test('a missed deadline of which nothing else is known opens an incident of its own', async () => {
    const late = facts({
      run: undefined,
      attempts: [],
      state: 'expected',
      failure: { class: 'deadline', message: 'nothing ran', anchor: '#deadline', evidence: {} },
    })
    expect((await desk.fails(late)).result).toBe('opened')
    desk.pass(30)
    expect(lead((await desk.mails())[0])).toBe(
      'No scores of churn for 2026-11-22 by the deadline, 2026-11-22 06:00 CET.',
    )
  })

  test('a night that fails after its deadline stays in the thread of the deadline', async () => {
    const late = facts({
      state: 'waiting',
      attempts: [],
      failure: { class: 'deadline', message: 'it waits', anchor: '#deadline', evidence: {} },
    })
    await desk.fails(late)
    desk.pass(30)
    await desk.mails()
    expect((await desk.fails(facts())).result).toBe('joined')
    expect((await desk.fails(facts())).result).toBe('known')
    // At once, though a mail has just been sent: until now it only waited.
    desk.pass(30)
    expect(await desk.mails()).toHaveLength(2)
    const [incident, ...others] = await listIncidents(desk.database.pool, desk.now())
    expect(others).toEqual([])
    expect({ kind: incident?.kind, late: incident?.nights[0]?.late }).toEqual({
      kind: 'late-data',
      late: true,
    })
    desk.pass(HOUR)
    await desk.mails()
    expect(await desk.recovers(recovery())).toEqual([1])
    desk.pass(30)
    const mails = await desk.mails()
    expect(mails.map(lead)).toEqual([
      'No scores of churn for 2026-11-22 by the deadline, 2026-11-22 06:00 CET.',
      'Past its deadline: no scores of churn for 2026-11-22 (late-data).',
      'Resolved: scores of churn for 2026-11-22 are published.',
    ])
    expect(new Set(mails.map(({ mail }) => mail.subject))).toEqual(
      new Set(['churn 2026-11-22 not published by 06:00 CET: it waits for data (#1)']),
    )
  })

  test('of two nights past their deadline, the one that fails is an incident of its own', async () => {
    const late = { class: 'deadline' as const, message: 'it waits', anchor: '#deadline', evidence: {} }
    await desk.fails(facts({ state: 'waiting', failure: late }))
    await desk.fails(facts({ state: 'waiting', failure: late, partition: '2026-11-23', run: 'second22' }))
    expect((await desk.fails(facts())).result).toBe('opened')
    const incidents = await listIncidents(desk.database.pool, desk.now())
    expect(incidents.map(({ kind }) => kind).sort()).toEqual(['deadline', 'late-data'])
  })

  test('a night that fails while another opens an incident of its kind joins that one', async () => {
    const { reportFailure } = await import('../../../src/alerts/incidents/report-incident.ts')
    const late = { class: 'deadline' as const, message: 'it waits', anchor: '#deadline', evidence: {} }
    const failing = await transaction(desk.database, async (client) => {
      await reportFailure(client, desk.now(), facts({ partition: '2026-11-21' }), desk.post().settings)
      await desk.fails(facts({ state: 'waiting', failure: late }))
      const second = desk.fails(facts())
      await isBlocked(desk)
      return { second }
    })
    expect((await failing.second).result).toBe('joined')
    const incidents = await listIncidents(desk.database.pool, desk.now())
    expect(incidents.map(({ kind, nights }) => [kind, nights.length]).sort()).toEqual([
      ['deadline', 1],
      ['late-data', 2],
    ])
  })

  test('an incident that opens and closes within the window is told once, as over', async () => {
    await desk.fails(facts())
    desk.pass(10)
    await desk.recovers(recovery())
    desk.pass(20)
    const [received, ...others] = await desk.mails()
    expect(others).toEqual([])
    expect(received?.mail.subject).toBe('Resolved: churn 2026-11-22 not published: calls are late (#1)')
    expect(lead(received)).toBe('Resolved: scores of churn for 2026-11-22 are published.')
    desk.pass(HOUR)
    expect(await desk.mails()).toHaveLength(1)
  })

  test('after an all-clear the next failure is a new incident in a new thread', async () => {
    await desk.fails(facts())
    desk.pass(30)
    await desk.mails()
    await desk.recovers(recovery())
    desk.pass(30)
    await desk.mails()
    desk.pass(24 * HOUR)
    expect((await desk.fails(facts({ run: 'other234' }))).result).toBe('opened')
    desk.pass(30)
    const all = await desk.mails()
    expect(all[2]?.mail.inReplyTo).toBeUndefined()
    expect(all[2]?.mail.subject).not.toBe(all[0]?.mail.subject)
  })
})

describe('what has to be started before a night can run again', () => {
  const process = (role: string, places: number, planned: string | null) =>
    desk.database.pool.query(
      `insert into nightshift.processes (id, role, host, pid, places, seen_at, reconciled_at)
       values ($1, $1, 'h', 1, $2, clock_timestamp(), clock_timestamp() - $3::interval)`,
      [role, places, planned],
    )
  const told = async () => {
    await desk.fails(facts())
    desk.pass(30)
    return /START FIRST\n(.*)\n {2}(.*)\n/.exec((await desk.mails())[0]?.mail.text ?? '')?.slice(1)
  }

  test('is both where nothing runs but a command, which ends', async () => {
    await process('command', 2, '1s')
    expect(await told()).toEqual([
      'No worker is running: what is requested waits until one is. No scheduler is running: no night starts by its schedule. Start both:',
      'npx nightshift up',
    ])
  })

  test('is a scheduler where only a worker runs', async () => {
    await process('worker', 2, null)
    expect(await told()).toEqual([
      'No scheduler is running: no night starts by its schedule. Start one:',
      'npx nightshift up',
    ])
  })

  test('is nothing where both run', async () => {
    await process('worker', 2, null)
    await process('scheduler', 0, '1s')
    expect(await told()).toBeUndefined()
  })
})

test('eight processes that write at once write one mail', async () => {
  for (let round = 1; round <= 5; round += 1) {
    for (let index = 1; index <= 10; index += 1) await desk.fails(outage(round * 100 + index))
    desk.pass(30)
    const { database, settings, log } = desk.post()
    const written = await Promise.all(
      Array.from({ length: 8 }, () => writeMails(database, desk.now(), settings, log)),
    )
    expect(written.reduce((sum, mails) => sum + mails, 0)).toBe(1)
  }
})

describe('forty models lose Redis while SMTP is down for the first minute', () => {
  test('each on-call address gets one mail, none is lost, none comes twice, threads hold', async () => {
    const port = await freePort()
    const url = `smtp://127.0.0.1:${port}`
    const onCall = (index: number) =>
      index % 2 === 0 ? ['even@example.com', 'all@example.com'] : ['all@example.com']
    const posts = [desk.post(url), desk.post(url)]
    const poll = () => Promise.all(posts.map((post) => sendDueMails(post)))
    const step = async (seconds: number, every = 2) => {
      for (let passed = 0; passed < seconds; passed += every) {
        await poll()
        desk.pass(every)
      }
    }

    for (let index = 1; index <= 40; index += 1) {
      await desk.fails(outage(index, { onCall: onCall(index) }))
      desk.pass(0.5)
    }
    await step(60)
    const server = await desk.mailbox(port)
    await step(60)
    expect(server.received).toHaveLength(2)

    desk.pass(4 * HOUR)
    await step(120)
    expect(server.received).toHaveLength(4)

    for (let index = 1; index <= 39; index += 1) {
      await desk.recovers(recovery({ subject: `model-${String(index).padStart(2, '0')}` }))
      desk.pass(1)
    }
    await step(20 * 60, 15)
    await desk.recovers(recovery({ subject: 'model-40' }))
    await step(60)

    const threads = new Map<string, ReceivedMail[]>()
    for (const mail of server.received) {
      const to = mail.envelope.to.join()
      threads.set(to, [...(threads.get(to) ?? []), mail])
    }
    expect([...threads.keys()].sort()).toEqual(['all@example.com', 'even@example.com'])
    for (const thread of threads.values()) {
      const [root, ...rest] = thread.map(({ mail }) => mail)
      expect(new Set(thread.map(({ mail }) => mail.subject)).size).toBe(1)
      expect(rest.every((mail) => mail.inReplyTo === root?.messageId)).toBe(true)
      expect(lead(thread.at(-1))).toMatch(/^Resolved: all (40|20) incidents are closed/)
    }
    const ids = server.received.map(({ mail }) => mail.messageId)
    const { rows } = await desk.database.pool.query<{ unsent: number; written: number; tries: number }>(
      `select count(*) filter (where sent_at is null)::int as unsent, count(*)::int as written, sum(tries)::int as tries
         from nightshift.outbox`,
    )
    const figures = {
      written: rows[0]?.written,
      received: ids.length,
      lost: rows[0]?.unsent,
      duplicates: ids.length - new Set(ids).size,
    }
    console.info(`40 models, SMTP down for 60 s: ${JSON.stringify({ ...figures, tries: rows[0]?.tries })}`)
    expect(figures).toEqual({ written: 8, received: 8, lost: 0, duplicates: 0 })
    const lost = 'models 2026-11-22 not published: a connection, a lock or a process was lost'
    expect(threads.get('all@example.com')?.[0]?.mail.subject).toBe(`40 ${lost} (#1 to #40)`)
    expect(threads.get('even@example.com')?.[0]?.mail.subject).toBe(`20 ${lost} (#2 to #40)`)
  })
})
