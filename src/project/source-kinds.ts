import type { Duration, Source, SourceKind } from './project.ts'

/** A field of a declaration and the column, or key of the folders, that it names. */
export interface DeclaredColumn {
  field: string
  name: string
}

/** What a source declares, in terms that all kinds share. Nothing else asks for a kind by its name. */
export interface SourceTraits {
  /** Orders the rows in time. Undefined: the source has no time, and every cut sees its current state. */
  time?: DeclaredColumn | undefined
  /** When a row arrived in the files. */
  arrival?: (DeclaredColumn & { cutoff: Duration | undefined }) | undefined
  /** When a row ceased to be valid. Reads null if that is not before the cut. */
  end?: DeclaredColumn | undefined
  /** Columns that identify the owner of a row. Empty: the entity of the view. */
  key: string[]
  /** Which of the rows before the cut are seen. */
  rows: 'all' | 'latest-of-key' | 'newest-time'
}

interface Kind<K extends SourceKind> {
  /** Fields that name columns; every file must have those. Empty: the kind has no time. */
  columns: string[]
  traits(source: Source<K>): SourceTraits
  /** Its part of a view's hash, with defaults filled in. Versions are registered on it: an entry never changes. */
  identity(source: Source<K>, entity: string[]): unknown[]
}

/** The kinds of source. Their fields are typed in project.ts and described in schema/view-schema.ts. */
const KINDS: { [K in SourceKind]: Kind<K> } = {
  events: {
    columns: ['event_time', 'available_at'],
    traits: (source) => ({
      time: column('event_time', source.event_time),
      arrival: arrival(source),
      key: [],
      rows: 'all',
    }),
    identity: ({ event_time, available_at, cutoff }) => [event_time, available_at ?? null, span(cutoff)],
  },
  history: {
    columns: ['valid_from', 'valid_to', 'available_at', 'key'],
    traits: (source) => ({
      time: column('valid_from', source.valid_from),
      arrival: arrival(source),
      end: source.valid_to === undefined ? undefined : column('valid_to', source.valid_to),
      key: source.key,
      rows: 'latest-of-key',
    }),
    identity: ({ key, valid_from, valid_to, available_at, cutoff }, entity) => [
      key.length === 0 ? entity : key,
      valid_from,
      valid_to ?? null,
      available_at ?? null,
      span(cutoff),
    ],
  },
  snapshots: {
    columns: ['snapshot_at'],
    traits: ({ snapshot_at }) => ({ time: column('snapshot_at', snapshot_at), key: [], rows: 'newest-time' }),
    identity: ({ snapshot_at }) => [snapshot_at],
  },
  static: { columns: [], traits: () => ({ key: [], rows: 'all' }), identity: () => [] },
}

export function traitsOf<K extends SourceKind>(source: Source<K>): SourceTraits {
  return KINDS[source.kind].traits(source)
}

export function sourceIdentity<K extends SourceKind>(source: Source<K>, entity: string[]): unknown[] {
  return [source.kind, ...KINDS[source.kind].identity(source, entity)]
}

/** A source as written: the key of a history may be missing. */
type Written = Source<Exclude<SourceKind, 'history'>> | (Omit<Source<'history'>, 'key'> & { key?: string[] })

/** The source with the view's entity as its key, if its kind has a key and none is declared. */
export function withKey(source: Written, entity: string[]): Source {
  if (source.kind !== 'history') return source
  const { key = [] } = source
  return { ...source, key: key.length === 0 ? entity : key }
}

/** Fields of a kind that name columns. Undefined if there is no such kind. */
export function columnFields(kind: unknown): string[] | undefined {
  return Object.entries(KINDS).find(([name]) => name === kind)?.[1].columns
}

/** Of all kinds. */
export const COLUMN_FIELDS = [...new Set(Object.values(KINDS).flatMap(({ columns }) => columns))]

/** Their names. */
export const SOURCE_KINDS = Object.keys(KINDS)

/** Such as `events, history or snapshots`. */
export const KINDS_WITH_TIME = Object.entries(KINDS)
  .flatMap(([name, { columns }]) => (columns.length > 0 ? [name] : []))
  .join(', ')
  .replace(/, (\w+)$/, ' or $1')

function column(field: string, name: string): DeclaredColumn {
  return { field, name }
}

function arrival({ available_at, cutoff }: Source<'events' | 'history'>): SourceTraits['arrival'] {
  return available_at === undefined ? undefined : { ...column('available_at', available_at), cutoff }
}

/** 24h and 1d differ where clocks change. */
function span(duration: Duration | undefined): [number, number | null] | null {
  return duration === undefined ? null : [duration.ms, duration.days ?? null]
}
