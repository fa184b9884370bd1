import { expect, test } from 'vitest'
import { requireAddress, sortAddresses } from '../../../src/alerts/delivery/address.ts'
import { singleAddress } from '../../../src/project/files/mail-address.ts'

test.each([
  'a@example.com\r\nBcc: evil@example.com',
  'a@example.com\n',
  'a@example.com, evil@example.com',
  'a@example.com evil@example.com',
  'Ann <a@example.com>',
  '<a@example.com>',
  'a@example.com>',
  'a@b@example.com',
  '"a b"@example.com',
  'a@[127.0.0.1]',
  'a@exa\u0000mple.com',
  'a@-example.com',
  'a..b@example.com',
  `${'a'.repeat(65)}@example.com`,
  '@example.com',
  '',
])('%j is not one address', (text) => {
  expect(() => requireAddress(text, 'recipient')).toThrow('recipient: expected one address')
})

test.each([
  ['ann@example.com', 'ann@example.com'],
  ['Ann.O+night@Example.COM', 'Ann.O+night@example.com'],
  ['nightshift@localhost', 'nightshift@localhost'],
  ['ann@bücher.example', 'ann@xn--bcher-kva.example'],
])('%s is the address %s', (text, address) => {
  expect(singleAddress(text)).toBe(address)
})

test('addresses are told from what is none, each once', () => {
  expect(sortAddresses(['a@x.example', 'A@X.example', 'team', 'b@x.example'])).toEqual({
    addresses: ['a@x.example', 'b@x.example'],
    refused: ['team'],
  })
})
