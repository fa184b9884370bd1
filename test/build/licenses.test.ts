import { readFileSync } from 'node:fs'
import { resolve } from 'node:path'
import { expect, test } from 'vitest'
import { licensesOf, licensesPage } from '../../build/licenses.ts'

const read = (file: string) => readFileSync(resolve(import.meta.dirname, '../..', file), 'utf8')

test('the list of licences is that of the lock file: else run `npm run licenses`', () => {
  expect(read('THIRD-PARTY-LICENSES.md')).toBe(licensesPage(read('package-lock.json')))
})

test('every package may be used and passed on beside the Apache License', () => {
  const known =
    /^(?:MIT|MIT-0|ISC|0BSD|BSD-[23]-Clause|Apache-2\.0|BlueOak-1\.0\.0|MPL-2\.0|\(MIT OR CC0-1\.0\))$/
  const others = licensesOf(read('package-lock.json')).filter(({ license }) => !known.test(license))
  // The fonts' own: free to use, to change and to pass on, but for their name.
  expect(others.map(({ name }) => name)).toEqual(['dejavu-fonts-ttf'])
})

test('the licence of Nightshift is the one that package.json names', () => {
  expect(JSON.parse(read('package.json')).license).toBe('Apache-2.0')
  expect(read('LICENSE')).toMatch(/Apache License\s+Version 2\.0, January 2004/)
  expect(read('LICENSE')).toContain('END OF TERMS AND CONDITIONS')
})
