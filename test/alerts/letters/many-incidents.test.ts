import { describe, expect, test } from 'vitest'
import type { Incident } from '../../../src/alerts/incidents/incident-record.ts'
import { recover } from '../../../src/alerts/incidents/report-recovery.ts'
import { drifting, facts, outage, recovery } from '../sample.ts'

import { html, incident, NOW, text } from './letter-case.ts'

describe('the mail about many incidents', () => {
  const many = Array.from({ length: 40 }, (_, index) => incident(outage(index + 1), index + 20))
  const [first, ...rest] = many
  const group: [Incident, ...Incident[]] = first === undefined ? [incident(facts())] : [first, ...rest]

  test('names the one cause that they share, and acknowledges them all with one command', () => {
    const mail = text(group)
    expect(mail.split('\n').slice(0, 3)).toEqual([
      '40 incidents are open: model-01, model-02, model-03 and 37 more.',
      'Readers keep the last good partitions; the oldest was published 25 h 53 min ago (model-01).',
      'All have the same cause, transient: connect ECONNREFUSED 10.0.0.7:6379 (run kd001qx7)',
    ])
    expect(mail).toContain('npx nightshift ack 20-59 --by oncall@example.com')
    expect(mail.match(/npx nightshift show/g)).toHaveLength(40)
  })

  test('counts by kind where causes differ, and takes a name for that of the model only as a whole', () => {
    const drift = (subject: string, message: string, id: number) => {
      const given = drifting(subject, { spend: 0.4 })
      return incident({ ...given, failure: { ...given.failure, message } }, id)
    }
    const [lapse, stay, plan] = [
      drift('lapse', 'spend moved; also lapse_probability', 1),
      drift('stay', 'spend moved; also lapse_probability', 2),
      drift('plan', 'a third cause', 3),
    ]
    if (lapse === undefined || stay === undefined || plan === undefined) throw new Error('no incidents')
    expect(text([lapse, stay])).toContain('All have the same cause, drift: ')
    expect(text([lapse, stay, plan])).toContain('2 causes: 3 drift.')
  })

  test('says what is closed and what is not', () => {
    const partly = group.map((each, index) =>
      index === 3
        ? each
        : { ...each, ...recover(each, recovery({ subject: each.subject }), NOW), closedAt: NOW },
    )
    const [head, ...others] = partly
    if (head === undefined) throw new Error('no incidents')
    const mail = text([head, ...others], 'partly cleared')
    expect(mail.split('\n').slice(0, 2)).toEqual([
      '39 of 40 incidents are closed. Still open: model-04.',
      'No scores of model-04 for 2026-11-22 (transient).',
    ])
    // What is left is said as of one incident, with its own page and commands.
    expect(mail).toContain('Act on incident 23:\n  https://nightshift.example.com/incidents/23#act')
    expect(mail).toMatch(/\n\nOVER\n- #20 model-01: clear\n/)
    expect(text([head, ...others], 'repeat').split('\n')[0]).toBe(
      'Still: no scores of model-04 for 2026-11-22 (transient).',
    )
  })

  test('stays below the 102 kB at which Gmail cuts, however many there are', () => {
    const long = { consumers: Array.from({ length: 30 }, () => 'c'.repeat(200)) }
    const all = Array.from({ length: 1000 }, (_, index) => incident(outage(index, long), index))
    const [head, ...others] = all
    if (head === undefined) throw new Error('no incidents')
    expect(Buffer.byteLength(html([head, ...others]))).toBeLessThan(100_000)
    expect(text([head, ...others])).toContain('940 more: npx nightshift incidents')
    const drifts = all.map(({ id }) =>
      incident(drifting(`model-${id}`, { plan: 2, ['c'.repeat(100)]: 1, spend: 1 }), id),
    )
    const [drift, ...more] = drifts
    if (drift === undefined) throw new Error('no incidents')
    expect(Buffer.byteLength(html([drift, ...more]))).toBeLessThan(100_000)
    expect(text([drift, ...more])).toContain('and 990 more incidents: npx nightshift incidents')
  })

  test('about a column that alerts at once says the night, and counts no nights of one', () => {
    const given = drifting('churn', { plan: 1 })
    const since = (persist: string, nights: number) =>
      given.drift && {
        ...given,
        drift: {
          ...given.drift,
          persist,
          moved: given.drift.moved.map((column) => ({ ...column, since: '2026-11-22', nights })),
        },
      }
    const [once, often] = [since('1 of 1', 1), since('2 of 3', 2)]
    if (once === undefined || often === undefined) throw new Error('no drift')
    expect(text([incident(once)])).toContain('on 2026-11-22\n')
    expect(text([incident(once)])).not.toContain('last 1 nights')
    expect(text([incident(once)])).toContain('such as a price change or a campaign:')
    expect(text([incident(often)])).toContain('since 2026-11-22; on 2 of the last 3 nights')
  })

  describe('of which some drift', () => {
    const drifts = [
      incident(facts(), 20),
      incident(drifting('stay', { spend: 0.4, calls: 0.2, tenure: 0.15 }), 21),
      incident(drifting('upsell', { plan: 12.6, spend: 0.3 }), 22),
      incident(drifting('reply', { calls: 0.9 }), 23),
    ] satisfies Incident[]
    const [failed, stay, upsell, reply] = drifts
    if (failed === undefined || stay === undefined || upsell === undefined || reply === undefined)
      throw new Error('no incidents')

    test('shows before and after of the largest shifts, and says which are left to the page', () => {
      const mail = text([failed, stay, upsell, reply])
      const [, section = ''] = /\n\nBEFORE AND AFTER\n(.*?)\n\n/s.exec(mail) ?? []
      const lines = section.split('\n')
      expect(lines.filter((line) => line.includes(' for 2026-11-22, '))).toEqual([
        'upsell for 2026-11-22, plan: PSI 12.6, threshold 0.1',
        'reply for 2026-11-22, calls: PSI 0.9, threshold 0.1',
        'stay for 2026-11-22, spend: PSI 0.4, threshold 0.1',
        'upsell for 2026-11-22, spend: PSI 0.3, threshold 0.1',
        'stay for 2026-11-22, calls: PSI 0.2, threshold 0.1',
        'stay for 2026-11-22, score (the score): it is within the usual range',
      ])
      expect(lines).toContain(
        'upsell, plan: basic 75 % → 25 %, pro 25 % → 75 %; holdout of 3f2a9c0b1d, 400 rows, 2026-11-22, 400 rows',
      )
      expect(lines.slice(-7)).toEqual([
        'This mail shows the 6 largest of 9 shifts. The others are on the page of their night:',
        'stay: tenure',
        '  https://nightshift.example.com/nights/stay/2026-11-22',
        'upsell: score',
        '  https://nightshift.example.com/nights/upsell/2026-11-22',
        'reply: score',
        '  https://nightshift.example.com/nights/reply/2026-11-22',
      ])
    })

    test('says the same to whoever does not see the pictures, each with an id of its own', () => {
      const page = html([failed, stay, upsell, reply])
      const pictures = [...page.matchAll(/<img src="cid:([^"]+)" alt="([^"]+)"/g)]
      expect(new Set(pictures.map(([, id]) => id)).size).toBe(6)
      for (const [, , alt = ''] of pictures) expect(text([failed, stay, upsell, reply])).toContain(alt)
    })

    test('names the command where the pages have no address', () => {
      const offline = incident(drifting('stay', { a: 3, b: 2, c: 1 }, { baseUrl: undefined }), 21)
      expect(text([failed, offline])).toContain('stay: c: npx nightshift report stay --as-of 2026-11-22')
    })

    test('shows no picture of what is closed, and none where nothing drifts', () => {
      const closed = { ...stay, ...recover(stay, recovery({ subject: 'stay' }), NOW), closedAt: NOW }
      expect(text([failed, closed], 'partly cleared')).not.toContain('BEFORE AND AFTER')
      expect(text(group)).not.toContain('BEFORE AND AFTER')
    })
  })
})
