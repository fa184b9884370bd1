import { getConnInfo } from '@hono/node-server/conninfo'
import type { Context } from 'hono'
import { type Networks, plainAddress } from './network.ts'

/** Who asks, as far as the connection and the declared proxies say it. */
export interface Client {
  address: string
  /** The browser speaks https, to us or to the proxy before us. */
  https: boolean
  /** Names of this server that the browser may have used. */
  hosts: string[]
}

/**
 * Anybody can write `X-Forwarded-*`: it counts only where the connection comes from a declared proxy. Of the addresses
 * in X-Forwarded-For the last that is no proxy of ours is the client: what stands before it is the client's own word.
 */
export function clientOf(context: Context, isProxy: Networks): Client {
  const peer = plainAddress(getConnInfo(context).remote.address ?? 'unknown')
  const host = context.req.header('host')
  const own = new URL(context.req.url).protocol === 'https:'
  const direct = { address: peer, https: own, hosts: host === undefined ? [] : [host] }
  if (!isProxy(peer)) return direct
  const chain = (context.req.header('x-forwarded-for') ?? '')
    .split(',')
    .map((part) => plainAddress(part.trim()))
    .filter((part) => part !== '')
  const proto = context.req.header('x-forwarded-proto')?.split(',').at(-1)?.trim()
  const forwarded = context.req.header('x-forwarded-host')?.split(',').at(-1)?.trim()
  return {
    address: chain.findLast((address) => !isProxy(address)) ?? chain[0] ?? peer,
    https: proto === undefined ? own : proto === 'https',
    hosts: forwarded === undefined ? direct.hosts : [...direct.hosts, forwarded],
  }
}
