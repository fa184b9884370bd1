import { figure, figureBeside } from '../../format/numbers.ts'
import { percentBeside } from '../../format/shares.ts'
import type { ShadowFigures } from '../../pipeline/shadow/shadow-figures.ts'
import type { ShadowBounds } from '../../project/project.ts'
import type { JudgedNight } from './counted-nights.ts'

/** One figure over several nights; null where no night has it. */
export interface OverNights {
  mean: number | null
  /** The worst night's. */
  worst: number | null
}

/** The comparison over the nights that are judged. */
export interface ShadowWindow {
  nights: number
  from: string
  to: string
  rows: number
  rank_correlation: OverNights
  top_overlap: OverNights
  /** Shares of the decided rows. */
  flips: OverNights & { to_positive: number; to_negative: number }
  distance: OverNights
  /** Mean scores. */
  champion_mean: number | null
  challenger_mean: number | null
}

/** Adds up the figures of nights, given oldest first; undefined without a compared night. */
export function windowOver(nights: JudgedNight[]): ShadowWindow | undefined {
  const compared = nights.flatMap(({ partition, figures }) =>
    figures === null ? [] : [{ partition, figures }],
  )
  const [first, last] = [compared[0], compared.at(-1)]
  if (first === undefined || last === undefined) return undefined
  const all = compared.map(({ figures }) => figures)
  return {
    nights: compared.length,
    from: first.partition,
    to: last.partition,
    rows: sum(all, ({ rows }) => rows.both),
    rank_correlation: over(all, rankCorrelation, Math.min),
    top_overlap: over(all, topOverlap, Math.min),
    flips: {
      ...over(all, flipRate, Math.max),
      to_positive: sum(all, ({ flips }) => flips?.to_positive ?? 0),
      to_negative: sum(all, ({ flips }) => flips?.to_negative ?? 0),
    },
    distance: over(all, ksDistance, Math.max),
    champion_mean: meanOf(all.map(({ champion }) => champion.mean)),
    challenger_mean: meanOf(all.map(({ challenger }) => challenger.mean)),
  }
}

type Read = (figures: ShadowFigures) => number | null
const rankCorrelation: Read = ({ rank_correlation }) => rank_correlation
const topOverlap: Read = ({ top }) => top.overlap
const flipRate: Read = ({ flips }) => flips?.rate ?? null
const ksDistance: Read = ({ distance }) => distance.ks

interface Bound {
  key: Exclude<keyof ShadowBounds, 'min_coverage'>
  name: string
  read: Read
  side: 'at least' | 'at most'
  show: (value: number, bound: number) => string
}

const BOUNDS: Bound[] = [
  { key: 'max_flips', name: 'decisions that change', read: flipRate, side: 'at most', show: percentBeside },
  {
    key: 'min_rank_correlation',
    name: 'rank correlation',
    read: rankCorrelation,
    side: 'at least',
    show: figureBeside,
  },
  {
    key: 'min_top_overlap',
    name: 'overlap of the highest scores',
    read: topOverlap,
    side: 'at least',
    show: percentBeside,
  },
  {
    key: 'max_distance',
    name: 'distance of the distributions',
    read: ksDistance,
    side: 'at most',
    show: figureBeside,
  },
]

/** What of `shadow.require` is not met, one sentence a bound. Every night has to meet every bound. */
export function breachesOf(nights: JudgedNight[], bounds: ShadowBounds): string[] {
  return BOUNDS.flatMap(({ key, name, read, side, show }) => {
    const bound = bounds[key]
    if (bound === undefined) return []
    const required = `shadow.require.${key} is ${figure(bound)}`
    const values = nights.map(({ partition, figures }) => ({
      partition,
      value: figures === null ? null : read(figures),
    }))
    const unknown = values.find(({ value }) => value === null)
    if (unknown !== undefined)
      return [`the ${name} of ${unknown.partition} cannot be computed, and ${required}`]
    const broken = values.filter(({ value }) =>
      side === 'at least' ? (value ?? Number.NaN) < bound : (value ?? Number.NaN) > bound,
    )
    if (broken.length === 0) return []
    const worst = broken.reduce((a, b) => ((a.value ?? 0) < (b.value ?? 0) === (side === 'at least') ? a : b))
    const on =
      broken.length === 1
        ? `on ${worst.partition}`
        : `on ${broken.length} nights, worst on ${worst.partition}`
    return [`the ${name}: ${show(worst.value ?? 0, bound)} ${on}; ${required}`]
  })
}

function over(all: ShadowFigures[], read: Read, pick: (...values: number[]) => number): OverNights {
  const values = all.map(read).filter((value) => value !== null)
  return { mean: meanOf(values), worst: values.length === 0 ? null : pick(...values) }
}

function meanOf(values: (number | null)[]): number | null {
  const known = values.filter((value) => value !== null)
  return known.length === 0 ? null : known.reduce((total, value) => total + value, 0) / known.length
}

function sum(all: ShadowFigures[], read: (figures: ShadowFigures) => number): number {
  return all.reduce((total, figures) => total + read(figures), 0)
}
