import { FONT_SIZE } from './chart.ts'
import { colour } from './colours.ts'

/** A change that every picture over time shows: at which of its nights (by position), and in a few letters what. */
export interface Mark {
  at: number
  text: string
  kind: 'champion' | 'challenger'
}

/** The nights of a picture over time, oldest first: names of partitions, and what changed when. */
export interface Nights {
  labels: string[]
  marks: Mark[]
}

export const TIME_FONT_SIZE = FONT_SIZE + 1
export const TIME_LABEL = { color: colour('quiet'), fontSize: TIME_FONT_SIZE }

/** The axis of nights: months and days, the year of the first is in the description. */
export function nightAxis({ labels }: Nights) {
  return {
    type: 'category' as const,
    data: labels.map((label) => label.replace(/^\d{4}-/, '')),
    axisLine: { lineStyle: { color: colour('quiet') } },
    axisTick: { show: false },
    axisLabel: { ...TIME_LABEL, interval: Math.max(0, Math.ceil(labels.length / 5) - 1), hideOverlap: true },
  }
}

/**
 * Vertical lines where the champion changed (solid) or a challenger began (dotted), each with its version. Of changes
 * that lie closer than their words are wide, the last is named.
 */
export function marks({ labels, marks: all }: Nights) {
  const near = Math.ceil(labels.length / 14)
  return {
    silent: true,
    symbol: 'none',
    data: all.map(({ at, text, kind }) => {
      const next = all.find((other) => other.at > at && other.at - at < near)
      return {
        xAxis: at,
        lineStyle: {
          color: colour('mark'),
          width: kind === 'champion' ? 1.5 : 1,
          type: kind === 'champion' ? ('solid' as const) : ('dotted' as const),
        },
        label: {
          show: next === undefined,
          formatter: text,
          position: 'end' as const,
          distance: 2,
          color: colour('mark'),
          fontSize: TIME_FONT_SIZE - 1,
          fontWeight: 'bold' as const,
        },
      }
    }),
  }
}

/** The changes in words, for descriptions. */
export function marksText({ labels, marks: all }: Nights): string {
  return all.map(({ at, text, kind }) => `${kind} ${text} from ${labels[at] ?? 'the next night'}`).join(', ')
}
