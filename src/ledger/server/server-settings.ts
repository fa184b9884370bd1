/** The superuser of the embedded server; its database is `postgres`. */
export const SERVER_USER = 'nightshift'

/**
 * Settings of the embedded server, passed at each start so that they follow the program and not the cluster. Commits
 * are durable: fsync, full_page_writes and synchronous_commit are on.
 */
export function serverArguments(data: string, port: number): string[] {
  const settings: Record<string, string | number> = {
    listen_addresses: '127.0.0.1',
    // No socket file: its path is limited to 107 bytes, and TCP on loopback is enough.
    unix_socket_directories: '',
    // A worker has a pool of ten and that of its queue, and one machine may have dozens of workers.
    max_connections: 500,
    shared_buffers: '64MB',
    fsync: 'on',
    full_page_writes: 'on',
    synchronous_commit: 'on',
    timezone: 'UTC',
    log_timezone: 'UTC',
    // Processes that a ledger does not need.
    io_method: 'sync',
    max_wal_senders: 0,
    wal_level: 'minimal',
    max_logical_replication_workers: 0,
    max_wal_size: '512MB',
    // Releases the locks of a suspended or disconnected client.
    tcp_keepalives_idle: 30,
    jit: 'off',
  }
  const options = Object.entries(settings).flatMap(([name, value]) => ['-c', `${name}=${value}`])
  return ['-D', data, '-p', String(port), ...options]
}

/** Our environment is not passed on: no secrets, and no PG* variables that would change its behaviour. */
export function serverEnvironment(): NodeJS.ProcessEnv {
  return { PATH: process.env.PATH ?? '/usr/bin:/bin', LC_ALL: 'C', TZ: 'UTC' }
}
