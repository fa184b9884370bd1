import type { CategoryProfile, NumberProfile } from '../../src/pipeline/profile/profile.ts'

const PROBABILITIES = [0.01, 0.05, 0.1, 0.25, 0.5, 0.75, 0.9, 0.95, 0.99]

/** What a profile of these values is: counted on the edges, else on the values' own percentiles. */
export function numberProfile(
  column: string,
  given: (number | null)[],
  options: Partial<Pick<NumberProfile, 'type' | 'score' | 'edges'>> = {},
): NumberProfile {
  const present = given.filter((value) => value !== null)
  const values = present.filter(Number.isFinite).toSorted((a, b) => a - b)
  const at = (p: number) => values[Math.min(values.length - 1, Math.floor(p * values.length))] ?? 0
  const edges = options.edges ?? [...new Set(Array.from({ length: 99 }, (_, index) => at((index + 1) / 100)))]
  const counts = new Array<number>(edges.length + 1).fill(0)
  for (const value of values) {
    const bin = edges.findIndex((edge) => value < edge)
    const place = bin === -1 ? edges.length : bin
    counts[place] = (counts[place] ?? 0) + 1
  }
  const mean = values.reduce((sum, value) => sum + value, 0) / values.length
  const squares = values.reduce((sum, value) => sum + (value - mean) ** 2, 0)
  return {
    kind: 'number',
    column,
    type: options.type ?? 'DOUBLE',
    score: options.score ?? false,
    rows: given.length,
    nulls: given.length - present.length,
    distinct: new Set(values).size,
    infinite: present.length - values.length,
    min: values[0] ?? null,
    max: values.at(-1) ?? null,
    mean: values.length === 0 ? null : mean,
    sd: values.length === 0 ? null : Math.sqrt(squares / values.length),
    quantiles: values.length === 0 ? null : PROBABILITIES.map(at),
    edges,
    counts,
  }
}

/** What a profile of texts is, counted by the values of `counts`. */
export function categoryProfile(
  column: string,
  counts: Record<string, number>,
  {
    nulls = 0,
    other = 0,
    unseen = {},
  }: { nulls?: number; other?: number; unseen?: Record<string, number> } = {},
): CategoryProfile {
  const sum = (numbers: number[]) => numbers.reduce((total, number) => total + number, 0)
  const strange = sum(Object.values(unseen))
  return {
    kind: 'category',
    column,
    type: 'VARCHAR',
    score: false,
    rows: sum(Object.values(counts)) + nulls + other + strange,
    nulls,
    distinct: Object.keys(counts).length + Object.keys(unseen).length,
    values: Object.keys(counts),
    counts: Object.values(counts),
    other,
    unseen: strange,
    unseen_values: Object.entries(unseen).map(([value, count]) => ({ value, count })),
  }
}

/** Numbers that are the same in every run: uniform over 0 to 1. */
export function uniform(seed: number): () => number {
  let state = seed >>> 0
  return () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0
    return state / 2 ** 32
  }
}

/** `n` values of a normal distribution. */
export function normal(n: number, mean: number, sd: number, seed: number): number[] {
  const next = uniform(seed)
  return Array.from(
    { length: n },
    () => mean + sd * Math.sqrt(-2 * Math.log(1 - next())) * Math.cos(2 * Math.PI * next()),
  )
}
