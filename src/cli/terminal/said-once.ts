/** What is said of one night. */
export interface Said {
  partition: string
  text: string
}

/** Numbers of rows, which differ from night to night in one and the same sentence. */
const COUNTS = /\d+(?= (?:rows|of)\b)/g

/**
 * Each sentence once, with the nights of which it is said, in their order; where its numbers of rows differ, from the
 * least to the largest of them.
 */
export function saidOnce(said: Said[]): { nights: string; text: string }[] {
  const groups = new Map<string, Said[]>()
  for (const each of said) {
    const key = each.text.replace(COUNTS, '#')
    groups.set(key, [...(groups.get(key) ?? []), each])
  }
  return [...groups.values()].map((group) => ({
    nights: saysNights(group.map(({ partition }) => partition)),
    text: merged(group.map(({ text }) => text)),
  }))
}

function merged([first = '', ...others]: string[]): string {
  let position = 0
  return first.replace(COUNTS, (number) => {
    const all = [number, ...others.map((text) => text.match(COUNTS)?.[position] ?? number)].map(Number)
    position++
    const [least, largest] = [Math.min(...all), Math.max(...all)]
    return least === largest ? String(least) : `${least} to ${largest}`
  })
}

function saysNights(partitions: string[]): string {
  const [first = '', last = first] = [partitions[0], partitions.at(-1)]
  return partitions.length === 1 ? first : `${partitions.length} nights, ${first} to ${last}`
}
