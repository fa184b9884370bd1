import { mkdirSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { expect, test } from 'vitest'
import { machineMemory } from '../../src/workers/machine-memory.ts'
import { makeFolder } from '../pipeline/feature-case.ts'

const GB = 1e9

/** A machine's /proc and /sys with these files. */
function machine(files: Record<string, string>): string {
  const root = makeFolder()
  for (const [path, text] of Object.entries(files)) {
    mkdirSync(dirname(join(root, path)), { recursive: true })
    writeFileSync(join(root, path), `${text}\n`)
  }
  return root
}

const least = (files: Record<string, string>) => machineMemory({ root: machine(files), total: 24 * GB })

test('without a control group it is the memory of the machine', () => {
  expect(least({})).toEqual({ bytes: 24 * GB, of: 'the machine' })
})

test('a control group of version 2 has the lowest limit of its own and of those above it', () => {
  const found = least({
    'proc/self/cgroup': '0::/system.slice/nightshift.service',
    'sys/fs/cgroup/system.slice/nightshift.service/memory.max': 'max',
    'sys/fs/cgroup/system.slice/memory.max': String(8 * GB),
    'sys/fs/cgroup/memory.max': String(12 * GB),
  })
  expect(found.bytes).toBe(8 * GB)
  expect(found.of).toMatch(/system\.slice\/memory\.max$/)
})

test('in a container of version 2 its group is the root', () => {
  expect(least({ 'proc/self/cgroup': '0::/', 'sys/fs/cgroup/memory.max': String(GB) }).bytes).toBe(GB)
})

test('of version 1 the group of the memory controller counts, also where only its root can be seen', () => {
  const cgroup = '5:cpu,cpuacct:/docker/abc\n4:memory:/docker/abc'
  const limit = 'memory.limit_in_bytes'
  expect(
    least({ 'proc/self/cgroup': cgroup, [`sys/fs/cgroup/memory/docker/abc/${limit}`]: String(2 * GB) }).bytes,
  ).toBe(2 * GB)
  expect(least({ 'proc/self/cgroup': cgroup, [`sys/fs/cgroup/memory/${limit}`]: String(3 * GB) }).bytes).toBe(
    3 * GB,
  )
})

test('a limit above the machine, as version 1 writes none, is no limit', () => {
  const files = {
    'proc/self/cgroup': '4:memory:/',
    'sys/fs/cgroup/memory/memory.limit_in_bytes': '9223372036854771712',
  }
  expect(least(files)).toEqual({ bytes: 24 * GB, of: 'the machine' })
})
