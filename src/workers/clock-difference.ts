import type { Pool } from 'pg'
import type { Logger } from 'pino'
import { age } from '../format/elapsed.ts'

/** Smaller differences are ignored. No decision depends on a machine's own clock. */
export const APART_MS = 5_000

/** `the clock of worker-1a2b is 1 h ahead of the ledger's`; undefined if the difference is small. */
export function describeDifference(whose: string, aheadMs: number): string | undefined {
  if (Math.abs(aheadMs) <= APART_MS) return undefined
  return `${whose} is ${age(Math.abs(aheadMs))} ${aheadMs > 0 ? 'ahead of' : 'behind'} the ledger's`
}

/** Logs when this machine's clock starts to differ from the ledger's, and when it agrees again. */
export function clockWatch(log: Pick<Logger, 'warn' | 'info'>): (aheadMs: number) => void {
  let apart = false
  return (aheadMs) => {
    const difference = describeDifference("this machine's clock", aheadMs)
    if (difference !== undefined && !apart) {
      log.warn(
        { clock_ahead_ms: Math.round(aheadMs) },
        `${difference}: work continues, since the ledger's clock is authoritative, but the times in this log are wrong; set the machine's clock`,
      )
    } else if (difference === undefined && apart)
      log.info("this machine's clock agrees with the ledger's again")
    apart = difference !== undefined
  }
}

/** The live processes whose clocks are apart from the ledger's. */
export async function clocksApart(pool: Pool): Promise<string[]> {
  const { rows } = await pool.query<{ id: string; host: string; ahead: number }>(
    `select id, host, clock_ahead_ms as ahead from nightshift.processes
      where seen_at > clock_timestamp() - interval '15 seconds' and abs(clock_ahead_ms) > $1 order by id`,
    [APART_MS],
  )
  return rows.flatMap(
    ({ id, host, ahead }) => describeDifference(`the clock of ${id} on ${host}`, ahead) ?? [],
  )
}
