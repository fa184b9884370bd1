import { createHash } from 'node:crypto'
import { open, rm } from 'node:fs/promises'
import { Readable } from 'node:stream'
import type { _Object, S3Client } from '@aws-sdk/client-s3'
import { Failure } from '../pipeline/engine/failure.ts'
import { type ObjectPlace, objectName } from '../project/object-path.ts'
import { isRefusal, type ObjectRequest, objectFailure } from './object-failure.ts'
import { copyObject, type PartSizes, putFile, SHA256, USUAL_PARTS } from './object-writes.ts'

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

/** An object as the storage describes it by itself. */
export interface HeldObject extends StoredObject {
  /** Of what this program has stored: its SHA-256, hexadecimal. */
  sha256: string | undefined
}

/** Reads and writes a bucket. All Failures name the object or the bucket. */
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
  /** The object that is there now; undefined if there is none. */
  head(at: ObjectPlace, signal?: AbortSignal): Promise<HeldObject | undefined>
  /** Names of the folders right below a prefix that ends in a slash. */
  folders(bucket: string, prefix: string): Promise<string[]>
  /** A small object as text; undefined if there is none. */
  text(at: ObjectPlace): Promise<string | undefined>
  /** Stores a file under a key, which shows the old object or the new one, whole. */
  put(
    path: string,
    at: ObjectPlace,
    file: { size: number; sha256: string; signal?: AbortSignal | undefined },
  ): Promise<void>
  /** SHA-256 (hexadecimal) of what a key holds now, read whole. */
  hash(at: ObjectPlace, signal?: AbortSignal): Promise<string>
  /** Copies within the storage. Returns the copy; undefined where the object is no longer there. */
  copy(from: HeldObject, to: ObjectPlace): Promise<HeldObject | undefined>
  /** One that is not there is no error. */
  remove(at: ObjectPlace): Promise<void>
}

const CONNECT_MS = 10_000
/** Without a byte. */
const SILENT_MS = 30_000
/** The first try and seven more, with waits of up to 20 s between them. */
const TRIES = 8
/** Of one object, where its content breaks off. */
const DOWNLOADS = 3
const PLAIN_MD5 = /^"([0-9a-f]{32})"$/

/** By endpoint: one for a process, as a rule. */
const clients = new Map<string | undefined, S3Client>()

/**
 * Endpoint, region and credentials come from the environment or the usual chain (profile, container, instance). The SDK
 * takes 0.2 s to load: only who names an object pays for it.
 */
