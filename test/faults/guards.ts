import { spawnSync } from 'node:child_process'
import { cpSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'

const ROOT = resolve(import.meta.dirname, '../..')

/** Something that a promise stands on, how to take it away from the program, and who has to notice. */
export interface Guard {
  name: string
  promise: string
  /** Below src/. */
  file: string
  /** Occurs once in the file. */
  code: string
  without: string
  /** The test that has to fail. */
  checker: { file: string; name: string }
}

export const GUARDS: Guard[] = [
  {
    name: 'the fence',
    promise: 'at most one commit of a partition; a late one is refused',
    file: 'ledger/nights/attempt-records.ts',
    code: `select r.state = 'running' and r.fence = $2 and s.run = r.id as holds`,
    without: `select $2::bigint is not null as holds`,
    checker: { file: 'test/faults/many-attempts.test.ts', name: 'of eight attempts' },
  },
  {
    name: 'the sync',
    promise: 'a published partition is whole after a power cut',
    file: 'pipeline/partition/sync.ts',
    code: '    await handle.sync()\n  } finally {\n    await handle.close()\n  }\n}\n\n/** Waits until a folder',
    without: '  } finally {\n    await handle.close()\n  }\n}\n\n/** Waits until a folder',
    checker: { file: 'test/faults/synced.test.ts', name: 'on the disk' },
  },
  {
    name: 'the outbox',
    promise: 'no mail is lost while the mail server is away',
    file: 'alerts/delivery/outbox.ts',
    code: 'const gaveUp = now.getTime() - mail.createdAt.getTime() >= GIVE_UP_AFTER',
    without: 'const gaveUp = true',
    checker: { file: 'test/faults/mail-away.test.ts', name: 'the mail server is away' },
  },
  {
    name: 'the lease',
    promise: 'what a worker has let go of is finished by itself',
    file: 'jobs/planning/open-runs.ts',
    code: 'return worker?.silent_ms === undefined || worker.silent_ms > LOST_MS',
    without: 'return false',
    checker: { file: 'test/faults/ledger-away.test.ts', name: 'between commit and rename' },
  },
  {
    name: 'the lease of a shard',
    promise: 'a night in shards goes on when one of its workers is lost',
    file: 'ledger/shards/claim-shard.ts',
    code: `if (shard.state === 'running' && shard.silent_ms <= SHARD_LOST_MS)`,
    without: `if (shard.state === 'running')`,
    checker: { file: 'test/faults/killed-shard.test.ts', name: 'another worker goes on' },
  },
  {
    name: 'the fence, in a bucket',
    promise: 'a worker that was taken for lost commits nothing',
    file: 'ledger/nights/attempt-records.ts',
    code: `select r.state = 'running' and r.fence = $2 and s.run = r.id as holds`,
    without: `select $2::bigint is not null as holds`,
    checker: { file: 'test/faults/damaged-objects.test.ts', name: 'that comes back late' },
  },
  {
    name: 'the reading back of what was sent',
    promise: 'no partition is published that the storage keeps otherwise than it was written',
    file: 'storage/warehouse-files.ts',
    code: '  if (stored === sha256) return\n',
    without: "  if (stored !== '') return\n",
    checker: { file: 'test/faults/damaged-objects.test.ts', name: 'stored otherwise than it was sent' },
  },
  {
    name: 'the hash of what arrives',
    promise: 'no object is used that arrives otherwise than it was stored',
    file: 'storage/object-store.ts',
    code: `if (expected !== undefined && expected !== hash.digest('hex')) {`,
    without: 'if (bytes < 0) {',
    checker: { file: 'test/faults/damaged-objects.test.ts', name: 'arrives otherwise than it was stored' },
  },
  {
    name: 'the ETag of what was listed',
    promise: 'no night mixes what was listed with what is there now',
    file: 'storage/object-store.ts',
    code: 'if (answer.ETag === undefined || answer.ETag === etag) return answer',
    without: 'return answer',
    checker: { file: 'test/faults/damaged-objects.test.ts', name: 'between its listing and its read' },
  },
  {
    name: "the removal of a zombie's object",
    promise: 'a copy that arrives late replaces nothing',
    file: 'storage/warehouse-files.ts',
    code: '  for await (const page of store.list(place.bucket, place.prefix))\n    await inParallel(page, REQUESTS_AT_ONCE, (object) => store.remove(object))\n',
    without: '',
    checker: { file: 'test/faults/warehouse-in-a-bucket.test.ts', name: 'a copy that arrives late' },
  },
  {
    name: 'the sample of entities of a shard',
    promise: 'no shard publishes a row that depends on rows of other entities',
    file: 'pipeline/shards/prove-entities.ts',
    code: 'if (difference === undefined) return Number(sampled)',
    without: 'return Number(sampled)',
    checker: { file: 'test/pipeline/shards/join-features.test.ts', name: 'computing some of them alone' },
  },
  {
    name: 'the entities of all shards',
    promise: 'no row is computed of a part of its entity, the rest of which lies in another bucket',
    file: 'pipeline/shards/shard-entities.ts',
    code: 'if (Number(several) === 0) return',
    without: 'return',
    checker: {
      file: 'test/pipeline/shards/join-features.test.ts',
      name: 'in buckets of different functions of it',
    },
  },
  {
    name: 'the comparison of shards with each other',
    promise: 'an entity whose buckets are in different shards is found when they are joined',
    file: 'pipeline/shards/join-features.ts',
    code: 'expectDisjoint(engine, entities, { entity: view.entity, bucketed: division.bucketed }),',
    without: 'Promise.resolve(),',
    checker: {
      file: 'test/pipeline/shards/join-features.test.ts',
      name: 'in buckets of different functions of it',
    },
  },
]

/** The code without its guard. Throws where the guard is not there exactly once: then the program has changed. */
export function withoutGuard(code: string, guard: Guard): string {
  const found = code.split(guard.code).length - 1
  if (found !== 1) {
    throw new Error(
      `${guard.name}: expected this code once in src/${guard.file}, found it ${found} times: ${guard.code}`,
    )
  }
  return code.replace(guard.code, () => guard.without)
}

/** A copy of the program, without a guard where one is given, bundled. Returns its `dist` and its release. */
export function copyProgram(guard?: Guard): { dist: string; remove(): void } {
  const folder = mkdtempSync(join(tmpdir(), 'nightshift-test-'))
  const [src, dist] = [join(folder, 'src'), join(folder, 'dist')]
  cpSync(join(ROOT, 'src'), src, { recursive: true })
  cpSync(join(ROOT, 'schemas'), join(folder, 'schemas'), { recursive: true })
  cpSync(join(ROOT, 'package.json'), join(folder, 'package.json'))
  symlinkSync(join(ROOT, 'node_modules'), join(folder, 'node_modules'))
  if (guard !== undefined) {
    const path = join(src, guard.file)
    writeFileSync(path, withoutGuard(readFileSync(path, 'utf8'), guard))
  }
  const remove = () => rmSync(folder, { recursive: true, force: true })
  const bundled = spawnSync(process.execPath, ['build/build.js', '--from', src, '--to', dist], {
    cwd: ROOT,
    encoding: 'utf8',
  })
  if (bundled.status !== 0) {
    remove()
    throw new Error(`the copy cannot be bundled:\n${bundled.stderr}`)
  }
  return { dist, remove }
}
