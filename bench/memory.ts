import { readdirSync, readFileSync } from 'node:fs'

const INTERVAL_MS = 50
/** Of /proc: the same on every Linux that Node runs on. */
const TICKS_A_SECOND = 100

/** Environment variable by which processes of one measurement are known: whatever they start inherits it. */
export const MARK = 'NIGHTSHIFT_BENCH'

/**
 * Watches the memory of all processes that carry `mark` in their environment, and of what those have started
 * (PostgreSQL's servers overwrite theirs). Memory is PSS: what several share counts once. Reading it makes the kernel
 * walk all pages, some 10 ms a process, so rounds that are timed are not watched. Linux only.
 * @returns a function that ends the watch and gives the peak in MB (10^6), undefined where /proc is missing
 */
export function watchMemory(mark: string): () => Promise<number | undefined> {
  const known = new Map<number, boolean>()
  let peak = 0
  let over = false
  const watch = (async () => {
    while (!over) {
      peak = Math.max(peak, sum(mark, known, pss))
      await new Promise((resolve) => setTimeout(resolve, INTERVAL_MS))
    }
  })()
  return async () => {
    over = true
    await watch
    return peak === 0 ? undefined : peak / 1e6
  }
}

/** What all marked processes hold now, in MB (10^6). */
export function memoryNow(mark: string): number {
  return sum(mark, new Map(), pss) / 1e6
}

/**
 * Processor seconds, user and system, that the marked processes have used so far, with those of their children that
 * have ended. A figure that a busy machine distorts less than the clock on the wall.
 */
export function processorSeconds(mark: string): number {
  return sum(mark, new Map(), (pid) => ticks(pid, 11, 15) / TICKS_A_SECOND)
}

/** Of the children of this process that have ended, and of theirs. */
export function processorSecondsOfChildren(): number {
  return ticks(process.pid, 13, 15) / TICKS_A_SECOND
}

/** Sum of fields of /proc/PID/stat, counted from the state: user, system, and both of ended children, from 11. */
function ticks(pid: number, from: number, to: number): number {
  const fields = read(`/proc/${pid}/stat`)
    .replace(/^.*\) /s, '')
    .split(' ')
  return fields.slice(from, to).reduce((total, each) => total + Number(each), 0)
}

function sum(mark: string, known: Map<number, boolean>, of: (pid: number) => number): number {
  const parents = new Map<number, number>()
  for (const pid of processes()) {
    const parent = parentOf(pid)
    if (parent !== undefined) parents.set(pid, parent)
  }
  for (const pid of known.keys()) if (!parents.has(pid)) known.delete(pid)
  for (const pid of parents.keys()) if (!known.get(pid)) known.set(pid, carries(pid, mark))
  const ours = (pid: number | undefined): boolean =>
    pid !== undefined && (known.get(pid) === true || ours(parents.get(pid)))
  let total = 0
  for (const pid of parents.keys()) if (ours(pid)) total += of(pid)
  return total
}

function processes(): number[] {
  try {
    return readdirSync('/proc').map(Number).filter(Number.isInteger)
  } catch {
    return []
  }
}

/** Processes come and go: what cannot be read is gone. */
function read(path: string): string {
  try {
    return readFileSync(path, 'utf8')
  } catch {
    return ''
  }
}

function parentOf(pid: number): number | undefined {
  // The name stands in parentheses and may hold any character.
  const parent = /.*\) \S (\d+)/s.exec(read(`/proc/${pid}/stat`))?.[1]
  return parent === undefined || parent === '0' ? undefined : Number(parent)
}

function carries(pid: number, mark: string): boolean {
  return read(`/proc/${pid}/environ`).split('\0').includes(`${MARK}=${mark}`)
}

function pss(pid: number): number {
  return 1024 * Number(/^Pss:\s+(\d+) kB/m.exec(read(`/proc/${pid}/smaps_rollup`))?.[1] ?? 0)
}