export async function openObjectStore(sizes: PartSizes = USUAL_PARTS): Promise<ObjectStore> {
  // The pinned version runs on Node 20; what later ones need is a matter of upgrades, not of each command.
  process.env.AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED ??= 'true'
  const sdk = await import('@aws-sdk/client-s3')
  const endpoint = process.env.AWS_ENDPOINT_URL_S3 ?? process.env.AWS_ENDPOINT_URL
  const s3 =
    clients.get(endpoint) ??
    new sdk.S3Client({
      maxAttempts: TRIES,
      requestHandler: { connectionTimeout: CONNECT_MS, socketTimeout: SILENT_MS },
      // Storages beside Amazon's seldom have a name for each bucket.
      forcePathStyle: endpoint !== undefined,
      ...(process.env.AWS_REGION === undefined && process.env.AWS_ENDPOINT_URL_S3 !== undefined
        ? { region: 'us-east-1' }
        : {}),
    })
  clients.set(endpoint, s3)
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
  const head = (at: ObjectPlace, abortSignal?: AbortSignal) =>
    named('read', at, async (): Promise<HeldObject | undefined> => {
      const command = new sdk.HeadObjectCommand(namesOf(at))
      const options = abortSignal === undefined ? {} : { abortSignal }
      const found = await s3
        .send(command, options)
        .catch(async (error: unknown) => {
          if (isMissing(error) || !isRefusal(error)) throw error
          // A refused HEAD has no body that says why; a GET has.
          const asked = new sdk.GetObjectCommand({ ...namesOf(at), Range: 'bytes=0-0' })
          await (await s3.send(asked, options)).Body?.transformToByteArray()
          throw error
        })
        .catch(unlessMissing)
      if (!('ETag' in found)) return undefined
      const { ContentLength = 0, ETag = '', LastModified, Metadata } = found
      const modified = LastModified?.getTime() ?? 0
      return { ...at, size: ContentLength, etag: ETag, modified, sha256: Metadata?.[SHA256] }
    })
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
          const { Body, Metadata, ServerSideEncryption, SSECustomerAlgorithm } = await get(object, signal)
          const isPlain = !ServerSideEncryption?.startsWith('aws:kms') && SSECustomerAlgorithm === undefined
          if (!(Body instanceof Readable)) throw new Error('the storage sent no content')
          const sha256 = Metadata?.[SHA256]
          const md5 = isPlain ? PLAIN_MD5.exec(object.etag)?.[1] : undefined
          return await write(name, object, Body, path, sha256 === undefined ? { md5 } : { sha256 })
        } catch (error) {
          // The SDK tries a request again, but not a content that breaks off.
          if (tried === DOWNLOADS || !brokeOff(error) || signal?.aborted)
            throw objectFailure(error, 'read', name)
          await rm(path, { force: true })
        }
      }
    },
    head,
    folders: (bucket, prefix) =>
      named('listed', { bucket, key: prefix }, async () => {
        const names: string[] = []
        // One key of each folder. Not every storage knows a delimiter.
        for (let after = ''; ; ) {
          const page = { Bucket: bucket, Prefix: prefix, MaxKeys: 1 }
          const { Contents: [first] = [] } = await s3.send(
            new sdk.ListObjectsV2Command(after === '' ? page : { ...page, StartAfter: after }),
          )
          if (first?.Key === undefined) return names
          const [name = '', ...within] = first.Key.slice(prefix.length).split('/')
          if (within.length > 0) names.push(name)
          // `0` follows `/`: all keys of the folder are before this.
          after = within.length > 0 ? `${prefix}${name}0` : first.Key
        }
      }),
    text: (at) =>
      named('read', at, async () => {
        const { Body } = await s3.send(new sdk.GetObjectCommand(namesOf(at))).catch(unlessMissing)
        return await Body?.transformToString()
      }),
    put: (path, at, file) => named('written', at, () => putFile(sdk, s3, path, at, { ...file, sizes })),
    hash: (at, abortSignal) =>
      named('read', at, async () => {
        const { Body } = await s3.send(
          new sdk.GetObjectCommand(namesOf(at)),
          abortSignal === undefined ? {} : { abortSignal },
        )
        if (!(Body instanceof Readable)) throw new Error('the storage sent no content')
        const hash = createHash('sha256')
        for await (const chunk of Body) hash.update(chunk)
        return hash.digest('hex')
      }),
    copy: (from, to) =>
      named('copied', to, async () => {
        try {
          await copyObject(sdk, s3, from, to, sizes).catch(async (error: unknown) => {
            // Some storages compare another ETag than they tell, of objects that came in parts.
            const isSame = isUnmet(error) && (await head(from))?.etag === from.etag
            if (!isSame) throw error
            await copyObject(sdk, s3, from, to, sizes, false)
          })
        } catch (error) {
          if (isMissing(error)) return undefined
          throw error
        }
        return await head(to)
      }),
    remove: (at) =>
      named('removed', at, async () => void (await s3.send(new sdk.DeleteObjectCommand(namesOf(at))))),
  }
}

const namesOf = ({ bucket, key }: ObjectPlace) => ({ Bucket: bucket, Key: key })

/** Errors of the work name the object and what was tried. */
async function named<T>(
  what: ObjectRequest,
  { bucket, key }: ObjectPlace,
  work: () => Promise<T>,
): Promise<T> {
  try {
    return await work()
  } catch (error) {
    throw objectFailure(error, what, objectName(bucket, key))
  }
}

/** A request for what an object is gets no reason: a missing bucket looks like a missing object. */
function isMissing(error: unknown): boolean {
  return error instanceof Error && (error.name === 'NotFound' || error.name === 'NoSuchKey')
}

function isUnmet(error: unknown): boolean {
  return error instanceof Error && error.name === 'PreconditionFailed'
}

function unlessMissing(error: unknown): { Body?: undefined } {
  if (isMissing(error)) return {}
  throw error
}

/** Keys that end in a slash stand for folders and hold nothing. */
function listed(bucket: string, { Key, Size, ETag, LastModified }: _Object): StoredObject[] {
  if (Key === undefined || Key.endsWith('/')) return []
  return [{ bucket, key: Key, size: Size ?? 0, etag: ETag ?? '', modified: LastModified?.getTime() ?? 0 }]
}

/**
 * An ETag is the MD5 of what was stored in one piece and not encrypted with a key of the customer's; what this program has
 * stored says its SHA-256 itself.
 */
async function write(
  name: string,
  { size }: StoredObject,
  body: Readable,
  path: string,
  { md5, sha256 }: { md5?: string | undefined; sha256?: string },
): Promise<void> {
  const hash = createHash(sha256 === undefined ? 'md5' : 'sha256')
  const expected = sha256 ?? md5
  const file = await open(path, 'wx')
  try {
    let bytes = 0
    for await (const chunk of body) {
      hash.update(chunk)
      await file.write(chunk)
      bytes += chunk.length
    }
    if (bytes !== size) throw torn(name, size, bytes)
    if (expected !== undefined && expected !== hash.digest('hex')) {
      const what = sha256 === undefined ? 'MD5' : 'SHA-256'
      throw new Failure(
        'transient',
        `${name} did not arrive as it was stored: its ${what} is not ${expected}`,
        {
          evidence: { object: name },
        },
      )
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
