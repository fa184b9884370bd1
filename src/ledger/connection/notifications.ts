import { setTimeout as sleep } from 'node:timers/promises'
import type pg from 'pg'
import type { Database } from './database.ts'

const FIRST_PAUSE_MS = 250
const LONGEST_PAUSE_MS = 5_000

/** What is heard when somebody asks for work; a change of a slot or run is heard as its id. */
export const REQUEST = 'request'

/** When the caller's transaction commits, every planner of the ledger that listens looks at once. */
export async function announceRequest(connection: pg.ClientBase | pg.Pool): Promise<void> {
  await connection.query("select pg_notify('nightshift', $1)", [REQUEST])
}

/**
 * Calls `onChange` after each committed change of a slot or run (see `tell_change` in the migrations), with its id, and after
 * each request. It only saves polling and is not guaranteed: callers still check from time to time. A broken connection is
 * reopened, however long it takes, and `onChange` is then called once with '', since changes in between were missed.
 * @returns its release
 */
export async function listen(
  { pool }: Pick<Database, 'pool'>,
  onChange: (what: string) => void,
): Promise<() => Promise<void>> {
  const closing = new AbortController()
  let release: (() => Promise<void>) | undefined

  const hear = async (client: pg.PoolClient) => {
    const onNotification = ({ payload }: pg.Notification) => onChange(payload ?? '')
    let gone = false
    const onGone = () => {
      if (gone) return
      gone = true
      release = undefined
      client.release(true)
      void listenAgain()
    }
    client.on('notification', onNotification)
    client.once('end', onGone)
    client.once('error', onGone)
    release = async () => {
      if (gone) return
      gone = true
      client.off('notification', onNotification)
      client.off('end', onGone)
      client.off('error', onGone)
      await client.query('unlisten *').then(
        () => client.release(),
        () => client.release(true),
      )
    }
    try {
      await client.query('listen nightshift')
    } catch (error) {
      await release?.()
      throw error
    }
  }
  const listenAgain = async () => {
    for (let pause = FIRST_PAUSE_MS; !closing.signal.aborted; pause = Math.min(pause * 2, LONGEST_PAUSE_MS)) {
      await sleep(pause, undefined, { signal: closing.signal, ref: false }).catch(() => {})
      if (closing.signal.aborted) return
      try {
        await hear(await pool.connect())
        if (closing.signal.aborted) await release?.()
        else onChange('')
        return
      } catch {
        // Still unavailable: the code that needs the ledger reports it.
      }
    }
  }

  await hear(await pool.connect())
  return async () => {
    closing.abort()
    await release?.()
  }
}
