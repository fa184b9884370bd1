import type { Outcome } from './record.ts'

/**
 * Nights of a model, oldest first, that were measured under a different horizon than model.yaml has now: one sentence
 * for each horizon. Their figures are not comparable with those of other nights.
 */
export function otherHorizons(
  nights: Pick<Outcome, 'partition' | 'state' | 'horizon'>[],
  now: string,
): string[] {
  const by = new Map<string, string[]>()
  for (const { partition, state, horizon } of nights) {
    if (state !== 'measured' || horizon === null || horizon === now) continue
    by.set(horizon, [...(by.get(horizon) ?? []), partition])
  }
  return [...by].map(([horizon, partitions]) => {
    const [first, last] = [partitions[0], partitions.at(-1)]
    const which =
      partitions.length === 1
        ? `${first} was measured`
        : `${partitions.length} nights, ${first} to ${last}, were measured`
    return `${which} under a horizon of ${horizon}; model.yaml now has ${now}`
  })
}
