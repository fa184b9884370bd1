import type { Context } from 'hono'
import { isLoopback } from '../../project/loopback.ts'

/**
 * The origin of a request according to the browser's headers; `unknown` without them, as with programs that are not
 * browsers.
 */
export function originOf(context: Context): 'ours' | 'foreign' | 'unknown' {
  const site = context.req.header('sec-fetch-site')
  if (site !== undefined && site !== 'same-origin' && site !== 'none') return 'foreign'
  const origin = context.req.header('origin')
  if (origin === undefined) return site === undefined ? 'unknown' : 'ours'
  if (!URL.canParse(origin)) return 'foreign'
  // Compare only the host: a proxy in front of us may use https while we use http.
  return context.get('client').hosts.includes(new URL(origin).host) ? 'ours' : 'foreign'
}

/** Whether a Host header names this machine itself, which excludes DNS rebinding. */
export function namesLoopback(host: string | undefined): boolean {
  if (host === undefined || !URL.canParse(`http://${host}`)) return false
  return isLoopback(new URL(`http://${host}`).hostname)
}
