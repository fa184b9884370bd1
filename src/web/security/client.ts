import { getConnInfo } from '@hono/node-server/conninfo'
import type { Context } from 'hono'
import { type Networks, plainAddress } from './network.ts'

/** The client of a request, from the connection and the headers of declared proxies. */
export interface Client {
  address: string
  /** The browser uses https, to us or to the proxy in front of us. */
  https: boolean
  /** Host names of this server that the browser may have used. */
  hosts: string[]
}

/**
 * Anyone can send `X-Forwarded-*`: the headers are trusted only if the connection comes from a declared proxy. The client
 * is the last address in X-Forwarded-For that is not a declared proxy: the client itself may have written those before it.
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
