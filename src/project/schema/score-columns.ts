/** Columns of scores in addition to the entity and the score, and the key in the folder names of the warehouse. */
const RESERVED = ['version', 'decision', 'as_of']

/** The most reasons that a row can have. */
export const MOST_REASONS = 10

/** Names of the columns of each of so many reasons, the strongest first: the feature, and its effect. */
export function reasonColumns(reasons = 0): [reason: string, effect: string][] {
  return Array.from({ length: reasons }, (_, index) => [`reason_${index + 1}`, `effect_${index + 1}`])
}

/** Names that neither the entity nor the score may have, in lower case; `reasons` is what model.yaml says, legal or not. */
export function reservedColumns(reasons: unknown): string[] {
  const some = typeof reasons === 'number' && reasons >= 1 && reasons <= MOST_REASONS ? reasons : 0
  return [...RESERVED, ...reasonColumns(Math.floor(some)).flat()]
}
