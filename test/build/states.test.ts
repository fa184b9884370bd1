import { readFileSync } from 'node:fs'
import { resolve } from 'node:path'
import { expect, test } from 'vitest'
import { statesPage } from '../../build/states.ts'

test('docs/states.md is made from the table of transitions: else run `npm run states`', () => {
  const page = readFileSync(resolve(import.meta.dirname, '../../docs/states.md'), 'utf8')
  expect(page).toBe(statesPage())
})
