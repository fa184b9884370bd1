import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import type { Machine } from './machine.ts'
import { writePage } from './page.ts'
import type { SizeResult } from './rounds.ts'
import type { Section } from './rows.ts'

/** A measurement, and the same of the run before it: what two runs agree on is more than luck. */
export type Kept<Measurement> = Measurement & { before?: Measurement }
export type Size = SizeResult & { machine: Machine }

/** What `results.json` holds: sizes under their number of customers, other measurements under their names. */
export interface Results {
  [customers: `${number}`]: Kept<Size>
  small?: Kept<Section>
  load?: Kept<Section>
  commands?: Kept<Section>
  pages?: Kept<Section>
  sharing?: Kept<Section>
}

const FILE = fileURLToPath(new URL('./results.json', import.meta.url))

/** Adds results to those of earlier runs, each with what it was before, and writes the tables of docs/performance.md anew. */
export function keepResults(results: Results): void {
  const earlier: Results = existsSync(FILE) ? JSON.parse(readFileSync(FILE, 'utf8')) : {}
  const all = { ...earlier, ...withEarlier(results, earlier) }
  writeFileSync(FILE, `${JSON.stringify(all, null, 2)}\n`)
  writePage(all)
}

/** Of each measurement the one before it, and none before that. */
export function withEarlier(results: Results, earlier: Results): Results {
  return Object.fromEntries(
    Object.entries(results).map(([name, measured]) => {
      const { before: _, ...last } = Reflect.get(earlier, name) ?? {}
      return [name, Object.keys(last).length === 0 ? measured : { ...measured, before: last }]
    }),
  )
}

/** On the terminal: what each row came to. */
export function printSection({ rows }: Section): void {
  for (const { what, measured, target, met } of rows) {
    const verdict = target === '' ? '' : `; ${target}${met === false ? '  MISSED' : ''}`
    console.log(`${what}: ${measured}${verdict}`)
  }
}
