import { createHash } from 'node:crypto'
import { contentOf } from './content.ts'
import type { HeldGroups } from './held-groups.ts'
import type { Part } from './part.ts'

/** The same rows behind the same definitions have the same id, however they are spread over files. */
export function idOf(of: {
  hash: string
  labelHash: string
  lag: string
  train: Part[]
  holdout: Part[]
  /** What else decides the rows; undefined says nothing. */
  wanted: string | undefined
  groups: HeldGroups | undefined
}): string {
  const contents = (parts: Part[]) =>
    parts.map(({ window, rows, inputs, labelInputs }) => [
      window.asOf.label,
      rows,
      contentOf(inputs),
      contentOf(labelInputs),
    ])
  return createHash('sha256')
    .update(
      JSON.stringify([
        1,
        of.hash,
        of.labelHash,
        of.lag,
        contents(of.train),
        contents(of.holdout),
        ...(of.wanted === undefined && of.groups === undefined ? [] : [of.wanted ?? null, of.groups ?? null]),
      ]),
    )
    .digest('hex')
    .slice(0, 12)
}
