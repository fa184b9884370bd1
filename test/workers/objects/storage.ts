import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { createServer, type IncomingMessage, request, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import {
  DeleteObjectCommand,
  GetObjectCommand,
  ListObjectsV2Command,
  NoSuchKey,
  PutObjectCommand,
  S3Client,
} from '@aws-sdk/client-s3'

import { startS3 } from '../../../fixtures/s3-server.ts'

// As the program does.
process.env.AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED = 'true'

/** Answers a request in place of the storage, or keeps it and lets it through later; false: lets it through. */
export type Fault = (request: IncomingMessage, response: ServerResponse, letThrough: () => void) => boolean

/** An S3 server of its own process, with one bucket, behind a proxy that can misbehave. */
export interface Storage {
  bucket: string
  /** What a process needs to reach it. */
  env: Record<string, string>
  put(key: string, body: Uint8Array | string): Promise<void>
  remove(key: string): Promise<void>
  /** What a key holds; undefined: nothing. */
  get(key: string): Promise<Buffer | undefined>
  keys(prefix: string): Promise<string[]>
  /** From now on ETags are those of objects that came in parts: they say nothing of the content. */
  hasParts: boolean
  /** What the proxy does from now on. */
  fault: Fault | undefined
  /** Lines such as `GET /nights/data/a.parquet bytes=0-9` of the requests so far. */
  requests: string[]
  close(): Promise<void>
}

export async function openStorage(): Promise<Storage> {
  const directory = mkdtempSync(join(tmpdir(), 'nightshift-storage-'))
  const server = await startS3(directory, ['nights'])
  const { port } = new URL(server.endpoint)
  const requests: string[] = []
  const proxy = createServer((incoming, response) => {
    requests.push([incoming.method, incoming.url, incoming.headers.range].filter(Boolean).join(' '))
    const letThrough = () => {
      const { method, url, headers } = incoming
      const onward = request(
        { host: '127.0.0.1', port: Number(port), method, path: url, headers },
        (answer) => void (storage.hasParts ? asInParts(answer, response) : pass(answer, response)),
      )
      onward.on('error', () => response.destroy())
      incoming.pipe(onward)
    }
    if (storage.fault?.(incoming, response, letThrough) !== true) letThrough()
  })
  proxy.listen(0, '127.0.0.1')
  await once(proxy, 'listening')
  const endpoint = `http://127.0.0.1:${(proxy.address() as AddressInfo).port}`
  const client = new S3Client({
    endpoint: server.endpoint,
    region: 'us-east-1',
    forcePathStyle: true,
    credentials: { accessKeyId: 'S3RVER', secretAccessKey: 'S3RVER' },
    requestChecksumCalculation: 'WHEN_REQUIRED',
  })
  const bucket = 'nights'
  const storage: Storage = {
    bucket,
    env: { ...server.env, AWS_ENDPOINT_URL_S3: endpoint },
    hasParts: false,
    fault: undefined,
    requests,
    async put(key, body) {
      await client.send(new PutObjectCommand({ Bucket: bucket, Key: key, Body: body }))
    },
    async remove(key) {
      await client.send(new DeleteObjectCommand({ Bucket: bucket, Key: key }))
    },
    async get(key) {
      const { Body } = await client
        .send(new GetObjectCommand({ Bucket: bucket, Key: key }))
        .catch((error: unknown) => {
          if (error instanceof NoSuchKey) return { Body: undefined }
          throw error
        })
      return Body && Buffer.from(await Body.transformToByteArray())
    },
    async keys(prefix) {
      const { Contents = [] } = await client.send(
        new ListObjectsV2Command({ Bucket: bucket, Prefix: prefix }),
      )
      return Contents.flatMap(({ Key }) => Key ?? [])
    },
    async close() {
      client.destroy()
      proxy.closeAllConnections()
      proxy.close()
      await server.close()
      rmSync(directory, { recursive: true, force: true })
    },
  }
  return storage
}

function pass(answer: IncomingMessage, response: ServerResponse): void {
  response.writeHead(answer.statusCode ?? 500, answer.headers)
  answer.pipe(response)
}

async function asInParts(answer: IncomingMessage, response: ServerResponse): Promise<void> {
  const { etag, ...headers } = answer.headers
  const named = etag === undefined ? {} : { etag: etag.replace(/"$/, '-2"') }
  if (answer.headers['content-type']?.includes('xml') !== true) {
    response.writeHead(answer.statusCode ?? 500, { ...headers, ...named })
    answer.pipe(response)
    return
  }
  const chunks: Buffer[] = []
  for await (const chunk of answer) chunks.push(chunk)
  const text = Buffer.concat(chunks)
    .toString()
    .replaceAll(/(<ETag>.*?[0-9a-f]{32})/g, '$1-2')
  response.writeHead(answer.statusCode ?? 500, { ...headers, 'content-length': Buffer.byteLength(text) })
  response.end(text)
}

/** An error as S3 writes it. */
export function refuse(response: ServerResponse, status: number, code: string, message = code): true {
  response.writeHead(status, { 'content-type': 'application/xml' })
  response.end(`<?xml version="1.0"?><Error><Code>${code}</Code><Message>${message}</Message></Error>`)
  return true
}
