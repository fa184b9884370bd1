import type { Database } from './database.ts'

/**
 * Calls `onChange` after each change of a slot or run that anybody commits (see `tell_change` in the migrations).
 * A courtesy that saves polling, not a promise: whoever waits looks again now and then all the same.
 * @returns its release
 */
export async function listen(
  database: Database,
  onChange: (id: string) => void,
): Promise<() => Promise<void>> {
  const client = await database.pool.connect()
  client.on('notification', ({ payload }) => onChange(payload ?? ''))
  await client.query('listen nightshift')
  return async () => {
    client.removeAllListeners('notification')
    await client.query('unlisten *').catch(() => {})
    client.release()
  }
}
