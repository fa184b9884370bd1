import { readdir } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { attemptId } from '../ledger/nights/run-records.ts'
import { sweepFolder } from '../pipeline/partition/leftovers.ts'
import { trimCopies } from '../storage/warehouse-copy.ts'
import { isStored, sweepAttempts } from '../storage/warehouse-files.ts'
import type { Context } from './context.ts'
import { cacheBytes } from './objects/with-objects.ts'
import { type Loop, startLoop } from './worker-loop.ts'

/** Longer than any step runs without writing; with EVERY_MS, leftovers are removed within an hour. */
const OLD_MS = 45 * 60_000
const EVERY_MS = 10 * 60_000

/** Work folders of comparisons, descriptions and trials, as mkdtemp names them. */
const TEMPORARY =
  /^nightshift-(?:task|explain|evaluate|trial|baseline|stale|parity|replay|leaks|describe|inputs|metrics|figures)-\w{6}$/
/** An unfinished training set, stored next to the finished ones. */
const BUILDING = /^\.building-\w{6}$/

/** Sweeps now and then every ten minutes. */
export function sweepRegularly(context: Context): Loop {
  const onError = (error: unknown) =>
    context.log.warn(
      `sweeping: ${error instanceof Error ? error.message : String(error)}; retrying in 10 min`,
    )
  return startLoop(
    async () => {
      await sweepLeftovers(context)
      return undefined
    },
    { everyMs: EVERY_MS, onError },
  )
}

/**
 * Removes leftovers of dead workers and commands: folders of attempts that are neither active nor may be released, folders of checks,
 * unfinished training sets, and work folders on the machine's temporary disk.
 */
export async function sweepLeftovers(
  context: Pick<Context, 'database' | 'warehouse' | 'log' | 'project'>,
  { now = Date.now(), temporary = tmpdir() } = {},
): Promise<void> {
  const { rows } = await context.database.pool.query<{ id: string; attempt: number }>(
    `select r.id, r.attempt from nightshift.runs r join nightshift.slots s on s.id = r.slot
      where r.state in ('running', 'publishing') or (r.state = 'held' and s.run = r.id)`,
  )
  const alive = new Set(rows.map(({ id, attempt }) => attemptId(id, attempt)))
  const age = { now, olderThanMs: OLD_MS }
  if (isStored(context.warehouse)) {
    const { root, objects } = context.project()
    await trimCopies(context.warehouse, cacheBytes(objects, root))
  }
  const swept = await sweepAttempts(context.warehouse, { alive, ...age })
  const datasets = join(context.warehouse, 'datasets')
  for (const model of await readdir(datasets).catch(() => [])) {
    swept.push(
      ...(await sweepFolder(join(datasets, model), { meant: (name) => BUILDING.test(name), ...age })),
    )
  }
  swept.push(...(await sweepFolder(temporary, { meant: (name) => TEMPORARY.test(name), ...age })))
  if (swept.length > 0) context.log.info({ swept }, 'removed leftovers of ended work')
}
