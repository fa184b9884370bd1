import { once } from 'node:events'
import { connect, createServer, type Server, type Socket } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'

/** Where in a publication something happens: see `LedgerProxy.at`. */
export type Moment = 'before the commit' | 'while the commit runs' | 'between commit and rename'

/** Of the values that `commitRun` binds: the new state, four bytes of a length, and the state that it expects. */
const COMMITS = /publishing.{4}\{"running"\}/s

/** Stands between a process and PostgreSQL, and can be told to misbehave. */
export interface LedgerProxy {
  /** The same connection string, led through here. */
  url: string
  /**
   * Does something once, when the next publication's transaction comes by. `before the commit`: it waits for us.
   * `while the commit runs`: the server has it, and its answer does not come back before we are done.
   * `between commit and rename`: the process has the answer, and whatever it asks next waits.
   * Resolves when it is done.
   */
  at(moment: Moment, act: () => Promise<void>): Promise<void>
  /** Ends all connections, and refuses new ones for so long. */
  cut(ms: number): Promise<void>
  /** Keeps all connections, accepts new ones, and lets nothing through for so long. */
  freeze(ms: number): Promise<void>
  /** Each new connection has to wait for so long before anything comes through. */
  slow(ms: number): void
  close(): Promise<void>
}

export async function openProxy(to: string): Promise<LedgerProxy> {
  const target = new URL(to)
  const sockets = new Set<Socket>()
  let gate: Promise<void> = Promise.resolve()
  let delay = 0
  let waiting: { moment: Moment; act: () => Promise<void>; done: () => void } | undefined

  const trigger = async (moment: Moment): Promise<void> => {
    if (waiting?.moment !== moment) return
    const { act, done } = waiting
    waiting = undefined
    await act()
    done()
  }
  const keep = (socket: Socket): Socket => {
    sockets.add(socket)
    socket.once('close', () => sockets.delete(socket))
    socket.on('error', () => {})
    return socket
  }
  const lead = (near: Socket) => {
    keep(near)
    const far = keep(connect(Number(target.port), target.hostname))
    near.once('close', () => far.destroy())
    far.once('close', () => near.destroy())
    let publishes = false
    let committing = false
    const opened = sleep(delay)
    const inOrder = (take: (data: Buffer) => Promise<void>) => {
      let before: Promise<void> = opened
      return (data: Buffer) => {
        before = before.then(() => gate).then(() => take(data))
      }
    }
    near.on(
      'data',
      inOrder(async (data) => {
        const text = data.toString('latin1')
        if (COMMITS.test(text)) publishes = true
        const commits = publishes && text.includes('commit\0')
        if (commits) await trigger('before the commit')
        if (!far.destroyed) far.write(data)
        committing ||= commits
      }),
    )
    far.on(
      'data',
      inOrder(async (data) => {
        const answers = committing && data.toString('latin1').includes('COMMIT')
        if (answers) await trigger('while the commit runs')
        if (!near.destroyed) near.write(data)
        if (answers) {
          publishes = false
          committing = false
          const done = trigger('between commit and rename')
          gate = Promise.all([gate, done]).then(() => {})
        }
      }),
    )
  }
  let server: Server
  const listen = async (port: number) => {
    server = createServer(lead)
    server.listen(port, '127.0.0.1')
    await once(server, 'listening')
    const address = server.address()
    return address !== null && typeof address === 'object' ? address.port : 0
  }
  const stop = async () => {
    const closed = new Promise((done) => server.close(done))
    for (const socket of sockets) socket.destroy()
    await closed
  }
  const port = await listen(0)
  const url = new URL(to)
  url.hostname = '127.0.0.1'
  url.port = String(port)
  return {
    url: url.href,
    at: (moment, act) =>
      new Promise((done) => {
        waiting = { moment, act, done }
      }),
    async cut(ms) {
      await stop()
      await sleep(ms)
      await listen(port)
    },
    async freeze(ms) {
      gate = Promise.all([gate, sleep(ms)]).then(() => {})
      await sleep(ms)
    },
    slow(ms) {
      delay = ms
    },
    close: stop,
  }
}
