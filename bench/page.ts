import { readFileSync, writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import type { Machine } from './machine.ts'
import type { Kept, Results, Size } from './results.ts'
import type { SizeResult } from './rounds.ts'
import type { Row, Section } from './rows.ts'
import { counted, megabytes, seconds, times } from './rows.ts'

const PAGE = fileURLToPath(new URL('../docs/performance.md', import.meta.url))

/** Writes the tables of docs/performance.md anew from what `results.json` holds. The text around them stays. */
export function writePage(results: Results): void {
  writeFileSync(PAGE, pageWith(readFileSync(PAGE, 'utf8'), results))
}

/** Throws where the page has no place for a section: the lines `<!-- NAME -->` and `<!-- end of NAME -->`. */
export function pageWith(page: string, results: Results): string {
  let text = page
  for (const [name, table] of Object.entries(tablesOf(results))) {
    const [begin, end] = [`<!-- ${name} -->\n`, `<!-- end of ${name} -->`]
    const [from, to] = [text.indexOf(begin), text.indexOf(end)]
    if (from < 0 || to < from)
      throw new Error(`expected the lines ${begin.trim()} and ${end} in docs/performance.md`)
    text = `${text.slice(0, from + begin.length)}\n${table}\n${text.slice(to)}`
  }
  return text
}

function tablesOf(results: Results): Record<string, string> {
  const { small, load, commands, pages, sharing, ...rest } = results
  const sizes = Object.entries(rest).flatMap(([customers, result]) =>
    typeof result === 'object' && 'limit_seconds' in result ? [{ customers: Number(customers), result }] : [],
  )
  const sections = { small, load, commands, pages, sharing }
  return {
    sizes: [...sizes.map(({ customers, result }) => sizeTable(customers, result)), ...growth(results)].join(
      '\n',
    ),
    ...Object.fromEntries(
      Object.entries(sections).flatMap(([name, section]) =>
        section === undefined ? [] : [[name, sectionTable(section)]],
      ),
    ),
  }
}

function sizeTable(customers: number, { before, ...result }: Kept<Size>): string {
  const section = (size: Size) => ({ machine: size.machine, rows: sizeRows(customers, size) })
  const kept = { ...section(result), ...(before && { before: section(before) }) }
  return `### ${counted(customers)} customers\n\n${sectionTable(kept)}`
}

/** What steps behind features.sql take of a row's time, at both ends: nothing there may grow faster than the rows. */
function growth(results: Results): string[] {
  const [small, large] = [results['1000000'], results['10000000']]
  if (small === undefined || large === undefined) return []
  const [before, after] = [afterFeatures(small) / 1e6, afterFeatures(large) / 1e7]
  const micro = (value: number) => `${(value * 1e6).toFixed(2)} µs`
  return [
    `Steps after features.sql (checks, reading back, comparing, scoring, writing) take ${micro(before)} a row at 1,000,000 customers and ${micro(after)} at 10,000,000: ${times(after / before)} (at most ${times(MOST_GROWTH)}).\n`,
  ]
}

const MOST_GROWTH = 1.1

/** Seconds of a night behind the writing of its features. */
function afterFeatures({ nightshift_steps: steps }: SizeResult): number {
  const until = ['open', 'describe', 'freshness', 'compute'].map(
    (step) => steps[`features: features: ${step}`] ?? 0,
  )
  const features = (steps['features: compute'] ?? 0) - until.reduce((sum, each) => sum + each, 0)
  return features + (steps['scores: compute'] ?? 0)
}

/** What a night may cost beside the limit; of sizes between, none is promised. */
const MOST_TIMES: Record<number, number> = { 1000000: 1.2, 10000000: 1.1 }
/** Of sizes at which fixed costs are small. */
const FASTER_THAN_PLAIN = { times: 3, from: 1_000_000 }
const MEMORY_ABOVE_LIMIT_MB = 300

export function sizeRows(customers: number, result: SizeResult): Row[] {
  const command = `npm run bench -- --customers ${customers} --rounds ${result.rounds}`
  const both = (wall: number, processor: number) => `${seconds(wall)} (processor ${seconds(processor)})`
  const most = MOST_TIMES[customers]
  const peak = (mb: number | null | undefined) => (mb == null ? 'not known' : megabytes(mb))
  const rows: Row[] = [
    {
      what: 'limit: the same SQL and model with nothing around them',
      measured: both(result.limit_seconds, result.limit_processor_seconds),
      target: '',
      command,
    },
    {
      what: 'Nightshift, from enqueue to published',
      measured: `${both(result.nightshift_seconds, result.nightshift_processor_seconds)}: ${times(result.ratio_to_limit)} the limit (processor ${times(result.processor_ratio_to_limit)})`,
      target: most === undefined ? '' : `at most ${times(most)} the limit`,
      met: most === undefined ? undefined : result.ratio_to_limit <= most,
      command,
    },
  ]
  if (result.plain_seconds !== null && result.ratio_to_plain !== null)
    rows.push({
      what: 'plain script',
      measured: `${both(result.plain_seconds, result.plain_processor_seconds ?? 0)}: ${times(result.ratio_to_plain)} Nightshift`,
      target:
        customers < FASTER_THAN_PLAIN.from ? '' : `at least ${times(FASTER_THAN_PLAIN.times)} Nightshift`,
      met: customers < FASTER_THAN_PLAIN.from ? undefined : result.ratio_to_plain >= FASTER_THAN_PLAIN.times,
      command,
    })
  else
    rows.push({
      what: 'plain script',
      measured: `not measured: ${result.plain_left_out ?? ''}`,
      target: '',
      command,
    })
  const { limit_peak_mb: limit, nightshift_peak_mb: night } = result
  rows.push(
    {
      what: 'peak memory of all processes, limit / Nightshift / plain script',
      measured: `${peak(limit)} / ${peak(night)} / ${result.plain_peak_mb === null ? 'not measured' : peak(result.plain_peak_mb)}`,
      target: `at most the limit's + ${MEMORY_ABOVE_LIMIT_MB} MB`,
      met: limit === undefined || night === undefined ? undefined : night <= limit + MEMORY_ABOVE_LIMIT_MB,
      command,
    },
    {
      what: 'checks after the night (parity, profile, drift)',
      measured: `${both(result.monitors_seconds, result.monitors_processor_seconds)}, peak ${peak(result.monitors_peak_mb)}`,
      target: '',
      command,
    },
  )
  return rows
}

export function sectionTable({ machine, rows, before }: Kept<Section>): string {
  const earlier = new Map(before?.rows.map(({ what, measured }) => [what, measured]))
  const title = before === undefined ? [] : [`the run before, of ${before.machine.date}`]
  const cells = [
    ['what', 'measured', ...title, 'target', 'met', 'command'],
    ['---', '---', ...title.map(() => '---'), '---', '---', '---'],
    ...rows.map(({ what, measured, target, met, command }) => [
      what,
      measured,
      ...title.map(() => earlier.get(what) ?? ''),
      target,
      met === undefined ? '' : met ? 'yes' : '**no**',
      `\`${command}\``,
    ]),
  ]
  const table = cells.map((row) => `| ${row.join(' | ')} |\n`).join('')
  return `${machineText(machine)}\n\n${table}`
}

function machineText({ processor, cores, memory_gb, node, load, date }: Machine): string {
  const busy = load > 1 ? `, at a load of ${load} (others were at work)` : `, at a load of ${load}`
  return `Measured ${date} on ${cores} cores (${processor}), ${memory_gb} GB, Node ${node}${busy}.`
}
