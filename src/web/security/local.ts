import { randomBytes } from 'node:crypto'
import type { Viewer } from '../place.ts'

/** Whoever sits at this machine, where there are no users: `by` of what is done in the pages. */
export function localViewer(): Viewer {
  return { name: 'local operator', role: 'operator', csrf: randomBytes(32).toString('base64url') }
}
