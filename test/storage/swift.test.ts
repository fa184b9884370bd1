import { createHash } from 'node:crypto'
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { CreateBucketCommand, S3Client } from '@aws-sdk/client-s3'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { attemptFolder, partitionPath } from '../../src/pipeline/partition/partition-files.ts'
import { warehouseFolder } from '../../src/project/object-path.ts'
import { openObjectStore } from '../../src/storage/object-store.ts'
import { lookAtPublished } from '../../src/storage/published-file.ts'
import { tryWarehouse } from '../../src/storage/try-objects.ts'
import { fetchFile } from '../../src/storage/warehouse-copy.ts'
import { placeAttempt, sendFile } from '../../src/storage/warehouse-files.ts'
import { makeFolder } from '../pipeline/feature-case.ts'
import { inEnvironment } from './in-environment.ts'
import { hasSwift, startSwift } from './swift-server.ts'

let swift: Awaited<ReturnType<typeof startSwift>> | undefined
let leave = () => {}
beforeAll(async () => {
  if (!hasSwift) return
  swift = await startSwift()
  leave = inEnvironment({ ...swift.env, AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED: 'true' })
  const client = new S3Client({ forcePathStyle: true })
  await client.send(new CreateBucketCommand({ Bucket: 'nights' }))
  client.destroy()
})
afterAll(async () => {
  leave()
  await swift?.close()
})

const sha256 = (body: string) => createHash('sha256').update(body).digest('hex')

test.skipIf(!hasSwift)('a second implementation of S3 keeps what a night needs of a bucket', async () => {
  const warehouse = warehouseFolder(makeFolder(), 's3://nights/churn')
  expect(await tryWarehouse(warehouse)).toContain('can be listed, read, written')
  const target = partitionPath(warehouse, 'scores', 'churn', '2026-11-22')
  const file = join(attemptFolder(warehouse, 'r1-a1'), 'scores.parquet')
  mkdirSync(dirname(file), { recursive: true })
  writeFileSync(file, 'scores')
  await sendFile(file)
  expect(await placeAttempt(dirname(file), target)).toBe(true)
  expect(await placeAttempt(dirname(file), target)).toBe(false)
  const other = partitionPath(
    warehouseFolder(makeFolder(), 's3://nights/churn'),
    'scores',
    'churn',
    '2026-11-22',
  )
  expect(readFileSync(await fetchFile(other.file), 'utf8')).toBe('scores')
  const says = { run: 'r1', sha256: sha256('scores'), stamp: null }
  expect((await lookAtPublished(other.file, says, { fully: true })).state).toBe('right')

  // Parts have 5 MB at least, also here.
  const store = await openObjectStore({ part: 5_500_000, copy: 5_600_000 })
  const body = 'abcdefg'.repeat(1_600_000)
  const [path, fetched] = ['large', 'fetched'].map((name) => join(makeFolder(), name))
  if (path === undefined || fetched === undefined) throw new Error('two paths')
  writeFileSync(path, body)
  const [from, to] = [
    { bucket: 'nights', key: 'a' },
    { bucket: 'nights', key: 'b/c d=e' },
  ]
  await store.put(path, from, { size: body.length, sha256: sha256(body) })
  const stored = await store.head(from)
  const copied = stored && (await store.copy(stored, to))
  expect(copied).toMatchObject({ size: body.length, sha256: sha256(body) })
  if (copied !== undefined) await store.download(copied, fetched)
  expect(sha256(readFileSync(fetched, 'utf8'))).toBe(sha256(body))
  expect(await store.folders('nights', '')).toEqual(['b', 'churn'])
})
