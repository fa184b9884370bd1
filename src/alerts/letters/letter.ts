import type { Chart } from '../../charts/chart.ts'

/** A page, and what a reader does there. */
export interface PageLink {
  text: string
  href: string
}

/**
 * The content of a mail before it becomes text or HTML. `lead` is all that a lock screen shows: the first line states
 * what happened, the second what readers have, the third the cause.
 */
export interface Letter {
  tone: 'alert' | 'clear' | 'notice'
  lead: string[]
  /** The page where the reader can act: the one button of the mail. */
  button?: PageLink | undefined
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
  /** Quoted text that is not ours, with its line breaks. */
  | { kind: 'quote'; text: string }
  /** What is typed in a terminal, and the page that does or shows the same. */
  | { kind: 'command'; command: string; why: string; page?: PageLink | undefined }
  /** A PNG in the mail; `text` is its alternative text. */
  | { kind: 'picture'; name: string; chart: Chart; text: string }
  /** One of several incidents. */
  | { kind: 'entry'; title: string; lines: string[]; link?: string | undefined; done: boolean }
