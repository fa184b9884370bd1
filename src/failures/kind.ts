/** A kind of incident: everything that CLI, pages, mails, runbook and docs show of it. */
export interface Kind {
  /** Displayed name. */
  name: string
  /** One sentence: the cause as far as the kind describes it. */
  means: string
  /** The same in the past tense, for closed incidents. */
  meant?: string
  /** One sentence: what is wrong, and for which model or view. Default: nothing, or nothing new, was published. */
  headline?: (at: Headline) => string
  /** What a subject line says of the night: what is missing, and why. Default: not published, by the cause. */
  brief?: (at: Brief) => string
  /** Status style of an open incident; an incident of a held night has the style `held`. */
  face: 'late' | 'failed'
  /** Whether `backfill --failed` runs its nights again, which resolves the incident. */
  runAgain: boolean
  /** It can wait until the day: its mails are not repeated, and nobody else is mailed when nobody acknowledges it. */
  canWait?: true
  /** Its section in RUNBOOK.md; kinds without one have no anchor of their own. */
  runbook?: RunbookText
}

/** The parts of a headline. */
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
  /** The check that could not be completed. */
  monitor: unknown
}

/** The parts of a subject line. */
export interface Brief {
  /** The cause, by the table of remedies. */
  cause: string
  /** ` by 06:00 CET`, or nothing. */
  byTime: string
  /** `monthly_price, plan and 2 more`. */
  columns: string
  /** `ROC AUC`. */
  metrics: string
  /** The check that could not be completed. */
  monitor: unknown
}

export interface RunbookText {
  /** What happened, in one or two sentences. */
  title: string
  /** The first steps, the same for every model. */
  steps: (model: string) => string[]
  /** What only the owners know. */
  todo: string
}
