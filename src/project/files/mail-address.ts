import { domainToASCII } from 'node:url'

/**
 * One address for one envelope, in ASCII, its domain in lower case; undefined where the text is anything else: a
 * list, a display name, a line break with a header behind it. Nodemailer itself delivers `a@x\r\nBcc: evil@x` to
 * evil@x, so nothing reaches it that did not pass here. What the project's files name passes here too.
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
