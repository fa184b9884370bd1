import { mkdirSync, writeFileSync } from 'node:fs'
import { hostname } from 'node:os'
import { join } from 'node:path'
import type { ParsedMail } from 'mailparser'

const FOLDER = 'docs/pictures/mails'

/**
 * Keeps a mail as text and HTML where `npm run remedies` writes: one of each cause, as it was received, without the names
 * of this machine.
 */
export function keepMail(
  name: string,
  { subject, text, html }: Pick<ParsedMail, 'subject' | 'text' | 'html'>,
  root: string,
): void {
  if (process.env.NIGHTSHIFT_REMEDIES !== 'write') return
  mkdirSync(FOLDER, { recursive: true })
  const file = join(FOLDER, name.replaceAll(/[^a-z0-9]+/gi, '-').toLowerCase())
  const plain = (words: string) => words.replaceAll(root, '/srv/shop').replaceAll(hostname(), 'scores-1')
  writeFileSync(`${file}.txt`, plain(`Subject: ${subject ?? ''}\n\n${text ?? ''}`))
  if (typeof html === 'string') writeFileSync(`${file}.html`, plain(html))
}
