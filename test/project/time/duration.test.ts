import { describe, expect, it } from 'vitest'
import { ConfigurationError } from '../../../src/project/files/problem.ts'
import { nearDuration, parseDuration, readDuration } from '../../../src/project/time/duration.ts'

describe('a duration', () => {
  it.each([
    ['90s', 90_000, undefined],
    ['30m', 1_800_000, undefined],
    ['4h', 14_400_000, undefined],
    ['30d', 2_592_000_000, 30],
    ['2w', 1_209_600_000, 14],
    ['0s', 0, undefined],
  ])('%s is %d ms, in days %s', (text, ms, days) => {
    expect(parseDuration(text)).toEqual({ text, ms, days })
  })

  it.each(['', '30', 'm', '1.5h', '-30s', '30 m', '1h30m', '1mo', '30M', '9999999w'])('is not %j', (text) => {
    expect(readDuration(text)).toBeUndefined()
    expect(() => parseDuration(text)).toThrow(ConfigurationError)
  })

  it('says what was expected, what it got and what was meant', () => {
    expect(() => parseDuration('30 minutes', '--timeout')).toThrow(
      'expected --timeout to be a duration such as 90s, 30m, 4h, 30d or 2w (a whole number and s, m, h, d or w), got: 30 minutes; did you mean 30m?',
    )
  })

  it.each(['99999999d', '36526d', '99999999 days'])('says of %s that it is too long', (text) => {
    expect(() => parseDuration(text)).toThrow(
      `expected duration to be a duration such as 90s, 30m, 4h, 30d or 2w (a whole number and s, m, h, d or w), a hundred years (36525d) at most, got: ${text}`,
    )
    expect(() => parseDuration(text)).not.toThrow('did you mean')
  })

  it.each([
    ['30 min', '30m'],
    ['4 hours', '4h'],
    ['PT30M', '30m'],
    ['1mo', '30d'],
    ['2 weeks', '2w'],
    ['1 year', '365d'],
    ['5 parsecs', undefined],
    ['soon', undefined],
  ])('%j was meant as %s', (text, meant) => {
    expect(nearDuration(text)).toBe(meant)
  })
})
