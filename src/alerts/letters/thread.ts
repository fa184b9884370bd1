import type { Alive } from '../../ledger/nights/alive.ts'
import type { AlertSettings } from '../delivery/alert-settings.ts'
import type { Incident } from '../incidents/incident-record.ts'

/**
 * Why a thread is mailed: its first mail, another night, the repeat time passed, some of its incidents closed, all
 * closed.
 */
export type Occasion = 'opened' | 'joined' | 'repeat' | 'partly cleared' | 'cleared'

/** One mail of one thread to one address. */
export interface ThreadMail {
  occasion: Occasion
  /** All incidents of the thread, closed ones too, in the order in which they opened. */
  incidents: [Incident, ...Incident[]]
  recipient: string
  /** Those that the address is mailed about because nobody acknowledged them in time. */
  escalated?: number[]
  now: Date
  /** Which processes live that stay. */
  alive: Alive
  settings: AlertSettings
}
