import { connect, createServer, type Socket } from 'node:net'

/** A wire to a server, which a test cuts. */
export interface Wire {
  /** The same address, led through the wire. */
  through(url: string): Promise<string>
  /** Ends all connections and refuses new ones. */
  cut(): Promise<void>
  /** Keeps all connections, takes new ones, and lets nothing through. */
  freeze(): void
  close(): Promise<void>
}

export async function openWire(): Promise<Wire> {
  const sockets = new Set<Socket>()
  let target = new URL('tcp://127.0.0.1:1')
  let frozen = false
  const keep = (socket: Socket) => {
    sockets.add(socket)
    socket.once('close', () => sockets.delete(socket))
    socket.on('error', () => {})
    return socket
  }
  const server = createServer((near) => {
    const far = keep(connect(Number(target.port), target.hostname))
    keep(near).once('close', () => far.destroy())
    far.once('close', () => near.destroy())
    near.on('data', (data) => !frozen && far.write(data))
    far.on('data', (data) => !frozen && near.write(data))
  })
  await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening))
  const cut = async () => {
    const closed = new Promise((done) => server.close(done))
    for (const socket of sockets) socket.destroy()
    await closed
  }
  return {
    async through(url) {
      target = new URL(url)
      const led = new URL(url)
      const address = server.address()
      if (address === null || typeof address === 'string') throw new Error('the wire has no port')
      led.hostname = '127.0.0.1'
      led.port = String(address.port)
      return led.href
    },
    cut,
    freeze() {
      frozen = true
    },
    close: cut,
  }
}
