import type { Pool } from 'pg'
import type { Logger } from 'pino'
import { age } from '../format/elapsed.ts'

/** Clocks that differ by less are as good as one. Nothing is decided by a machine's own in any case. */
export const APART_MS = 5_000

/** `the clock of worker-1a2b is 3600 s ahead of the ledger's`; undefined where it is near enough. */
export function saysApart(whose: string, aheadMs: number): string | undefined {
  if (Math.abs(aheadMs) <= APART_MS) return undefined
  return `${whose} is ${age(Math.abs(aheadMs))} ${aheadMs > 0 ? 'ahead of' : 'behind'} the ledger's`
}

/** Says in the log when this machine's clock goes apart from the ledger's, and when it is right again. */
export function clockWatch(log: Pick<Logger, 'warn' | 'info'>): (aheadMs: number) => void {
  let apart = false
  return (aheadMs) => {
    const said = saysApart("this machine's clock", aheadMs)
    if (said !== undefined && !apart) {
      log.warn(
        { clock_ahead_ms: Math.round(aheadMs) },
        `${said}: work goes on, since time is decided by the ledger's clock, but the times of this log are wrong; set the machine's clock`,
      )
    } else if (said === undefined && apart) log.info("this machine's clock agrees with the ledger's again")
    apart = said !== undefined
  }
}

/** The live processes whose clocks are apart from the ledger's. */
export async function clocksApart(pool: Pool): Promise<string[]> {
  const { rows } = await pool.query<{ id: string; host: string; ahead: number }>(
    `select id, host, clock_ahead_ms as ahead from nightshift.processes
      where seen_at > clock_timestamp() - interval '15 seconds' and abs(clock_ahead_ms) > $1 order by id`,
    [APART_MS],
  )
  return rows.flatMap(({ id, host, ahead }) => saysApart(`the clock of ${id} on ${host}`, ahead) ?? [])
}
