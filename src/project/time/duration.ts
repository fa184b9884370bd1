import { ConfigurationError } from '../files/problem.ts'
import type { Duration } from '../project.ts'

export const DURATION_PATTERN = /^(\d{1,7})(s|m|h|d|w)$/
export const DURATION_LEGAL =
  'a duration such as 90s, 30m, 4h, 30d or 2w (a whole number and s, m, h, d or w)'

const UNIT_MS = { s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000, w: 604_800_000 }
/** A hundred years: more is a typing error and would exceed the range of dates. */
const LONGEST_DAYS = 36_525
const LONGEST_MS = LONGEST_DAYS * UNIT_MS.d

/** Reads `30m`, `4h`, `30d`, `90s`, `2w`; undefined if the text is not a duration. A day counts 24 hours in `ms`. */
export function readDuration(text: string): Duration | undefined {
  const match = DURATION_PATTERN.exec(text)
  if (match === null) return undefined
  const count = Number(match[1])
  const unit = match[2]
  const ms = count * unitMs(unit)
  if (ms > LONGEST_MS) return undefined
  return { text, ms, days: unit === 'd' ? count : unit === 'w' ? count * 7 : undefined }
}

/** Reads a duration from a command line or page. Throws a ConfigurationError that names `what`. */
export function parseDuration(text: string, what = 'duration'): Duration {
  const duration = readDuration(text)
  if (duration !== undefined) return duration
  const { legal, near } = durationFault(text)
  throw new ConfigurationError(
    `expected ${what} to be ${legal}, got: ${text}${near === undefined ? '' : `; did you mean ${near}?`}`,
  )
}

/** For an invalid text: what is legal, with the limit if it is too long, and what was probably meant. */
export function durationFault(text: string): { legal: string; near: string | undefined } {
  const near = nearDuration(text)
  if (near === undefined) return { legal: DURATION_LEGAL, near }
  if (readDuration(near) !== undefined) return { legal: DURATION_LEGAL, near }
  return { legal: `${DURATION_LEGAL}, a hundred years (${LONGEST_DAYS}d) at most`, near: undefined }
}

/** What `30 min`, `4 hours`, `1mo` or `PT30M` was probably meant to be. */
export function nearDuration(text: string): string | undefined {
  const match = /^(?:p|pt)?\s*(\d+)\s*([a-z]+)$/i.exec(text.trim())
  const count = Number(match?.[1])
  const word = match?.[2]?.toLowerCase()
  if (word === undefined) return undefined
  if (/^(mo|mon|months?)$/.test(word)) return `${count * 30}d`
  if (/^(y|years?)$/.test(word)) return `${count * 365}d`
  const unit = /^(s|m|h|d|w)(ecs?|econds?|ins?|inutes?|rs?|ours?|ays?|eeks?)?$/.exec(word)?.[1]
  return unit === undefined ? undefined : `${count}${unit}`
}

function unitMs(unit: string | undefined): number {
  switch (unit) {
    case 's':
      return UNIT_MS.s
    case 'm':
      return UNIT_MS.m
    case 'h':
      return UNIT_MS.h
    case 'd':
      return UNIT_MS.d
    default:
      return UNIT_MS.w
  }
}
