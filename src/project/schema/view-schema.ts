import * as z from 'zod'
import { SOURCE_KINDS } from '../source-kinds.ts'
import {
  bytes,
  choice,
  column,
  columnType,
  count,
  delimiter,
  duration,
  flag,
  keys,
  line,
  list,
  name,
  named,
  number,
  oneOrMany,
  owner,
  pattern,
  text,
  zone,
  zoneOrLocal,
} from './fields.ts'

const value = z.union([z.string(), z.number(), z.boolean()], { error: 'a text, a number, true or false' })

/** Shards of one night: each is a part on disk, and a job of the queue. */
const MOST_SHARDS = 64
/** Some seconds of features. Starting a shard costs a tenth of that. */
const USUAL_SHARD = '128MB'

/** Legal types of a folder's key. */
const keyTypes = ['VARCHAR', 'INTEGER', 'BIGINT', 'DATE', 'BOOLEAN'] as const

const files = {
  path: pattern({ objects: true }).describe(
    'Parquet files (or as `format` says), relative to the project or absolute, or objects as `s3://bucket/key`. `*` is any part of a name, `**` any folders.',
  ),
  format: choice(['parquet', 'csv', 'json'])
    .exactOptional()
    .describe(
      'Format of the files. CSV and JSON files are converted once each, when they are first read. Default: parquet.',
    ),
  types: named(column(), columnType(), 'a map from column to type')
    .exactOptional()
    .describe(
      'Types of columns of CSV and JSON files. Other columns of CSV files are VARCHAR. A value of another type holds the night; `try_cast` in `select` reads it as null.',
    ),
  delimiter: delimiter()
    .exactOptional()
    .describe('The character between the values of CSV files. Default: found out for each file.'),
  select: text('one SELECT over `raw`')
    .exactOptional()
    .describe(
      'One SELECT over the rows of each file, which it reads as the table `raw`: for dates that are text, names, duplicates within a file. What it returns is the source: the columns of its time are among it, and the cut comes after it.',
    ),
  timezone: zone()
    .exactOptional()
    .describe(
      'Zone of timestamps without a zone and of dates, in these files and in their folder names. Default: UTC for timestamps, the zone of the project for dates.',
    ),
  timezones: named(
    column(),
    zoneOrLocal(),
    'a map from column to zone, such as { born: local, booked_at: Europe/Berlin }',
  )
    .exactOptional()
    .describe(
      'Zone of single columns, if it differs. `local` keeps the wall time unchanged: a birthday at midnight stays on its day.',
    ),
  settle: duration({ zero: true })
    .exactOptional()
    .describe(
      'How long after its last change an unreadable file may still be incomplete. The night waits this long, then it is held. Default: 5m.',
    ),
  optional: list(column(), 'columns')
    .exactOptional()
    .describe(
      'Columns that some files may lack. They read null there. Every other column that the SQL reads must be in every file.',
    ),
  hive: named(column(), choice(keyTypes), 'a map from key to type')
    .exactOptional()
    .describe(
      'Types of the keys of `key=value` folders. Default: DATE if all keys on disk are dates, BIGINT if all are whole numbers without leading zeros, else VARCHAR, decided when the definition is first used.',
    ),
  buckets: column('the key of `key=value` folders in the path')
    .exactOptional()
    .describe(
      'Key of the `key=value` folders that divide the files by the entity of the view: all rows of an entity lie under one value of it, the same in each source that has `buckets`. A night in shards reads such a source in parts, and any other whole in each shard.',
    ),
}

const arrival = {
  available_at: column()
    .exactOptional()
    .describe(
      'Column with the time when a row arrived in the files. With it, a night sees only rows that had arrived when it ran. Needs `cutoff`.',
    ),
  cutoff: duration({ zero: true })
    .exactOptional()
    .describe('How long after the as-of rows may still arrive and count. Needs `available_at`.'),
}

/** The draft-07 keyword that makes one key require the other. */
const TOGETHER = { dependencies: { available_at: ['cutoff'], cutoff: ['available_at'] } }

const events = keys({
  kind: z
    .literal('events')
    .describe('Events, each with a time. A night sees rows with `event_time` before its as-of.'),
  ...files,
  event_time: column().describe('Column with the time of the event, not of the load.'),
  ...arrival,
}).meta(TOGETHER)

