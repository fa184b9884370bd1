import { createHash } from 'node:crypto'
import { open, rm } from 'node:fs/promises'
import { Readable } from 'node:stream'
import type { _Object, S3Client } from '@aws-sdk/client-s3'
import { Failure } from '../../pipeline/engine/failure.ts'
import { objectName } from '../../project/object-path.ts'
import { objectFailure } from './object-failure.ts'

/** An object as a listing has it. */
export interface StoredObject {
  bucket: string
  key: string
  /** Bytes. */
  size: number
  /** With its quotes, as the storage wrote it: names this content. */
  etag: string
  /** Milliseconds since 1970. */
  modified: number
}

/** Reads a bucket. All Failures name the object or the bucket. */
export interface ObjectStore {
  /** Objects whose keys begin with the prefix, up to 1,000 a page, by key. */
  list(bucket: string, prefix: string, signal?: AbortSignal): AsyncIterable<StoredObject[]>
  /** The last bytes of an object, or all where it is shorter. Transient where it is another one now. */
  readEnd(object: StoredObject, bytes: number, signal?: AbortSignal): Promise<Uint8Array>
  /**
   * Writes an object into a new file, synced and compared with its size and, where its ETag is one, its MD5. Transient where it
   * is another one now, or arrives otherwise than it was stored.
   */
  download(object: StoredObject, path: string, signal?: AbortSignal): Promise<void>
}

const CONNECT_MS = 10_000
/** Without a byte. */
const SILENT_MS = 30_000
/** The first try and seven more, with waits of up to 20 s between them. */
const TRIES = 8
/** Of one object, where its content breaks off. */
const DOWNLOADS = 3
const PLAIN_MD5 = /^"([0-9a-f]{32})"$/

let client: Promise<S3Client> | undefined

/**
 * Endpoint, region and credentials come from the environment or the usual chain (profile, container, instance). The SDK
 * takes 0.2 s to load: only who names an object pays for it.
 */
export async function openObjectStore(): Promise<ObjectStore> {
  // The pinned version runs on Node 20; what later ones need is a matter of upgrades, not of each command.
  process.env.AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED ??= 'true'
  const sdk = await import('@aws-sdk/client-s3')
  client ??= Promise.resolve(
    new sdk.S3Client({
      maxAttempts: TRIES,
      requestHandler: { connectionTimeout: CONNECT_MS, socketTimeout: SILENT_MS },
      // Storages beside Amazon's seldom have a name for each bucket.
      forcePathStyle: (process.env.AWS_ENDPOINT_URL_S3 ?? process.env.AWS_ENDPOINT_URL) !== undefined,
      ...(process.env.AWS_REGION === undefined && process.env.AWS_ENDPOINT_URL_S3 !== undefined
        ? { region: 'us-east-1' }
        : {}),
    }),
  )
  const s3 = await client
  /** The object that was listed: storages that do not know If-Match send another one, which its ETag tells. */
  const get = async (object: StoredObject, abortSignal: AbortSignal | undefined, range?: string) => {
    const { bucket, key, etag } = object
    const answer = await s3.send(
      new sdk.GetObjectCommand({
        Bucket: bucket,
        Key: key,
        IfMatch: etag,
        ...(range === undefined ? {} : { Range: range }),
      }),
      abortSignal === undefined ? {} : { abortSignal },
    )
    if (answer.ETag === undefined || answer.ETag === etag) return answer
    if (answer.Body instanceof Readable) answer.Body.destroy()
    throw new Failure(
      'transient',
      `${objectName(bucket, key)} changed while it was read: the run must be repeated`,
      { evidence: { object: objectName(bucket, key), listed: etag, found: answer.ETag } },
    )
  }
  return {
    async *list(bucket, prefix, signal) {
      const pages = sdk.paginateListObjectsV2(
        { client: s3 },
        { Bucket: bucket, Prefix: prefix },
        signal === undefined ? {} : { abortSignal: signal },
      )
      try {
        for await (const { Contents = [] } of pages) yield Contents.flatMap((each) => listed(bucket, each))
      } catch (error) {
        throw objectFailure(error, 'listed', objectName(bucket, prefix))
      }
    },
    async readEnd(object, bytes, signal) {
      const name = objectName(object.bucket, object.key)
      try {
        const { Body } = await get(
          object,
          signal,
          object.size > bytes ? `bytes=${object.size - bytes}-${object.size - 1}` : undefined,
        )
        const read = await Body?.transformToByteArray()
        if (read?.length !== Math.min(bytes, object.size)) throw torn(name, object.size, read?.length ?? 0)
        return read
      } catch (error) {
        throw objectFailure(error, 'read', name)
      }
    },
    async download(object, path, signal) {
      const name = objectName(object.bucket, object.key)
      for (let tried = 1; ; tried++) {
        try {
          const { Body, ServerSideEncryption, SSECustomerAlgorithm } = await get(object, signal)
          const isPlain = !ServerSideEncryption?.startsWith('aws:kms') && SSECustomerAlgorithm === undefined
          if (!(Body instanceof Readable)) throw new Error('the storage sent no content')
          return await write(name, object, Body, path, isPlain)
        } catch (error) {
          // The SDK tries a request again, but not a content that breaks off.
          if (tried === DOWNLOADS || !brokeOff(error) || signal?.aborted)
            throw objectFailure(error, 'read', name)
          await rm(path, { force: true })
        }
      }
    },
  }
}

/** Keys that end in a slash stand for folders and hold nothing. */
function listed(bucket: string, { Key, Size, ETag, LastModified }: _Object): StoredObject[] {
  if (Key === undefined || Key.endsWith('/')) return []
  return [{ bucket, key: Key, size: Size ?? 0, etag: ETag ?? '', modified: LastModified?.getTime() ?? 0 }]
}

/** An ETag is the MD5 of what was stored in one piece and not encrypted with a key of the customer's. */
async function write(
  name: string,
  { size, etag }: StoredObject,
  body: Readable,
  path: string,
  isPlain: boolean,
): Promise<void> {
  const hash = createHash('md5')
  const file = await open(path, 'wx')
  try {
    let bytes = 0
    for await (const chunk of body) {
      hash.update(chunk)
      await file.write(chunk)
      bytes += chunk.length
    }
    if (bytes !== size) throw torn(name, size, bytes)
    const md5 = PLAIN_MD5.exec(etag)?.[1]
    if (isPlain && md5 !== undefined && md5 !== hash.digest('hex')) {
      throw new Failure('transient', `${name} did not arrive as it was stored: its MD5 is not ${md5}`, {
        evidence: { object: name },
      })
    }
    await file.sync()
  } finally {
    await file.close()
  }
}

/** The content ended early, or its connection did; what the storage answered is none of this. */
function brokeOff(error: unknown): boolean {
  if (error instanceof Failure) return error.evidence.got !== undefined
  return error instanceof Error && !('$fault' in error)
}

function torn(name: string, size: number, got: number): Failure {
  return new Failure('transient', `${name}: expected ${size} bytes, got: ${got}`, {
    evidence: { object: name, size, got },
  })
}
