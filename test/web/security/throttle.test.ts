import { expect, test } from 'vitest'
import { openThrottle } from '../../../src/web/security/throttle.ts'

/** A throttle and its clock, in seconds. */
function throttled() {
  let now = 1_000_000
  const throttle = openThrottle(() => now * 1000)
  return {
    ...throttle,
    later(seconds: number) {
      now += seconds
    },
    fail(times: number, name: string, address: string) {
      return Array.from({ length: times }, () => throttle.enter(name, address))
    },
  }
}

test('five wrong tries are free, then the wait begins at a second and doubles up to five minutes', () => {
  const { fail, enter, later } = throttled()
  expect(fail(5, 'ann', '192.0.2.1')).toEqual(Array(5).fill(undefined))
  const waits = []
  for (let at = 0; at < 11; at++) {
    const seconds = enter('ann', '192.0.2.1') ?? 0
    waits.push(seconds)
    later(seconds)
    expect(enter('ann', '192.0.2.1')).toBeUndefined()
  }
  expect(waits).toEqual([1, 2, 4, 8, 16, 32, 64, 128, 256, 300, 300])
})

test('a try that has to wait is not counted: to ask in vain makes nothing longer', () => {
  const { fail, enter, later } = throttled()
  fail(5, 'ann', '192.0.2.1')
  expect(fail(1000, 'ann', '192.0.2.1').at(-1)).toBe(1)
  later(1)
  expect(enter('ann', '192.0.2.1')).toBeUndefined()
})

test('wrong tries are forgotten after an hour, and by the right password', () => {
  const { fail, enter, later, succeed } = throttled()
  fail(5, 'ann', '192.0.2.1')
  expect(enter('ann', '192.0.2.1')).toBe(1)
  later(3601)
  expect(fail(5, 'ann', '192.0.2.1')).toEqual(Array(5).fill(undefined))
  later(1)
  expect(enter('ann', '192.0.2.1')).toBeUndefined()
  succeed('ann', '192.0.2.1')
  expect(fail(5, 'ann', '192.0.2.1')).toEqual(Array(5).fill(undefined))
})

test('one name tried from many addresses waits half a minute at most, and its owner not at all', () => {
  const { fail, enter, later, succeed } = throttled()
  expect(enter('ann', '192.0.2.200')).toBeUndefined()
  succeed('ann', '192.0.2.200')
  const waits = []
  for (let at = 0; at < 40; at++) {
    waits.push(fail(1, 'ann', `198.51.100.${at}`)[0])
    later(waits.at(-1) ?? 0)
  }
  expect(waits.slice(0, 20)).toEqual(Array(20).fill(undefined))
  expect(Math.max(...waits.map((wait) => wait ?? 0))).toBe(30)
  expect(enter('ann', '192.0.2.200')).toBeUndefined()
})

test('an address that tries many names waits half a minute at most; who signed in from there before does not', () => {
  const { fail, enter, later, succeed } = throttled()
  expect(enter('ann', '192.0.2.1')).toBeUndefined()
  succeed('ann', '192.0.2.1')
  const waits = []
  for (let at = 0; at < 60; at++) {
    waits.push(fail(1, `name${at}`, '192.0.2.1')[0])
    later(waits.at(-1) ?? 0)
  }
  expect(waits.slice(0, 30)).toEqual(Array(30).fill(undefined))
  expect(Math.max(...waits.map((wait) => wait ?? 0))).toBe(30)
  expect(enter('ann', '192.0.2.1')).toBeUndefined()
})

test('addresses of IPv6 count by their network, and IPv4 is the same in both notations', () => {
  const { fail, enter } = throttled()
  fail(5, 'ann', '2001:db8:0:1::1')
  expect(enter('ann', '2001:0db8::1:ffff:0:0:2')).toBe(1)
  expect(enter('ann', '2001:db8:0:2::1')).toBeUndefined()
  fail(5, 'bob', '::ffff:192.0.2.7')
  expect(enter('bob', '192.0.2.7')).toBe(1)
})

test('a flood of names and addresses takes no memory without end', () => {
  const { fail } = throttled()
  const before = process.memoryUsage().heapUsed
  for (let at = 0; at < 100_000; at++) fail(1, `name${at}`, `10.${at >> 16}.${(at >> 8) & 255}.${at & 255}`)
  expect(process.memoryUsage().heapUsed - before).toBeLessThan(200 * 2 ** 20)
})
