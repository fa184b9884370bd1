import { BlockList, isIP, isIPv4 } from 'node:net'
import { ConfigurationError } from '../../project/files/problem.ts'

/** Whether an address is in the declared networks. */
export type Networks = (address: string) => boolean

/**
 * Addresses and networks such as `10.0.0.0/8, 127.0.0.1, fd00::/8`, separated by commas or spaces.
 *
 * @param where the beginning of error messages: the name of the variable
 * @throws ConfigurationError
 */
export function parseNetworks(text: string, where: string): Networks {
  const list = new BlockList()
  for (const entry of text.split(/[\s,]+/).filter((part) => part !== '')) {
    const [address = '', bits, ...rest] = entry.split('/')
    const family = isIP(address)
    const most = family === 4 ? 32 : 128
    const length = bits === undefined ? most : /^\d{1,3}$/.test(bits) ? Number(bits) : -1
    if (family === 0 || rest.length > 0 || length < 1 || length > most) {
      throw new ConfigurationError(
        `${where}: expected addresses or networks such as 10.0.0.0/8 or 127.0.0.1, got: ${JSON.stringify(entry)}`,
      )
    }
    list.addSubnet(address, length, family === 4 ? 'ipv4' : 'ipv6')
  }
  return (address) => {
    const plain = plainAddress(address)
    return isIP(plain) !== 0 && list.check(plain, isIPv4(plain) ? 'ipv4' : 'ipv6')
  }
}

/** Converts an IPv4-mapped IPv6 address to IPv4; removes a zone (`%eth0`). */
export function plainAddress(address: string): string {
  return address.replace(/%.*$/, '').replace(/^::ffff:(?=\d+\.)/i, '')
}

/** The network of a single client: an IPv4 address, or the first 64 bits of an IPv6 address. */
export function networkOf(address: string): string {
  const plain = plainAddress(address)
  if (isIP(plain) !== 6) return plain
  const [head = '', tail] = plain.toLowerCase().split('::')
  const groups = (part: string) => (part === '' ? [] : part.split(':'))
  const [before, after] = [groups(head), groups(tail ?? '')]
  const middle = tail === undefined ? 0 : Math.max(0, 8 - before.length - after.length)
  const whole = [...before, ...Array.from({ length: middle }, () => '0'), ...after]
  return `${whole
    .slice(0, 4)
    .map((group) => group.replace(/^0+(?=.)/, ''))
    .join(':')}::/64`
}
