import type { IncidentFilter } from '../../../alerts/incidents/list-incidents.ts'
import { withQuery } from '../../addresses.ts'
import { choiceProblem } from '../../filters.ts'
import { pageNumber, pageProblem } from '../../pager.ts'

const A_PAGE = 50

/** Which incidents an address lists. */
export interface Listing {
  subject: string | undefined
  openOnly: boolean
  page: number
}

export function readListing(query: Record<string, string | undefined>): Listing {
  return {
    subject: query.subject?.trim() || undefined,
    openOnly: query.state === 'open',
    page: pageNumber(query.page),
  }
}

/** What of an address cannot be read: `readListing` takes the first page, or the closed ones too. */
export function listingProblems({ state, page }: Record<string, string | undefined>): string[] {
  return [...choiceProblem('state', state, ['open']), ...pageProblem(page)]
}

/** The address that lists them. */
export function listingHref(listing: Partial<Listing>, more: Record<string, string> = {}): string {
  return withQuery('/incidents', { ...queryOf(listing), ...more })
}

/** What `readListing` reads, in an address or in a form. */
export function queryOf({ subject, openOnly, page }: Partial<Listing>): Record<string, string> {
  return {
    ...(subject === undefined ? {} : { subject }),
    ...(openOnly === true ? { state: 'open' } : {}),
    ...(page === undefined || page === 1 ? {} : { page: String(page) }),
  }
}

/** One more than a page has: where there is one, another page follows. */
export function filterOf({ subject, openOnly, page }: Listing): IncidentFilter {
  return {
    closedToo: !openOnly,
    limit: A_PAGE + 1,
    offset: (page - 1) * A_PAGE,
    ...(subject === undefined ? {} : { subject }),
  }
}

export function pageOf<Found>(found: Found[]): { shown: Found[]; more: boolean } {
  return { shown: found.slice(0, A_PAGE), more: found.length > A_PAGE }
}
