import { domainToASCII } from 'node:url'
import { ConfigurationError } from '../../project/files/problem.ts'

/**
 * Returns one envelope address in ASCII, with its domain in lower case. Returns undefined for anything else: a list,
 * a display name, a line break followed by a header. Nodemailer itself delivers `a@x\r
 * Bcc: evil@x` to evil@x, so every address is checked here first.
 */
export function singleAddress(text: string): string | undefined {
  const match = /^([A-Za-z0-9.!#$%&'*+/=?^_`{|}~-]{1,64})@([\p{L}\p{N}.-]{1,189})$/u.exec(text)
  const [, local, written] = match ?? []
  if (local === undefined || written === undefined) return undefined
  if (local.startsWith('.') || local.endsWith('.') || local.includes('..')) return undefined
  const domain = domainToASCII(written).toLowerCase()
  const labels = domain.split('.')
  if (!labels.every((label) => /^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$/.test(label))) return undefined
  return `${local}@${domain}`
}

/** The same for text that a person typed. Throws a ConfigurationError. */
export function requireAddress(text: string, where: string): string {
  const address = singleAddress(text)
  if (address !== undefined) return address
  throw new ConfigurationError(
    `${where}: expected one address such as oncall@example.com, got: ${JSON.stringify(text)}`,
  )
}

/** The valid addresses among the texts, without duplicates (ignoring case), and the texts that are not addresses. */
export function sortAddresses(texts: string[]): { addresses: string[]; refused: string[] } {
  const byKey = new Map<string, string>()
  const refused: string[] = []
  for (const text of texts) {
    const address = singleAddress(text)
    if (address === undefined) refused.push(text)
    else if (!byKey.has(address.toLowerCase())) byKey.set(address.toLowerCase(), address)
  }
  return { addresses: [...byKey.values()], refused }
}
