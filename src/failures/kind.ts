/** What an incident is about, as everything that tells of it needs to know: CLI, pages, mails, runbook and docs. */
export interface Kind {
  /** As people read it. */
  name: string
  /** One sentence: what the kind alone says about the cause. */
  means: string
  /** The same of an incident that is closed, where `means` would say that it goes on. */
  meant?: string
  /** What is wrong for whom, as one sentence. Default: nothing, or nothing new, was published. */
  headline?: (at: Headline) => string
  /** Colour and shape of an open incident; one that holds a night looks held. */
  face: 'late' | 'failed'
  /** Whether running its nights again is the cure. */
  runAgain: boolean
  /** The next three commands, the most useful first. */
  commands: (at: Situation) => Step[]
  /** Its section in RUNBOOK.md; kinds without one have no anchor of their own. */
  runbook?: RunbookText
}

/** What a headline is made of. */
export interface Headline {
  subject: string
  /** `scores of churn`. */
  what: string
  /** ` for 2026-11-22 and 2 earlier`, or nothing. */
  forNights: string
  isClosed: boolean
  /** ` in monthly_price and plan`, or nothing. */
  inColumns: string
  /** `, 2026-11-22 06:00 CET`, or nothing. */
  atDeadline: string
  /** Of a check that could not be done. */
  monitor: unknown
}

/** What decides on the commands. */
export interface Situation {
  /** State of the slot. */
  state: string
  isModel: boolean
  hasRun: boolean
  hasSlot: boolean
  /** Held by expectations that a person may overrule. */
  isReleasable: boolean
  /** Of a check that could not be done. */
  monitor: unknown
}

/** Commands that mails and pages know how to write out. */
export type StepName =
  | 'again'
  | 'doctor'
  | 'drift'
  | 'history'
  | 'mute'
  | 'parity'
  | 'release'
  | 'report'
  | 'rollback'
  | 'show'
  | 'skip'
  | 'status'
  | 'validate'
  | 'versions'

/** A command, with what one learns or gets by it where that differs from its usual words. */
export type Step = StepName | { command: StepName; why: string }

export interface RunbookText {
  /** What has happened, in a sentence or two. */
  title: string
  /** The first steps, which hold for every model. */
  steps: (model: string) => string[]
  /** What only the owners know. */
  todo: string
}
