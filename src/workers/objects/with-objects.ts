import { setMaxListeners } from 'node:events'
import { existsSync, statfsSync } from 'node:fs'
import { duration } from '../../format/elapsed.ts'
import { Failure } from '../../pipeline/engine/failure.ts'
import { type Amount, amountIn } from '../../project/amount.ts'
import { isObjectPath, localPattern, shownWarehouse } from '../../project/object-path.ts'
import type { Source } from '../../project/project.ts'
import { type Mirror, mirrorOf } from '../../storage/mirror.ts'
import { filesRead, missingFile } from '../../storage/missing-file.ts'
import { fetchFiles } from '../../storage/warehouse-copy.ts'
import { isStored } from '../../storage/warehouse-files.ts'
import { objectsWanted } from '../child/child-endings.ts'
import type { Children, TaskOptions } from '../child/children.ts'
import type { FactsOf, RequestOf, TaskName } from '../child/tasks.ts'

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
  { warehouse = '', mirror = mirrorOf }: { warehouse?: string; mirror?: (root: string) => Mirror } = {},
): Children {
  const stored = isStored(warehouse)
  return {
    ...children,
    async run(task, request, options = {}) {
      const sources = objectSources(request)
      const files = [...new Set(filesRead(request, warehouse))]
      const published = stored ? files : []
      const root: unknown = Reflect.get(request, 'root')
      const here = typeof root === 'string' && sources.length > 0 ? { root, mirror: mirror(root) } : undefined
      try {
        if (here === undefined && published.length === 0) return await children.run(task, request, options)
        return await runWith({ children, published, sources, here, cache }, task, request, options)
      } catch (error) {
        throw inKnownNames(error, warehouse, files)
      }
    },
  }
}

/** An error of a task names files as people know them, and says of one that is gone what puts it back. */
function inKnownNames(error: unknown, warehouse: string, files: string[]): unknown {
  if (!(error instanceof Failure) || files.length === 0) return error
  const gone = files.find((path) => error.message.includes(path) && !existsSync(path))
  const named = <T>(value: T): T =>
    isStored(warehouse) ? JSON.parse(inNames(JSON.stringify(value), files)) : value
  const message = gone === undefined ? named(error.message) : missingFile(warehouse, gone)
  if (message === error.message) return error
  const evidence = {
    ...named(error.evidence),
    ...(gone === undefined ? {} : { missing: shownWarehouse(gone) }),
  }
  return new Failure(error.failureClass, message, { cause: error, evidence })
}

function inNames(text: string, files: string[]): string {
  return files.reduce((named, path) => named.replaceAll(path, shownWarehouse(path)), text)
}

interface Objects {
  children: Children
  /** Files of the warehouse. */
  published: string[]
  /** With their names. */
  sources: [string, Source][]
  /** Where sources in object storage are kept; undefined where there are none. */
  here: { root: string; mirror: Mirror } | undefined
  cache: () => Amount
}

async function runWith<Name extends TaskName>(
  { children, published, sources, here, cache }: Objects,
  task: Name,
  request: RequestOf<Name>,
  options: TaskOptions,
): Promise<FactsOf<Name>> {
  const begun = performance.now()
  const { timeoutMs } = options
  const deadline =
    timeoutMs === undefined ? undefined : AbortSignal.timeout(Math.min(Math.ceil(timeoutMs), 2 ** 31 - 1))
  const signals = [options.signal, deadline].filter((each) => each !== undefined)
  const signal = AbortSignal.any(signals)
  // Each request listens, and there are many at once.
  setMaxListeners(0, signal)
  const releases: (() => void)[] = []
  const fetch = async ({ root, mirror }: NonNullable<Objects['here']>, names: Iterable<string>) => {
    options.progress?.('fetching objects')
    releases.push(await mirror.fetch(names, { limitBytes: cacheBytes(cache(), root), signal }))
  }
  try {
    await fetchFiles(published, { signal })
    const maxAgeMs = LOOKS.has(task) ? LOOK_MS : 0
    for (const [name, { path, format, select }] of sources) {
      if (here === undefined) break
      const whole = (format !== undefined && format !== 'parquet') || select !== undefined
      await here.mirror.update(path, { maxAgeMs, whole, signal }).catch((error: unknown) => {
        throw ofSource(name, error)
      })
      if (whole) await fetch(here, here.mirror.named(path))
    }
    const local = here === undefined ? request : withLocalPaths(request)
    for (let asked = 0; ; asked++) {
      try {
        const left =
          timeoutMs === undefined ? {} : { timeoutMs: Math.max(1, timeoutMs - (performance.now() - begun)) }
        return await children.run(task, local, { ...options, ...left })
      } catch (error) {
        const wanted = objectsWanted(error)
        if (here === undefined || wanted === undefined || asked > ASKED_SINGLY) throw error
        const all = () => sources.flatMap(([, { path }]) => here.mirror.named(path))
        await fetch(here, asked < ASKED_SINGLY ? wanted : all())
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
function objectSources(value: unknown, name = ''): [string, Source][] {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return []
  if (isObjectSource(value)) return [[name, value]]
  return Object.entries(value).flatMap(([key, each]) => objectSources(each, key))
}

/** What went wrong with a path, as what went wrong with files: by the name that view.yaml gives it. */
function ofSource(name: string, error: unknown): unknown {
  if (!(error instanceof Failure)) return error
  const { failureClass, message, evidence } = error
  return new Failure(failureClass, `source ${name}: ${message}`, { cause: error, evidence })
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
export function cacheBytes(cache: Amount, root: string): number {
  const { bavail, bsize } = statfsSync(root)
  return amountIn(cache, bavail * bsize)
}