const history = keys({
  kind: z
    .literal('history')
    .describe(
      'States that are valid from one time to another. A night sees one row for each key: the one valid at its as-of.',
    ),
  ...files,
  key: oneOrMany(column(), 'columns')
    .exactOptional()
    .describe('Column(s) that identify the owner of the state. Default: the entity.'),
  valid_from: column().describe('Column with the time from which the row is valid.'),
  valid_to: column()
    .exactOptional()
    .describe(
      'Column with the time at which the row ceased to be valid. Reads null if that is after the as-of, because it was not known then.',
    ),
  ...arrival,
}).meta(TOGETHER)

const snapshots = keys({
  kind: z
    .literal('snapshots')
    .describe('Full copies of a table. A night sees the newest one before its as-of.'),
  ...files,
  snapshot_at: column().describe(
    'Column, or key in the folder names (`day=2026-11-22`), with the time of the copy.',
  ),
})

const still = keys({
  kind: z
    .literal('static')
    .describe(
      'A table without time: always seen in its current state. A leak risk, which the readiness gate reports.',
    ),
  ...files,
})

export const source = z.discriminatedUnion('kind', [events, history, snapshots, still], {
  error: (issue) =>
    issue.code === 'invalid_union'
      ? `one of ${SOURCE_KINDS.join(', ')}`
      : 'a map of path, kind and the columns of its time',
})

export const sourceName = z.string().regex(/^[A-Za-z][A-Za-z0-9_]*$/, {
  error: 'a table name of letters, digits and `_` that begins with a letter',
})

const expectation = keys({
  min: number().exactOptional().describe('Lowest legal value.'),
  max: number().exactOptional().describe('Highest legal value.'),
  values: list(value, 'values', { min: 1 })
    .exactOptional()
    .describe('The legal values. Null is limited by `max_null_rate`.'),
  max_null_rate: number({ min: 0, max: 1 })
    .exactOptional()
    .describe('Largest share of nulls, from 0 to 1: 0.05 is 5 %.'),
})

const rows = keys({
  min: count({ min: 0 }).exactOptional().describe('Fewest rows.'),
  max: count({ min: 0 }).exactOptional().describe('Most rows.'),
  max_change: number({ min: 0 })
    .exactOptional()
    .describe(
      'Largest relative change against the nearest published as-of of the 7 days before: 0.2 is 20 %.',
    ),
})

export const viewSchema = keys({
  view: name().describe('Name of the view: the name of its folder.'),
  description: line().optional().describe('What the features describe, in one line.'),
  entity: oneOrMany(column(), 'columns').describe(
    'Column(s) that identify a row of the features: one row for each.',
  ),
  owner: owner().describe('Who is responsible for the features, such as a mail address.'),
  sources: named(sourceName, source, 'a map from table name to source')
    .refine((given) => Object.keys(given).length > 0, {
      error: 'a map from table name to source, at least one',
    })
    .describe('The tables that features.sql can read, cut at `$as_of`. It can read no others.'),
  columns: named(column(), expectation, 'a map from column to min, max, values, max_null_rate')
    .prefault({})
    .describe(
      'Expectations of the features, by column. A night that fails one is held, not published. Unlisted columns have no expectations.',
    ),
  expect: keys({
    rows: rows.optional().describe('The expected number of rows.'),
    fresh: named(z.string(), duration(), 'a map from source to a duration such as 26h')
      .prefault({})
      .describe(
        'By source: the largest age of its newest row at the as-of. If it is older, the night waits, then fails as `late_data`.',
      ),
  })
    .prefault({})
    .describe('Expectations of the features as a whole and of their sources.'),
  fill: named(column(), value, 'a map from column to value')
    .prefault({})
    .describe(
      'Value that the model gets instead of null, by column. The published features keep their nulls.',
    ),
  per_entity: flag()
    .prefault(false)
    .describe(
      'Whether a row of the features depends on rows of its own entity alone, beside sources without `buckets`. It is checked, in features.sql and each night that is computed in shards.',
    ),
  shards: count({ min: 1, max: MOST_SHARDS })
    .prefault(1)
    .describe(
      'A night is computed in at most so many parts, by as many workers as there are. Needs `per_entity` and sources with `buckets`. 1: by one worker.',
    ),
  min_shard: bytes()
    .prefault(USUAL_SHARD)
    .describe(
      'Size of the bucketed files that a part has at least, such as 500MB. A night with less than twice as much is computed by one worker.',
    ),
  parity: choice(['nightly', 'weekly'])
    .prefault('nightly')
    .describe(
      'How often a published partition is recomputed by the training path and compared value by value.',
    ),
}).describe('view.yaml: the sources and expectations of the features that features.sql computes.')

export type ViewFile = z.output<typeof viewSchema>
