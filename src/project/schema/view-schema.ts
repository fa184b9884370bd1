import * as z from 'zod'
import {
  choice,
  column,
  count,
  duration,
  keys,
  line,
  list,
  name,
  named,
  number,
  oneOrMany,
  pattern,
  zone,
  zoneOrLocal,
} from './fields.ts'

const value = z.union([z.string(), z.number(), z.boolean()], { error: 'a text, a number, true or false' })

/** Types that a folder's key can be declared as. */
const keyTypes = ['VARCHAR', 'INTEGER', 'BIGINT', 'DATE', 'BOOLEAN'] as const

const files = {
  path: pattern().describe(
    'Parquet files, relative to the project or absolute. `*` is any part of a name, `**` any folders.',
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
      'Zone of single columns, where it is another. `local` takes the wall time as it stands: a birthday at midnight stays a birthday.',
    ),
  settle: duration({ zero: true })
    .exactOptional()
    .describe(
      'How long after its last change a file that cannot be read may still be being written: so long the night waits, then it is held. Default: 5m.',
    ),
  optional: list(column(), 'columns')
    .exactOptional()
    .describe(
      'Columns that some files may lack: they read null there. Any other column that the SQL reads has to be in every file.',
    ),
  hive: named(column(), choice(keyTypes), 'a map from key to type')
    .exactOptional()
    .describe(
      'Types of the keys of `key=value` folders. Default: DATE where all keys on disk are dates, BIGINT where all are whole numbers without leading zeros, else VARCHAR, as decided when the definition is first used.',
    ),
}

const arrival = {
  available_at: column()
    .exactOptional()
    .describe(
      'Column that says when a row arrived in the files. With it, a night sees only what had arrived when it ran. Needs `cutoff`.',
    ),
  cutoff: duration({ zero: true })
    .exactOptional()
    .describe('How long after the as-of rows may still arrive and count. Needs `available_at`.'),
}

/** draft-07's word for: the one key needs the other. */
const TOGETHER = { dependencies: { available_at: ['cutoff'], cutoff: ['available_at'] } }

const events = keys({
  kind: z
    .literal('events')
    .describe('Things that happened, each at a time. A night sees rows with `event_time` before its as-of.'),
  ...files,
  event_time: column().describe('Column of the time at which it happened, not of the load.'),
  ...arrival,
}).meta(TOGETHER)

const history = keys({
  kind: z
    .literal('history')
    .describe(
      'States that hold from one time to another. A night sees one row for each key: the one valid at its as-of.',
    ),
  ...files,
  key: oneOrMany(column(), 'columns')
    .exactOptional()
    .describe('Column(s) that identify what has the state. Default: the entity.'),
  valid_from: column().describe('Column of the time from which the row holds.'),
  valid_to: column()
    .exactOptional()
    .describe(
      'Column of the time at which it ceased to hold. Reads null where that lies after the as-of: nobody knew it then.',
    ),
  ...arrival,
}).meta(TOGETHER)

const snapshots = keys({
  kind: z
    .literal('snapshots')
    .describe('Whole copies of a table. A night sees the newest one before its as-of.'),
  ...files,
  snapshot_at: column().describe(
    'Column, or key in the folder names (`day=2026-11-22`), of the time of the copy.',
  ),
})

const still = keys({
  kind: z
    .literal('static')
    .describe(
      'A table without time: always seen as it is now. A leak risk, and named as one by the readiness gate.',
    ),
  ...files,
})

export const source = z.discriminatedUnion('kind', [events, history, snapshots, still], {
  error: (issue) =>
    issue.code === 'invalid_union'
      ? 'one of events, history, snapshots, static'
      : 'a map of path, kind and the columns of its time',
})

export const sourceName = z.string().regex(/^[A-Za-z][A-Za-z0-9_]*$/, {
  error: 'a table name of letters, digits and `_` that begins with a letter',
})

const expectation = keys({
  min: number().exactOptional().describe('No value is lower.'),
  max: number().exactOptional().describe('No value is higher.'),
  values: list(value, 'values', { min: 1 })
    .exactOptional()
    .describe('No other value occurs. Null is counted by `max_null_rate`.'),
  max_null_rate: number({ min: 0, max: 1 })
    .exactOptional()
    .describe('Largest share of nulls: 0 is none, 0.05 is one in twenty.'),
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
  description: line().optional().describe('What the features are about, in a line.'),
  entity: oneOrMany(column(), 'columns').describe(
    'Column(s) that identify a row of the features: one row for each.',
  ),
  owner: line().describe('Who answers for the features, such as a mail address.'),
  sources: named(sourceName, source, 'a map from table name to source')
    .refine((given) => Object.keys(given).length > 0, {
      error: 'a map from table name to source, at least one',
    })
    .describe('The tables that features.sql sees, cut at `$as_of`. It sees no others.'),
  columns: named(column(), expectation, 'a map from column to min, max, values, max_null_rate')
    .prefault({})
    .describe(
      'What must hold of the features, by column. A night that breaks one is held, not published. Unlisted columns have no expectations.',
    ),
  expect: keys({
    rows: rows.optional().describe('How many rows there must be.'),
    fresh: named(z.string(), duration(), 'a map from source to a duration such as 26h')
      .prefault({})
      .describe(
        'By source: its newest row must be no older than this at the as-of, else the night waits, then fails as late data.',
      ),
  })
    .prefault({})
    .describe('What must hold of the features as a whole, and of their sources.'),
  fill: named(column(), value, 'a map from column to value')
    .prefault({})
    .describe(
      'Value that the model gets instead of null, by column. Only models see it: the published features keep their nulls.',
    ),
  parity: choice(['nightly', 'weekly'])
    .prefault('nightly')
    .describe(
      'How often a published partition is recomputed the way training sets are, and compared value by value.',
    ),
}).describe('view.yaml: the sources and the promises of the features that features.sql computes.')

export type ViewFile = z.output<typeof viewSchema>
