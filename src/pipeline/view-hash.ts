import { createHash } from 'node:crypto'
import type { Duration, Source, View } from '../project/project.ts'
import type { CheckedSql } from './sql.ts'

/**
 * The identity of a view (sha256, hex): its parsed SQL, its entity, the values that stand in for null on the way to
 * the model, and its sources as declared, paths included. What is expected of it, its owner and its description are
 * no part of it, nor is the order in which sources are written.
 */
export function viewHash(sqlHash: string, view: Pick<View, 'entity' | 'fill' | 'sources'>): string {
  const sources = Object.entries(view.sources)
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([name, source]) => [name, declaration(source, view.entity)])
  const fill = Object.entries(view.fill).sort(([a], [b]) => (a < b ? -1 : 1))
  return createHash('sha256')
    .update(JSON.stringify([sqlHash, view.entity, fill, sources]))
    .digest('hex')
}

/** The same of SQL that was parsed. Empty where it could not be. */
export function hashOf(checked: CheckedSql, view: Pick<View, 'entity' | 'fill' | 'sources'>): string {
  return checked.hash === '' ? '' : viewHash(checked.hash, view)
}

/** In one order, and with defaults filled in: writing a default out changes nothing. */
function declaration(source: Source, entity: string[]): unknown[] {
  const files = [source.kind, source.path, source.timezone ?? 'UTC']
  switch (source.kind) {
    case 'events':
      return [...files, source.event_time, source.available_at ?? null, span(source.cutoff)]
    case 'history': {
      const key = source.key.length === 0 ? entity : source.key
      return [
        ...files,
        key,
        source.valid_from,
        source.valid_to ?? null,
        source.available_at ?? null,
        span(source.cutoff),
      ]
    }
    case 'snapshots':
      return [...files, source.snapshot_at]
    case 'static':
      return files
  }
}

/** 24h and 1d differ where clocks change. */
function span(duration: Duration | undefined): [number, number | null] | null {
  return duration === undefined ? null : [duration.ms, duration.days ?? null]
}
