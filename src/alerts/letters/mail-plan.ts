import type { AlertSettings } from '../delivery/alert-settings.ts'

export type Reason = 'opened' | 'joined' | 'repeat' | 'cleared' | 'escalated'

/** Minimum time between two mails of a thread, except for its all-clear. Milliseconds. */
export const QUIET = 15 * 60_000

/**
 * When a further night of an incident is mailed: within the grouping window, since a new failed night matters even to
 * the person who acknowledged the last one. It is not mailed within the quiet time of the thread, and at most once
 * per `repeat` if the incident is acknowledged; otherwise an hourly model would mail every hour.
 */
export function joinedDue(
  at: { now: Date; lastMailAt: Date; acked: boolean },
  settings: Pick<AlertSettings, 'group' | 'repeat'>,
): Date {
  const gap = at.acked ? settings.repeat : Math.min(QUIET, settings.repeat)
  return new Date(Math.max(at.now.getTime() + settings.group, at.lastMailAt.getTime() + gap))
}

/** A pending mail to one address about one incident. */
export interface Pending {
  incident: number
  /** Undefined: never mailed. */
  thread: number | undefined
  reason: Reason
  dueAt: Date
  lastMailAt: Date | undefined
  /** Whether any incident of its thread is open. */
  threadOpen: boolean
}

export interface MailPlan {
  /** Incidents that the address has not been mailed about: one mail, one new thread. */
  fresh: Pending[]
  /** One mail for each thread. */
  threads: { thread: number; reasons: Set<Reason> }[]
}

/**
 * Decides which mails one address gets now. Nothing until something is due; then also what falls due within the
 * grouping window, so that 40 incidents that open within 30 s are one mail, 30 s after the first. If a thread has
 * both closed and open incidents, its all-clears wait until the thread has been quiet for a while. `flush` ignores
 * all windows: the process that would have mailed is about to exit.
 */
export function planMails(
  pending: Pending[],
  now: Date,
  settings: Pick<AlertSettings, 'group'>,
  flush = false,
): MailPlan {
  const isDue = (it: Pending, at: number) =>
    flush && it.reason !== 'repeat' && it.reason !== 'escalated'
      ? true
      : it.dueAt.getTime() <= at && !(isPartial(it) && isWarm(it, now))
  if (!pending.some((it) => isDue(it, now.getTime()))) return { fresh: [], threads: [] }
  const due = pending.filter((it) => isDue(it, now.getTime() + settings.group))
  const threads = new Map<number, Set<Reason>>()
  for (const { thread, reason } of due) {
    if (thread === undefined) continue
    const reasons = threads.get(thread) ?? new Set()
    threads.set(thread, reasons.add(reason))
  }
  return {
    fresh: due.filter((it) => it.thread === undefined),
    threads: [...threads].map(([thread, reasons]) => ({ thread, reasons })),
  }
}

function isPartial(it: Pending): boolean {
  return it.reason === 'cleared' && it.threadOpen
}

function isWarm(it: Pending, now: Date): boolean {
  return it.lastMailAt !== undefined && now.getTime() - it.lastMailAt.getTime() < QUIET
}
