import { readFileSync } from 'node:fs'
import { Socket } from 'node:net'
import { join } from 'node:path'
import pg from 'pg'
import { SERVER_USER } from '../server/server-settings.ts'

/** One connection to the embedded server. */
export interface Session {
  client: pg.Client
  url: string
  /** Its socket; if unreferenced, the session does not keep the process alive. */
  socket: Socket
}

/**
 * @param port from `postmaster.pid`
 * @param name name of the connection in pg_stat_activity
 */
export async function connect(cluster: string, port: number, name: string): Promise<Session> {
  const password = readFileSync(join(cluster, 'password'), 'utf8').trim()
  const url = `postgresql://${SERVER_USER}:${password}@127.0.0.1:${port}/postgres`
  const socket = new Socket()
  const client = new pg.Client({
    connectionString: url,
    stream: () => socket,
    application_name: name,
    connectionTimeoutMillis: 5_000,
  })
  // A broken connection raises an error event; without a listener it would end the process.
  client.on('error', () => {})
  try {
    await client.connect()
  } catch (error) {
    await client.end().catch(() => {})
    throw error
  }
  return { client, url, socket }
}
