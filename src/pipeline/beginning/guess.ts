/** Something that was found out without being told. */
export interface Guess {
  what: string
  why: string
  sure: 'sure' | 'likely' | 'unsure'
  /** What to write where it is wrong. Empty: nothing can be. */
  other: string
}
