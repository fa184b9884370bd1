import { readFileSync, writeFileSync } from 'node:fs'
import { boundEngines, type EngineBounds, spilledBytes } from '../../pipeline/engine/engine-bounds.ts'
import type { Usage } from '../../pipeline/engine/facts.ts'

const LOOK_MS = 250

/**
 * Sets the bounds of a task in this process and follows what it uses. The returned function ends that and says it. Only Linux
 * says the peak of a process's memory since a moment; elsewhere it is what is held at the end.
 */
export function followUsage(bounds: EngineBounds | undefined): () => Usage {
  boundEngines(bounds)
  try {
    // The kernel's peak counts from here.
    writeFileSync('/proc/self/clear_refs', '5')
  } catch {}
  const timer = setInterval(spilledBytes, LOOK_MS)
  timer.unref()
  return () => {
    clearInterval(timer)
    return { memory: peakBytes(), limit: bounds?.memory ?? null, spilled: spilledBytes() }
  }
}

/** Without the programs and files that the process shares with others, some 100 MB, as `ownBytes` counts. */
function peakBytes(): number {
  try {
    const status = readFileSync('/proc/self/status', 'utf8')
    const kilobytes = (field: string) => Number(new RegExp(`^${field}:\\s+(\\d+) kB`, 'm').exec(status)?.[1])
    const peak = kilobytes('VmHWM') - kilobytes('RssFile') - kilobytes('RssShmem')
    if (peak > 0) return peak * 1024
  } catch {}
  return process.memoryUsage.rss()
}
