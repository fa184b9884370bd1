import { describe, expect, it } from 'vitest'
import {
  alertingColumns,
  beganAt,
  readPersist,
  type Verdicts,
} from '../../../src/pipeline/drift/persistence.ts'

/** One letter a night: `d` drifted, `.` did not, `?` could not be judged, ` ` was not looked at. */
const nightsOf = (text: string): Verdicts[] =>
  [...text].map((letter) => {
    const verdict = ({ d: 'drifted', '.': 'quiet', '?': 'unknown' } as const)[letter]
    return new Map(verdict === undefined ? [] : [['plan', verdict]])
  })
const alerts = (text: string, persist = '2 of 3') =>
  alertingColumns(nightsOf(text), readPersist(persist))
    .map((columns) => (columns.has('plan') ? 'A' : '.'))
    .join('')

describe('persistence', () => {
  it.each([
    ['one odd night is none of our business', 'd......', '.......', '2 of 3'],
    ['the second night in three alerts', 'd.d....', '..A....', '2 of 3'],
    ['a quiet night in between ends nothing, a second one does', 'dd.dd..', '.AAAAA.', '2 of 3'],
    ['every night counts where one is enough', 'd.d', 'A.A', '1 of 1'],
    ['three in a row are three in a row', 'dd.ddd', '.....A', '3 of 3'],
    ['nights without enough rows end nothing', 'dd???..', '.AAAAA.', '2 of 3'],
    ['and begin nothing', '.d?.?d', '.....A', '2 of 3'],
    ['nor are they one of the last nights', 'd?????d', '......A', '2 of 3'],
    ['a column that is not watched any more alerts no more', 'dd. ', '.AA.', '2 of 3'],
  ])('%s', (_, nights, expected, persist) => {
    expect(alerts(nights, persist)).toBe(expected)
  })

  it('counts each column for itself', () => {
    const nights = ['a', 'b', 'a'].map(
      (name): Verdicts =>
        new Map(['a', 'b'].map((each) => [each, each === name ? 'drifted' : 'quiet'] as const)),
    )
    expect(alertingColumns(nights, readPersist('2 of 3')).at(-1)).toEqual(new Set(['a']))
  })

  it('says since when, over the quiet nights that it forgives', () => {
    const persist = readPersist('2 of 3')
    expect(beganAt(nightsOf('d..d.dd'), 'plan', persist)).toBe(3)
    expect(beganAt(nightsOf('.......'), 'plan', persist)).toBeUndefined()
    expect(beganAt(nightsOf('ddd'), 'plan', persist)).toBe(0)
    expect(beganAt(nightsOf('..d???d'), 'plan', persist)).toBe(2)
  })
})
