import { isIP } from 'node:net'
import type { Context } from 'hono'

/**
 * What the browser says of where a request comes from: `unsaid` where it says nothing, as programs do that are no
 * browser.
 */
export function originOf(context: Context): 'ours' | 'foreign' | 'unsaid' {
  const site = context.req.header('sec-fetch-site')
  if (site !== undefined && site !== 'same-origin' && site !== 'none') return 'foreign'
  const origin = context.req.header('origin')
  if (origin === undefined) return site === undefined ? 'unsaid' : 'ours'
  if (!URL.canParse(origin)) return 'foreign'
  // Only the host: a proxy before us may speak https where we speak http.
  return context.get('client').hosts.includes(new URL(origin).host) ? 'ours' : 'foreign'
}

/** Whether a Host header names this machine itself, so that no foreign name was bound to its address. */
export function namesLoopback(host: string | undefined): boolean {
  if (host === undefined || !URL.canParse(`http://${host}`)) return false
  return isLoopback(new URL(`http://${host}`).hostname)
}

/** `localhost`, 127.0.0.0/8, ::1, and the IPv4 ones written as IPv6. */
export function isLoopback(host: string): boolean {
  const bare = host.replace(/^\[|\]$/g, '').replace(/^::ffff:/, '')
  return bare === 'localhost' || bare === '::1' || (isIP(bare) === 4 && bare.startsWith('127.'))
}
