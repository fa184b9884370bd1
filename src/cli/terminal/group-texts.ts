/** A text about one night. */
export interface NightText {
  partition: string
  text: string
}

/** Row counts, which differ from night to night in otherwise identical texts. */
const COUNTS = /\d+(?= (?:rows|of)\b)/g

/**
 * Groups identical texts: each once, with its nights in order. Where row counts differ, the text shows their range from
 * the least to the largest.
 */
export function groupTexts(texts: NightText[]): { nights: string; text: string }[] {
  const groups = new Map<string, NightText[]>()
  for (const each of texts) {
    const key = each.text.replace(COUNTS, '#')
    groups.set(key, [...(groups.get(key) ?? []), each])
  }
  return [...groups.values()].map((group) => ({
    nights: nightsText(group.map(({ partition }) => partition)),
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

function nightsText(partitions: string[]): string {
  const [first = '', last = first] = [partitions[0], partitions.at(-1)]
  return partitions.length === 1 ? first : `${partitions.length} nights, ${first} to ${last}`
}
