import { statfsSync } from 'node:fs'
import { duration } from '../../format/elapsed.ts'
import { Failure } from '../../pipeline/engine/failure.ts'
import { type Amount, amountIn } from '../../project/amount.ts'
import { isObjectPath, localPattern } from '../../project/object-path.ts'
import type { Source } from '../../project/project.ts'
import { objectsWanted } from '../child/child-endings.ts'
import type { Children, TaskOptions } from '../child/children.ts'
import type { FactsOf, RequestOf, TaskName } from '../child/tasks.ts'
import { type Mirror, mirrorOf } from './mirror.ts'

/** Tasks that look whether something has changed, often: a listing of the last minute is good enough for them. */
const LOOKS: ReadonlySet<TaskName> = new Set([
  'listing',
  'staleness',
  'inputs',
  'describe',
  'labels',
  'metrics',
])
const LOOK_MS = 60_000
/** A task asks for the objects of one as-of after the other: from the second time on it gets all. */
const ASKED_SINGLY = 1

/**
 * Children whose tasks may name objects: the worker lists them, reads their footers and fetches those that the task asks for;
 * the task itself sees files, without network and credentials. Tasks without objects go through as they are.
 */
export function withObjects(
  children: Children,
  cache: () => Amount,
  mirror: (root: string) => Mirror = mirrorOf,
): Children {
  return {
    ...children,
    async run(task, request, options = {}) {
      const sources = objectSources(request)
      const root: unknown = Reflect.get(request, 'root')
      if (sources.length === 0 || typeof root !== 'string') return await children.run(task, request, options)
      return await runWith(mirror(root), { children, sources, root, cache }, task, request, options)
    },
  }
}

interface Objects {
  children: Children
  sources: Source[]
  root: string
  cache: () => Amount
}

async function runWith<Name extends TaskName>(
  mirror: Mirror,
  { children, sources, root, cache }: Objects,
  task: Name,
  request: RequestOf<Name>,
  options: TaskOptions,
): Promise<FactsOf<Name>> {
  const begun = performance.now()
  const { timeoutMs } = options
  const deadline = timeoutMs === undefined ? undefined : AbortSignal.timeout(Math.min(timeoutMs, 2 ** 31 - 1))
  const signals = [options.signal, deadline].filter((each) => each !== undefined)
  const signal = AbortSignal.any(signals)
  const releases: (() => void)[] = []
  const fetch = async (names: Iterable<string>) => {
    options.progress?.('fetching objects')
    releases.push(await mirror.fetch(names, { limitBytes: cacheBytes(cache(), root), signal }))
  }
  try {
    const maxAgeMs = LOOKS.has(task) ? LOOK_MS : 0
    for (const source of sources) {
      const whole =
        source.format !== undefined && source.format !== 'parquet' ? true : source.select !== undefined
      await mirror.update(source.path, { maxAgeMs, whole, signal })
      if (whole) await fetch(mirror.named(source.path))
    }
    const local = withLocalPaths(request)
    for (let asked = 0; ; asked++) {
      try {
        const left =
          timeoutMs === undefined ? {} : { timeoutMs: Math.max(1, timeoutMs - (performance.now() - begun)) }
        return await children.run(task, local, { ...options, ...left })
      } catch (error) {
        const wanted = objectsWanted(error)
        if (wanted === undefined || asked > ASKED_SINGLY) throw error
        await fetch(asked < ASKED_SINGLY ? wanted : sources.flatMap(({ path }) => mirror.named(path)))
      }
    }
  } catch (error) {
    if (deadline?.aborted === true && timeoutMs !== undefined && !options.signal?.aborted)
      throw new Failure('resource', `fetching its objects ran past the timeout of ${duration(timeoutMs)}`, {
        cause: error,
        evidence: { timeout_ms: timeoutMs, task, ended: 'timeout' },
      })
    throw error
  } finally {
    for (const release of releases) release()
  }
}

/** Sources within a request that lie in object storage. Lists hold records of files, never sources. */
function objectSources(value: unknown): Source[] {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return []
  if (isObjectSource(value)) return [value]
  return Object.values(value).flatMap(objectSources)
}

function withLocalPaths<T>(value: T): T
function withLocalPaths(value: unknown): unknown {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return value
  if (isObjectSource(value)) return { ...value, path: localPattern(value.path) }
  if (Object.getPrototypeOf(value) !== Object.prototype) return value
  return Object.fromEntries(Object.entries(value).map(([key, each]) => [key, withLocalPaths(each)]))
}

function isObjectSource(value: object): value is Source {
  return 'kind' in value && 'path' in value && typeof value.path === 'string' && isObjectPath(value.path)
}

/** A share is taken of what is free on the disk. */
function cacheBytes(cache: Amount, root: string): number {
  const { bavail, bsize } = statfsSync(root)
  return amountIn(cache, bavail * bsize)
}
