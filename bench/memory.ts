import { readdirSync, readFileSync } from 'node:fs'

const INTERVAL_MS = 50

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
      peak = Math.max(peak, total(mark, known))
      await new Promise((resolve) => setTimeout(resolve, INTERVAL_MS))
    }
  })()
  return async () => {
    over = true
    await watch
    return peak === 0 ? undefined : peak / 1e6
  }
}

function total(mark: string, known: Map<number, boolean>): number {
  const parents = new Map<number, number>()
  for (const pid of processes()) {
    const parent = parentOf(pid)
    if (parent !== undefined) parents.set(pid, parent)
  }
  for (const pid of known.keys()) if (!parents.has(pid)) known.delete(pid)
  for (const pid of parents.keys()) if (!known.get(pid)) known.set(pid, carries(pid, mark))
  const ours = (pid: number | undefined): boolean =>
    pid !== undefined && (known.get(pid) === true || ours(parents.get(pid)))
  let bytes = 0
  for (const pid of parents.keys()) if (ours(pid)) bytes += pss(pid)
  return bytes
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
