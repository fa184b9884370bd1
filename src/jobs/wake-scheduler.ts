import cron from 'node-cron'

/**
 * Wakes the planner every few seconds. Only wakes it: which slots exist is computed from the calendar, so that a
 * tick that is lost (the loop was blocked, the process was down) changes nothing.
 * @returns its release
 */
export function startScheduler(wake: () => void): () => Promise<void> {
  const task = cron.schedule('*/5 * * * * *', wake, { name: 'reconcile' })
  return async () => {
    await task.destroy()
  }
}
