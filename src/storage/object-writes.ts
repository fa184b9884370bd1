import { open } from 'node:fs/promises'
import type { S3Client } from '@aws-sdk/client-s3'
import { Failure } from '../pipeline/engine/failure.ts'
import { type ObjectPlace, objectName } from '../project/object-path.ts'
import { inParallel } from './in-parallel.ts'

type Sdk = typeof import('@aws-sdk/client-s3')

/** One request carries at most this many bytes of a file; larger files go in parts. */
const PART = 16 * 1024 * 1024
/** One request copies at most this many bytes on the server; Amazon refuses more than 5 GB. */
const COPY = 1024 * 1024 * 1024
const PARTS_AT_ONCE = 4
/** Amazon accepts 10,000 parts. */
const MOST_PARTS = 9_000

/** Sizes of requests; smaller in tests. */
export interface PartSizes {
  part: number
  copy: number
}

export const USUAL_PARTS: PartSizes = { part: PART, copy: COPY }

/** Key of an object's metadata with its SHA-256, hexadecimal: an ETag says little of an object that came in parts. */
export const SHA256 = 'sha256'

/** Stores a file under a key. Whoever reads the key sees the old object or the new one, whole. The SDK sends a CRC32 with each request. */
export async function putFile(
  sdk: Sdk,
  s3: S3Client,
  path: string,
  at: ObjectPlace,
  {
    size,
    sha256,
    sizes,
    signal,
  }: { size: number; sha256: string; sizes: PartSizes; signal?: AbortSignal | undefined },
): Promise<void> {
  const names = { Bucket: at.bucket, Key: at.key }
  const about = { Metadata: { [SHA256]: sha256 } }
  const options = signal === undefined ? {} : { abortSignal: signal }
  const file = await open(path, 'r')
  const read = async (start: number, length: number) => {
    const buffer = new Uint8Array(length)
    const { bytesRead } = await file.read(buffer, 0, length, start)
    if (bytesRead === length) return buffer
    throw new Failure('resource', `${path}: expected ${size} bytes, got: ${start + bytesRead}`)
  }
  try {
    if (size <= sizes.part) {
      await s3.send(new sdk.PutObjectCommand({ ...names, ...about, Body: await read(0, size) }), options)
      return
    }
    await inParts(
      sdk,
      s3,
      { ...names, ...about },
      { size, most: sizes.part },
      async (upload, start, length) => {
        const body = await read(start, length)
        const { ETag } = await s3.send(
          new sdk.UploadPartCommand({ ...names, ...upload, Body: body }),
          options,
        )
        return ETag
      },
    )
  } finally {
    await file.close()
  }
}

/** Copies an object within the storage, with its SHA-256. Fails with `PreconditionFailed` or `NoSuchKey` where it is another one now. */
export async function copyObject(
  sdk: Sdk,
  s3: S3Client,
  from: ObjectPlace & { size: number; etag: string; sha256: string | undefined },
  to: ObjectPlace,
  sizes: PartSizes,
  isConditional = true,
): Promise<void> {
  const names = { Bucket: to.bucket, Key: to.key }
  const source = {
    CopySource: `${from.bucket}/${from.key.split('/').map(encoded).join('/')}`,
    ...(isConditional ? { CopySourceIfMatch: from.etag } : {}),
  }
  if (from.size <= sizes.copy) {
    await s3.send(new sdk.CopyObjectCommand({ ...names, ...source }))
    return
  }
  const about = from.sha256 === undefined ? {} : { Metadata: { [SHA256]: from.sha256 } }
  await inParts(
    sdk,
    s3,
    { ...names, ...about },
    { size: from.size, most: sizes.copy },
    async (upload, start, length) => {
      const range = `bytes=${start}-${start + length - 1}`
      const { CopyPartResult } = await s3.send(
        new sdk.UploadPartCopyCommand({ ...names, ...source, ...upload, CopySourceRange: range }),
      )
      return CopyPartResult?.ETag
    },
  )
}

/** Makes an object of parts, each sent or copied by `send`, which returns its ETag. What fails leaves nothing. */
async function inParts(
  sdk: Sdk,
  s3: S3Client,
  target: { Bucket: string; Key: string; Metadata?: Record<string, string> },
  { size, most }: { size: number; most: number },
  send: (
    upload: { UploadId: string; PartNumber: number },
    start: number,
    length: number,
  ) => Promise<string | undefined>,
): Promise<void> {
  const names = { Bucket: target.Bucket, Key: target.Key }
  const { UploadId } = await s3.send(new sdk.CreateMultipartUploadCommand(target))
  if (UploadId === undefined)
    throw new Failure(
      'transient',
      `${objectName(target.Bucket, target.Key)}: the storage gave its upload no id`,
    )
  try {
    const length = Math.max(most, Math.ceil(size / MOST_PARTS))
    const count = Math.ceil(size / length)
    const parts: { PartNumber: number; ETag: string | undefined }[] = []
    await inParallel(Array(count).keys(), PARTS_AT_ONCE, async (index) => {
      const start = index * length
      const upload = { UploadId, PartNumber: index + 1 }
      const ETag = await send(upload, start, Math.min(length, size - start))
      parts[index] = { PartNumber: index + 1, ETag }
    })
    await s3.send(
      new sdk.CompleteMultipartUploadCommand({ ...names, UploadId, MultipartUpload: { Parts: parts } }),
    )
  } catch (error) {
    await s3.send(new sdk.AbortMultipartUploadCommand({ ...names, UploadId })).catch(() => {})
    throw error
  }
}

/** Of a key's part in the name of a source. `=`, which need not be, is not encoded: some storages would not decode it. */
function encoded(name: string): string {
  return encodeURIComponent(name).replaceAll('%3D', '=')
}
