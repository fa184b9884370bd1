import type { InputFile } from '../engine/facts.ts'

/** What the rows of each source come to that are seen at a cut, however they are spread over files. */
export function contentOf(inputs: InputFile[]): unknown[] {
  const sources = [...new Set(inputs.map(({ source }) => source))].sort()
  return sources.map((source) => {
    const own = inputs.filter((input) => input.source === source)
    if (own.some(({ visible }) => visible === undefined)) return [source, own]
    const sum = own.reduce((total, { visible }) => total + BigInt(visible?.sum ?? 0), 0n)
    const rows = own.reduce((total, { visible }) => total + (visible?.rows ?? 0), 0)
    return [source, own[0]?.visible?.of, rows, sum.toString()]
  })
}
