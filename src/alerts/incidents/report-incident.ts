/** Entry points for transactions that end a run, miss a deadline, publish, release or skip. */
export { type Reported, reportFailure } from './report-failure.ts'
export { reportRecovery } from './report-recovery.ts'
