import type { Incident } from '../incidents/incident-record.ts'
import type { Letter } from '../letters/letter.ts'
import type { Occasion } from '../letters/thread.ts'

/** What a post says: the facts of the mail of the same event. */
export interface PostContent {
  /** Stays the same when a post is sent again. */
  id: string
  /** The id of the first post about the same incidents. */
  thread: string
  event: Occasion | 'test'
  project: string
  at: Date
  subject: string
  letter: Letter
  incidents: Incident[]
}
