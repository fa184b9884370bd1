import { listFiles } from '../pipeline/sources/listing.ts'
import { withChild } from '../workers/child/with-child.ts'
import { findStale } from '../workers/currency.ts'
import type { ProjectLedger } from './project-ledger.ts'

/** Why published partitions differ from what a run would compute now, keyed by the run that published them. */
export async function staleAmong(
  { database, project }: ProjectLedger,
  slots: { published_run: string | null }[],
): Promise<Map<string, string>> {
  const runs = slots.flatMap(({ published_run }) => published_run ?? [])
  if (runs.length === 0) return new Map()
  return withChild(project, (children) => findStale({ database, children, list: listFiles }, project, runs))
}
