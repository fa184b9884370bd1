import { existsSync, mkdirSync, utimesSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { attemptFolder, partitionPath } from '../../src/pipeline/partition/partition-files.ts'
import { placeAttempt, removeAttempts, sweepAttempts } from '../../src/storage/warehouse-files.ts'
import { makeFolder } from '../pipeline/feature-case.ts'

function attempt(warehouse: string, name: string, text: string): string {
  const folder = attemptFolder(warehouse, name)
  mkdirSync(folder, { recursive: true })
  writeFileSync(join(folder, 'features.parquet'), text)
  return folder
}

it('leaves a zombie without its file', async () => {
  const warehouse = makeFolder()
  const zombie = attempt(warehouse, 'r1-a1', 'zombie')
  await removeAttempts(warehouse, ['r1-a1', 'never-was'])
  expect(await placeAttempt(zombie, partitionPath(warehouse, 'features', 'activity', '2026-11-22'))).toBe(
    false,
  )
  for (const name of ['', '.', '..', '../features', 'a/b'])
    await expect(removeAttempts(warehouse, [name])).rejects.toThrow('expected the name of an attempt')
})

it('sweeps attempts that nobody comes back to', async () => {
  const warehouse = makeFolder()
  const now = Date.now()
  attempt(warehouse, 'young-a1', 'x')
  for (const name of ['old-a1', 'alive-a1', 'monitor-old', 'at-work-a1']) {
    const folder = attempt(warehouse, name, 'x')
    utimesSync(folder, 0, now / 1000 - 7200)
    // What is written to is at work, however old its folder is.
    if (name !== 'at-work-a1') utimesSync(join(folder, 'features.parquet'), 0, now / 1000 - 7200)
  }
  expect(
    (await sweepAttempts(warehouse, { alive: new Set(['alive-a1']), now, olderThanMs: 3_600_000 })).sort(),
  ).toEqual(['monitor-old', 'old-a1'])
  expect(existsSync(attemptFolder(warehouse, 'young-a1'))).toBe(true)
  expect(await sweepAttempts(makeFolder(), { alive: new Set(), now, olderThanMs: 0 })).toEqual([])
})
