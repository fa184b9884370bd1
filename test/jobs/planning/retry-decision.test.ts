import { describe, expect, it } from 'vitest'
import { FAILURE_CLASSES, type FailureClass } from '../../../src/failures/classes.ts'
import { backoff, decide, nextWait } from '../../../src/jobs/planning/retry-decision.ts'

const now = '2026-11-22T01:00:00.000Z'
const settings = {
  attempts: 5,
  backoff_ms: 30_000,
  wait_until: '2026-11-22T03:00:00.000Z',
  waiting_since: null,
}

describe('decide', () => {
  const rows: [failure: FailureClass, attempt: number, action: string][] = [
    ['late-data', 1, 'wait until 2026-11-22T03:00:00.000Z, next 2026-11-22T01:01:00.000Z'],
    ['late-data', 99, 'wait until 2026-11-22T03:00:00.000Z, next 2026-11-22T01:01:00.000Z'],
    ['contract', 1, 'hold'],
    ['model', 1, 'fail'],
    ['resource', 1, 'retry 2026-11-22T01:00:30.000Z'],
    ['resource', 4, 'retry 2026-11-22T01:04:00.000Z'],
    ['resource', 5, 'fail'],
    ['transient', 1, 'retry 2026-11-22T01:00:30.000Z'],
    ['transient', 2, 'retry 2026-11-22T01:01:00.000Z'],
    ['transient', 5, 'fail'],
    ['bug', 1, 'retry 2026-11-22T01:00:30.000Z'],
    ['bug', 2, 'fail'],
  ]
  for (const [failure, attempt, action] of rows) {
    it(`answers ${failure} of attempt ${attempt} with ${action}`, () => {
      const decision = decide(failure, attempt, settings, now, 0)
      const text =
        decision.action === 'retry'
          ? `retry ${decision.at}`
          : decision.action === 'wait'
            ? `wait until ${decision.until}, next ${decision.at}`
            : decision.action
      expect(text).toBe(action)
    })
  }

  it('knows every class', () => {
    for (const failure of FAILURE_CLASSES) expect(decide(failure, 1, settings, now, 0.5).reason).not.toBe('')
  })

  it('does not retry where one attempt is all', () => {
    for (const failure of ['resource', 'transient', 'bug'] as const) {
      expect(decide(failure, 1, { ...settings, attempts: 1 }, now, 0).action).toBe('fail')
    }
  })

  it('fails late data at once where nobody asked to wait', () => {
    const decision = decide('late-data', 1, { ...settings, wait_until: null }, now, 0)
    expect(decision).toMatchObject({ action: 'fail' })
    expect(decision.reason).toContain('retry.wait_for_data')
  })

  it('looks for late data a last time when the window closes, then fails', () => {
    const waiting = { ...settings, waiting_since: '2026-11-22T01:00:00.000Z' }
    expect(decide('late-data', 1, waiting, '2026-11-22T02:50:00.000Z', 0)).toMatchObject({
      action: 'wait',
      at: '2026-11-22T03:00:00.000Z',
    })
    expect(decide('late-data', 1, waiting, '2026-11-22T03:00:00.000Z', 0).action).toBe('fail')
  })

  it('waits through a window of two hours in twelve looks', () => {
    let clock = Date.parse(now)
    const pauses: number[] = []
    for (let look = 0; look < 100; look += 1) {
      const since = look === 0 ? null : now
      const decision = decide(
        'late-data',
        1,
        { ...settings, waiting_since: since },
        new Date(clock).toISOString(),
        0,
      )
      if (decision.action !== 'wait') break
      pauses.push((Date.parse(decision.at) - clock) / 60_000)
      clock = Date.parse(decision.at)
    }
    expect(pauses).toEqual([1, 2, 5, 10, 15, 15, 15, 15, 15, 15, 12])
  })
})

describe('nextWait', () => {
  const rows: [minutes: number, pause: number][] = [
    [0, 1],
    [1, 2],
    [3, 5],
    [8, 10],
    [18, 15],
    [33, 15],
    [600, 15],
    // A look that began late or took long does not skip a step.
    [1.4, 2],
    [3.5, 5],
    [9, 10],
    [19, 15],
  ]
  for (const [waited, pause] of rows) {
    it(`pauses ${pause} minutes after ${waited}`, () => {
      expect(nextWait(waited * 60_000)).toBe(pause * 60_000)
    })
  }
})

describe('backoff', () => {
  it('doubles with each attempt, up to half an hour, and adds at most half', () => {
    expect([1, 2, 3, 4].map((attempt) => backoff(attempt, 30_000, 0) / 1000)).toEqual([30, 60, 120, 240])
    expect(backoff(1, 30_000, 0.999_999)).toBe(45_000)
    expect(backoff(50, 30_000, 0)).toBe(30 * 60_000)
  })
})
