import { expect, test } from 'vitest'
import { networkOf, parseNetworks } from '../../../src/web/security/network.ts'

test('declared addresses and networks are known, in either notation', () => {
  const isProxy = parseNetworks('10.0.0.0/8, 127.0.0.1 fd00::/8', 'here')
  for (const address of ['10.1.2.3', '::ffff:10.1.2.3', '127.0.0.1', 'fd12::1', 'fd12::1%eth0'])
    expect(isProxy(address), address).toBe(true)
  for (const address of ['11.0.0.1', '127.0.0.2', '::1', 'unknown', '', '10.0.0.1, 11.0.0.1'])
    expect(isProxy(address), address).toBe(false)
  expect(parseNetworks('', 'here')('127.0.0.1')).toBe(false)
})

test.each([
  '*',
  '10.0.0.0/33',
  '10.0.0.0/0',
  '10.0.0.0/8/8',
  'proxy.example',
  '10.0.0',
  '10.0.0.0/x',
  '::/129',
])('%s is refused', (text) => {
  expect(() => parseNetworks(text, 'NIGHTSHIFT_PROXIES')).toThrow(
    /^NIGHTSHIFT_PROXIES: expected addresses or networks such as/,
  )
})

test.each([
  ['2001:db8::1', '2001:db8:0:0::/64'],
  ['2001:0db8:0000:0001:1:2:3:4', '2001:db8:0:1::/64'],
  ['::1', '0:0:0:0::/64'],
  ['::ffff:192.0.2.1', '192.0.2.1'],
  ['unknown', 'unknown'],
])('%s lies in %s', (address, network) => {
  expect(networkOf(address)).toBe(network)
})
