import { readdirSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { describe, expect, it } from 'vitest'
import { formatProblems } from '../../src/project/format-problems.ts'
import { loadProject } from '../../src/project/load.ts'

const cases = fileURLToPath(new URL('../cases/', import.meta.url))
const NOW = new Date('2026-11-22T12:00:00Z')
const CASES = [
  'as-designed',
  'broken-yaml',
  'calendar',
  'colliding-columns',
  'dangling-names',
  'misnamed',
  'missing-files',
  'misspelt-keys',
  'wrong-values',
]

describe('a broken project', () => {
  for (const name of CASES) {
    it(`tells all that is wrong at once: ${name}`, async () => {
      const { problems } = loadProject(`${cases}${name}`, { now: NOW })
      await expect(`${formatProblems(problems)}\n`).toMatchFileSnapshot(`${cases}${name}/expected.txt`)
    })
  }
})
