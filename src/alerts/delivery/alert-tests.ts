import { randomInt } from 'node:crypto'
import type { ClientBase, Pool } from 'pg'

/** Without letters and digits that look alike: codes are read from a phone. */
const LETTERS = 'abcdefghjkmnpqrstuvwxyz23456789'
const CODE = /^t-[a-z0-9]{8}$/

/** Whether an argument of `ack` is the code of a test mail. */
export function isTestCode(text: string): boolean {
  return CODE.test(text)
}

export function newTestCode(): string {
  return `t-${Array.from({ length: 8 }, () => LETTERS[randomInt(LETTERS.length)]).join('')}`
}

/** Records that a test mail with this code goes to an address. */
export async function recordTest(
  connection: ClientBase | Pool,
  code: string,
  recipient: string,
): Promise<void> {
  await connection.query('insert into nightshift.alert_tests (code, recipient) values ($1, $2)', [
    code,
    recipient,
  ])
}

/** A test mail whose code has come back; undefined: the code is unknown. The first acknowledgement counts. */
export async function acknowledgeTest(
  connection: ClientBase | Pool,
  code: string,
  { by, os_user, host }: { by: string; os_user: string; host: string },
): Promise<{ recipient: string; acked_by: string } | undefined> {
  const { rows } = await connection.query<{ recipient: string; acked_by: string }>(
    `update nightshift.alert_tests
        set acked_at = coalesce(acked_at, now()), acked_by = coalesce(acked_by, $2),
            os_user = coalesce(os_user, $3), host = coalesce(host, $4)
      where code = $1 returning recipient, acked_by`,
    [code, by, os_user, host],
  )
  return rows[0]
}

/** When each of these addresses last acknowledged a test mail (ISO 8601 in UTC); those that never did are absent. */
export async function reachedAt(
  connection: ClientBase | Pool,
  recipients: string[],
): Promise<Map<string, string>> {
  const { rows } = await connection.query<{ recipient: string; at: string }>(
    `select lower(recipient) as recipient, max(acked_at) as at from nightshift.alert_tests
      where acked_at is not null and lower(recipient) = any($1) group by 1`,
    [recipients.map((each) => each.toLowerCase())],
  )
  return new Map(rows.map(({ recipient, at }) => [recipient, at]))
}

/** Which of these codes have come back, and how many seconds after their mail was written. */
export async function acknowledgedTests(
  connection: ClientBase | Pool,
  codes: string[],
): Promise<{ code: string; seconds: number }[]> {
  const { rows } = await connection.query<{ code: string; seconds: number }>(
    `select code, extract(epoch from acked_at - sent_at)::float8 as seconds from nightshift.alert_tests
      where code = any($1) and acked_at is not null`,
    [codes],
  )
  return rows
}
