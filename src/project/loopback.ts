import { isIP } from 'node:net'
import type { Project } from './project.ts'

/** `localhost`, 127.0.0.0/8, ::1, and IPv4-mapped IPv6 addresses of these. */
export function isLoopback(host: string): boolean {
  const bare = host.replace(/^\[|\]$/g, '').replace(/^::ffff:/, '')
  return bare === 'localhost' || bare === '::1' || (isIP(bare) === 4 && bare.startsWith('127.'))
}

/** Whether an address leads to the machine itself, whoever opens it. */
export function leadsHome(url: string | undefined): url is string {
  return url !== undefined && URL.canParse(url) && isLoopback(new URL(url).hostname)
}

/** A sentence where the links of mails lead to a page that only the machine itself can open; undefined elsewhere. */
export function loopbackLinks({ alerts }: Pick<Project, 'alerts'>): string | undefined {
  const url = alerts?.base_url
  if (!leadsHome(url)) return undefined
  return `Links in mails begin with ${url}, which only this machine can open: set alerts.base_url in nightshift.yaml to an address that the readers of mails reach.`
}
