/** Of an even number of values, the mean of the two in the middle. */
export function median(values: number[]): number {
  const sorted = [...values].sort((a, b) => a - b)
  const middle = sorted.length / 2
  return ((sorted[Math.ceil(middle) - 1] ?? 0) + (sorted[Math.floor(middle)] ?? 0)) / 2
}

export function medians(all: Record<string, number>[]): Record<string, number> {
  const names = [...new Set(all.flatMap((each) => Object.keys(each)))]
  return Object.fromEntries(names.map((name) => [name, rounded(median(all.map((each) => each[name] ?? 0)))]))
}

/** To milliseconds, where the value is in seconds. */
export function rounded(value: number): number {
  return Math.round(value * 1000) / 1000
}

export function wholeNumber(name: string, text: string): number {
  const value = Number(text)
  if (!Number.isInteger(value) || value < 1)
    throw new Error(`expected ${name} to be a whole number of at least 1, got: ${text}`)
  return value
}
