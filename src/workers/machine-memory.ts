import { readFileSync } from 'node:fs'
import { totalmem } from 'node:os'
import { dirname, join } from 'node:path'

export interface MachineMemory {
  bytes: number
  /** Where the number comes from, as people are told: `the machine`, or the control group's file. */
  of: string
}

/**
 * Memory that this process and its children may use, in bytes: that of the machine, or less where a control group
 * (version 1 or 2), its own or one above it, has a lower limit. `root` is where /proc and /sys are found.
 */
export function machineMemory({ root = '/', total = totalmem() } = {}): MachineMemory {
  const limits = groupFiles(root).flatMap((file) => {
    const bytes = Number(read(file))
    // `max` is no limit, and version 1 says so by a number near 2^63.
    return Number.isFinite(bytes) && bytes > 0 && bytes < total ? [{ bytes, of: file }] : []
  })
  return limits.reduce((least, each) => (each.bytes < least.bytes ? each : least), {
    bytes: total,
    of: 'the machine',
  })
}

/** Files with the limits of this process's groups. Within a container the group's own path may not exist there. */
function groupFiles(root: string): string[] {
  const lines = (read(join(root, 'proc/self/cgroup')) ?? '').split('\n')
  return lines.flatMap((line) => {
    const [, controllers, path] = /^\d+:([^:]*):(\/.*)$/.exec(line) ?? []
    if (controllers === undefined || path === undefined) return []
    if (controllers === '') {
      return upwards(path).map((group) => join(root, 'sys/fs/cgroup', group, 'memory.max'))
    }
    if (!controllers.split(',').includes('memory')) return []
    return upwards(path).map((group) => join(root, 'sys/fs/cgroup/memory', group, 'memory.limit_in_bytes'))
  })
}

/** A path and all above it. */
function upwards(path: string): string[] {
  const above = dirname(path)
  return above === path ? [path] : [path, ...upwards(above)]
}

function read(file: string): string | undefined {
  try {
    return readFileSync(file, 'utf8').trim()
  } catch {
    return undefined
  }
}
