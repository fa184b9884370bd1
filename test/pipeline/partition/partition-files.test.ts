import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import {
  attemptFolder,
  moveIntoPlace,
  partitionPath,
  shadowPath,
} from '../../../src/pipeline/partition/partition-files.ts'
import { makeFolder } from '../feature-case.ts'

function attempt(warehouse: string, name: string, text: string): string {
  const folder = attemptFolder(warehouse, name)
  mkdirSync(folder, { recursive: true })
  writeFileSync(join(folder, 'features.parquet'), text)
  return folder
}

it('names partitions as readers glob them', () => {
  expect(partitionPath('/w', 'features', 'activity', '2026-11-22').file).toBe(
    '/w/features/activity/as_of=2026-11-22/features.parquet',
  )
  expect(partitionPath('/w', 'scores', 'churn', '2026-11-22T03Z').file).toBe(
    '/w/scores/churn/as_of=2026-11-22T03Z/scores.parquet',
  )
  expect(shadowPath('/w', 'churn', 2, '2026-11-22').file).toBe(
    '/w/shadow/churn/challenger=2/as_of=2026-11-22/scores.parquet',
  )
  expect(attemptFolder('/w', '01JD-a2')).toBe('/w/.attempts/01JD-a2')
})

it('moves an attempt over what was published, once', async () => {
  const warehouse = makeFolder()
  const target = partitionPath(warehouse, 'features', 'activity', '2026-11-22')
  const first = attempt(warehouse, 'r1-a1', 'old')
  expect(await moveIntoPlace(first, target)).toBe(true)
  const second = attempt(warehouse, 'r2-a1', 'new')
  expect(await moveIntoPlace(second, target)).toBe(true)
  expect(readFileSync(target.file, 'utf8')).toBe('new')
  expect(existsSync(second)).toBe(false)
  expect(await moveIntoPlace(second, target)).toBe(false)
  expect(readFileSync(target.file, 'utf8')).toBe('new')
})
