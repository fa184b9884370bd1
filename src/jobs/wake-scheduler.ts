import cron from 'node-cron'

/**
 * Wakes the planner every few seconds. It only wakes it: the slots are computed from the calendar, so a lost tick
 * (blocked event loop, stopped process) has no effect and is no line of the log.
 * @returns its release
 */
export function startScheduler(wake: () => void): () => Promise<void> {
  const task = cron.schedule('*/5 * * * * *', wake, { name: 'reconcile', suppressMissedWarning: true })
  return async () => {
    await task.destroy()
  }
}
