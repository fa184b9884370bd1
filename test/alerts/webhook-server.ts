import { once } from 'node:events'
import { createServer, type IncomingHttpHeaders, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'

export interface Posted {
  headers: IncomingHttpHeaders
  body: string
}

/** A server that takes posts as a team's own would: it keeps what it gets and answers as it is told. */
export interface WebhookServer {
  url: string
  received: Posted[]
  close(): Promise<void>
}

const fine = (response: ServerResponse) => void response.writeHead(200).end('ok')

export async function openWebhookServer(
  answer: (response: ServerResponse, posted: Posted, number: number) => void = fine,
  port = 0,
): Promise<WebhookServer> {
  const received: Posted[] = []
  const server = createServer(async (request, response) => {
    const chunks: Buffer[] = []
    for await (const chunk of request) chunks.push(chunk)
    const posted = { headers: request.headers, body: Buffer.concat(chunks).toString('utf8') }
    received.push(posted)
    answer(response, posted, received.length)
  })
  server.listen(port, '127.0.0.1')
  await once(server, 'listening')
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/hook`,
    received,
    async close() {
      server.closeAllConnections()
      server.close()
      await once(server, 'close')
    },
  }
}
