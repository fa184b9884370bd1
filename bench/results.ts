import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import type { Machine } from './machine.ts'
import { writePage } from './page.ts'
import type { SizeResult } from './rounds.ts'
import type { Section } from './rows.ts'

/** What `results.json` holds: sizes under their number of customers, other measurements under their names. */
export interface Results {
  [customers: `${number}`]: SizeResult & { machine: Machine }
  small?: Section
  load?: Section
  commands?: Section
  pages?: Section
  sharing?: Section
}

const FILE = fileURLToPath(new URL('./results.json', import.meta.url))

/** Adds results to those of earlier runs, and writes the tables of docs/performance.md anew. */
export function keepResults(results: Results): void {
  const before: Results = existsSync(FILE) ? JSON.parse(readFileSync(FILE, 'utf8')) : {}
  const all = { ...before, ...results }
  writeFileSync(FILE, `${JSON.stringify(all, null, 2)}\n`)
  writePage(all)
}

/** On the terminal: what each row came to. */
export function printSection({ rows }: Section): void {
  for (const { what, measured, target, met } of rows) {
    const verdict = target === '' ? '' : `; ${target}${met === false ? '  MISSED' : ''}`
    console.log(`${what}: ${measured}${verdict}`)
  }
}
