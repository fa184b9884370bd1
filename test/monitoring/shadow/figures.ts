import type { ShadowFigures } from '../../../src/pipeline/shadow/shadow-figures.ts'

/** Figures of 100 rows that agree, but for what is given. */
export function figuresWith({
  rank = 1,
  overlap = 1,
  flips = [0, 0],
  ks = 0,
  coverage = 1,
}: {
  rank?: number | null
  overlap?: number
  flips?: [number, number]
  ks?: number
  coverage?: number
}): ShadowFigures {
  const [to_positive, to_negative] = flips
  const spread = { mean: 0.5, quantiles: [0.1, 0.3, 0.5, 0.7, 0.9] }
  return {
    rows: { champion: 100, challenger: 100, both: 100, only_champion: 0, only_challenger: 0, not_numbers: 0 },
    coverage,
    rank_correlation: rank,
    top: { k: 10, overlap },
    flips: { decided: 100, to_positive, to_negative, rate: (to_positive + to_negative) / 100 },
    distance: { ks, wasserstein: ks },
    champion: spread,
    challenger: spread,
    by_segment: [],
    movers: [],
    notes: [],
  }
}
