import type { IncidentFilter } from '../../../alerts/incidents/list-incidents.ts'
import { withQuery } from '../../addresses.ts'
import { choiceProblem } from '../../filters.ts'
import { pageNumber, pageProblem } from '../../pager.ts'

const A_PAGE = 50

/** Which incidents to list. */
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

/** Reports invalid parameters, for which `readListing` uses the first page and includes closed incidents. */
export function listingProblems({ state, page }: Record<string, string | undefined>): string[] {
  return [...choiceProblem('state', state, ['open']), ...pageProblem(page)]
}

/** The address of a listing. */
export function listingHref(listing: Partial<Listing>, more: Record<string, string> = {}): string {
  return withQuery('/incidents', { ...queryOf(listing), ...more })
}

/** The parameters that `readListing` reads, for an address or a form. */
export function queryOf({ subject, openOnly, page }: Partial<Listing>): Record<string, string> {
  return {
    ...(subject === undefined ? {} : { subject }),
    ...(openOnly === true ? { state: 'open' } : {}),
    ...(page === undefined || page === 1 ? {} : { page: String(page) }),
  }
}

/** Requests one more than a page shows, to know whether another page follows. */
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
