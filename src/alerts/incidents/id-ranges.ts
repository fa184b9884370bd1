import { ConfigurationError } from '../../project/files/problem.ts'

/** Formats incident ids as `ack` accepts them, consecutive ids as ranges: `12-51 60`. */
export function idRanges(ids: number[]): string {
  const sorted = [...new Set(ids)].sort((a, b) => a - b)
  const ranges: { from: number; to: number }[] = []
  for (const id of sorted) {
    const last = ranges.at(-1)
    if (last !== undefined && id === last.to + 1) last.to = id
    else ranges.push({ from: id, to: id })
  }
  return ranges.map(({ from, to }) => (from === to ? `${from}` : `${from}-${to}`)).join(' ')
}

/** Parses ids such as `12`, `#12` and `12-51`. Throws a ConfigurationError. */
export function readIds(words: string[]): number[] {
  return words.flatMap((word) => {
    const match = /^#?(\d{1,15})(?:-#?(\d{1,15}))?$/.exec(word)
    const from = Number(match?.[1])
    const to = match?.[2] === undefined ? from : Number(match[2])
    if (match === null || to < from || to - from > 10_000) {
      throw new ConfigurationError(
        `incident: expected an id such as 12, or a range such as 12-51, got: ${word}`,
      )
    }
    return Array.from({ length: to - from + 1 }, (_, index) => from + index)
  })
}
