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
