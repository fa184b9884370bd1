import { InvalidArgumentError } from 'commander'

/** Reads an option's whole number within a range, both ends included. */
export function wholeNumber(least: number, most: number): (text: string) => number {
  return (text) => {
    const value = /^\d{1,15}$/.test(text) ? Number(text) : Number.NaN
    if (value >= least && value <= most) return value
    throw new InvalidArgumentError(
      `expected a whole number from ${least} to ${most}, got: ${text || 'nothing'}.`,
    )
  }
}

/** Reads an option's share: more than 0, less than 1. */
export function share(text: string): number {
  const value = /^0?\.\d{1,6}$/.test(text) ? Number(text) : Number.NaN
  if (value > 0 && value < 1) return value
  throw new InvalidArgumentError(`expected a share between 0 and 1, such as 0.2, got: ${text || 'nothing'}.`)
}

/** 0: any that is free. */
export const portNumber = wholeNumber(0, 65_535)
/** Compute processes of one worker. */
export const placeCount = wholeNumber(1, 256)
export const activeNights = wholeNumber(1, 1_000)
/** A hundred years, as of every duration. */
export const dayCount = wholeNumber(1, 36_525)
export const rowLimit = wholeNumber(1, 100_000)
/** What the ledger can count. */
export const versionNumber = wholeNumber(1, 2 ** 31 - 1)
