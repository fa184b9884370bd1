import { createHash } from 'node:crypto'
import { ownVersion } from './own-files.ts'

/**
 * Names all that an answer depends on, and this program, whose next version may answer otherwise: an answer that is
 * kept stands while its subject does. A sha256 in hexadecimal.
 */
export function subjectOf(...parts: unknown[]): string {
  return createHash('sha256')
    .update(JSON.stringify([...parts, ownVersion()]))
    .digest('hex')
}
