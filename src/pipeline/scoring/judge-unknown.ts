import { percent } from '../../format/shares.ts'
import type { UnknownPolicy } from '../../project/project.ts'
import type { Check, UnknownValues } from '../engine/facts.ts'

const DEFAULT: UnknownPolicy = { unknown: 'warn', max_rate: 0 }

/**
 * What follows from unknown values as model.yaml decides: a check where they hold the night, a warning where they do
 * not. Of a column that the model compares with one value alone, all others may be meant: without a word in model.yaml
 * nothing is reported.
 */
export function judgeUnknown(
  found: UnknownValues[],
  policies: Record<string, UnknownPolicy>,
): { checks: Check[]; warnings: string[] } {
  const checks: Check[] = []
  const warnings: string[] = []
  for (const each of found) {
    const own = policies[each.column]
    if (own === undefined && each.kind === 'comparison' && each.knows < 2) continue
    const { unknown, max_rate } = own ?? DEFAULT
    const rate = each.rows === 0 ? 0 : each.unknown / each.rows
    const passed = rate <= max_rate
    if (unknown === 'hold') checks.push(check(each, max_rate, rate, passed))
    else if (!passed) warnings.push(unknownText(each))
  }
  for (const [column, { unknown }] of Object.entries(policies)) {
    if (unknown !== 'hold' || found.some((each) => each.column === column)) continue
    warnings.push(
      `inputs.${column}.unknown is hold, and the version's file does not say which values it knows: nothing is counted`,
    )
  }
  return { checks, warnings }
}

function check(each: UnknownValues, bound: number, rate: number, passed: boolean): Check {
  const { column, unknown, rows } = each
  return {
    id: `${column}.unknown`,
    kind: 'column.unknown',
    column,
    passed,
    observed: rate,
    bound,
    message: passed
      ? `expected at most ${percent(bound)} of the rows to have a ${column} that the model does not know, got: ${unknown} of ${rows}`
      : `expected at most ${percent(bound)} of the rows to have a ${column} that the model does not know, got: ${unknownText(each)}`,
    samples: each.examples.map(({ value, rows: count }) => ({ [column]: value, rows: String(count) })),
  }
}

/** `partner: 3 of 3 rows (100 %) have values that the model does not know (true, false); it knows No, Yes`. */
export function unknownText(each: UnknownValues): string {
  const { column, rows, unknown, examples } = each
  const rate = rows === 0 ? 0 : unknown / rows
  const which = examples.length === 0 ? '' : ` (${examples.map(({ value }) => shown(value)).join(', ')})`
  return `${column}: ${unknown} of ${rows} rows (${percent(rate)}) have values that the model does not know${which}; ${knownText(each)}`
}

export function knownText({ known, knows }: Pick<UnknownValues, 'known' | 'knows'>): string {
  const more = knows > known.length ? ` and ${knows - known.length} more` : ''
  return `it knows ${known.map((value) => shown(String(value))).join(', ')}${more}`
}

function shown(value: string): string {
  return /^\S(.*\S)?$/.test(value) && !value.includes(',') ? value : JSON.stringify(value)
}
