import { ConfigurationError } from '../../../project/files/problem.ts'
import { addDays, grainOf, parseAsOf } from '../../../project/time/asof.ts'

/** Nights that a page shows by default. */
export const NIGHTS = 60
/** The most nights that are drawn: two years of days. */
export const MOST = 800

/** The nights to show: labels as requested, and instants, both inclusive. */
export interface Window {
  from: string | undefined
  to: string | undefined
  instants: { from: string | undefined; to: string | undefined }
  limit: number
}

/** Reads `?from=&to=`, as-ofs, both inclusive. Throws a ConfigurationError on anything else, and if from is after to. */
export function windowOf(
  { from, to }: { from?: string | undefined; to?: string | undefined },
  timezone: string,
): Window {
  const first = given(from)
  const last = given(to)
  const instants = {
    from: first === undefined ? undefined : parseAsOf(first, timezone).instant,
    to: last === undefined ? undefined : endOf(last, timezone),
  }
  if (
    instants.from !== undefined &&
    instants.to !== undefined &&
    Date.parse(instants.from) > Date.parse(instants.to)
  ) {
    throw new ConfigurationError(
      `nights: expected from to be no later than to, got: from ${first} to ${last}`,
    )
  }
  return {
    from: first,
    to: last,
    instants,
    limit: first === undefined ? NIGHTS : MOST,
  }
}

function given(text: string | undefined): string | undefined {
  return text === undefined || text.trim() === '' ? undefined : text.trim()
}

/** A date includes all of its hours. */
function endOf(label: string, timezone: string): string {
  const asOf = parseAsOf(label, timezone)
  if (grainOf(asOf) === 'hour') return asOf.instant
  return new Date(Date.parse(addDays(asOf, 1, timezone).instant) - 1).toISOString()
}
