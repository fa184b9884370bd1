import { describe, expect, test } from 'vitest'
import { joinedDue, type Pending, planMails } from '../../../src/alerts/letters/mail-plan.ts'
import { SETTINGS } from '../sample.ts'

const NOW = new Date('2026-11-22T03:00:00Z')
const at = (seconds: number) => new Date(NOW.getTime() + seconds * 1000)

function pending(changes: Partial<Pending>): Pending {
  return {
    incident: 1,
    thread: undefined,
    reason: 'opened',
    dueAt: at(0),
    lastMailAt: undefined,
    threadOpen: false,
    ...changes,
  }
}

const inThread = { thread: 7, lastMailAt: at(-3600), threadOpen: true }

describe('which mails an address gets', () => {
  const cases: { name: string; rows: Pending[]; flush?: boolean; fresh: number[]; threads: number[] }[] = [
    { name: 'nothing before something is due', rows: [pending({ dueAt: at(1) })], fresh: [], threads: [] },
    {
      name: 'what falls due within the window goes along',
      rows: [
        pending({ incident: 1 }),
        pending({ incident: 2, dueAt: at(30) }),
        pending({ incident: 3, dueAt: at(31) }),
      ],
      fresh: [1, 2],
      threads: [],
    },
    {
      name: 'a thread whose repeat is due within the window goes along',
      rows: [
        pending({ incident: 1 }),
        pending({ incident: 2, ...inThread, reason: 'repeat', dueAt: at(20) }),
      ],
      fresh: [1],
      threads: [7],
    },
    {
      name: 'an all-clear goes at once although its thread is warm',
      rows: [pending({ thread: 7, lastMailAt: at(-60), reason: 'cleared' })],
      fresh: [],
      threads: [7],
    },
    {
      name: 'a part of a warm thread that clears waits',
      rows: [pending({ ...inThread, lastMailAt: at(-60), reason: 'cleared' })],
      fresh: [],
      threads: [],
    },
    {
      name: 'a part of a quiet thread that clears is told',
      rows: [pending({ ...inThread, reason: 'cleared' })],
      fresh: [],
      threads: [7],
    },
    {
      name: 'flushing waits for no window, and repeats nothing early',
      rows: [
        pending({ incident: 1, dueAt: at(30) }),
        pending({ incident: 2, ...inThread, reason: 'repeat', dueAt: at(3600) }),
        pending({
          incident: 3,
          ...inThread,
          thread: 8,
          lastMailAt: at(-1),
          reason: 'joined',
          dueAt: at(900),
        }),
      ],
      flush: true,
      fresh: [1],
      threads: [8],
    },
  ]
  test.each(cases)('$name', ({ rows, flush, fresh, threads }) => {
    const plan = planMails(rows, NOW, SETTINGS, flush)
    expect(plan.fresh.map(({ incident }) => incident)).toEqual(fresh)
    expect(plan.threads.map(({ thread }) => thread)).toEqual(threads)
  })
})

test.each([
  { name: 'a day after the last mail', last: -86_400, acked: false, due: 30 },
  { name: 'a minute after the last mail', last: -60, acked: false, due: 840 },
  { name: 'an hour after, acknowledged', last: -3600, acked: true, due: 3 * 3600 },
  { name: 'a day after, acknowledged', last: -86_400, acked: true, due: 30 },
])('a further night is mailed, $name', ({ last, acked, due }) => {
  expect(joinedDue({ now: NOW, lastMailAt: at(last), acked }, SETTINGS)).toEqual(at(due))
})
