import type { Chart } from '../../charts/chart.ts'

/**
 * What a mail says, before it becomes text or HTML. `lead` is all that a lock screen shows: its first line says what
 * happened, the second what still holds, the third why.
 */
export interface Letter {
  tone: 'alert' | 'clear' | 'notice'
  lead: string[]
  sections: Section[]
  foot: string[]
}

export interface Section {
  title: string
  items: Item[]
}

export type Item =
  | { kind: 'text'; text: string }
  | { kind: 'fact'; label: string; text: string; link?: string | undefined }
  | { kind: 'point'; text: string }
  /** Words that are not ours, line breaks kept. */
  | { kind: 'quote'; text: string }
  | { kind: 'command'; command: string; why: string }
  /** Becomes a PNG in the mail; `text` says what it shows to whoever does not see it. */
  | { kind: 'picture'; name: string; chart: Chart; text: string }
  /** One incident among several. */
  | { kind: 'entry'; title: string; lines: string[]; link?: string | undefined; done: boolean }
