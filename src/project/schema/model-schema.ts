import * as z from 'zod'
import { isAsOf } from '../time/asof.ts'
import {
  choice,
  column,
  count,
  duration,
  flag,
  keys,
  line,
  list,
  mail,
  name,
  named,
  number,
  oneOrMany,
  owner,
  pattern,
  text,
  variable,
} from './fields.ts'
import { METRICS } from './metric.ts'
import { MOST_REASONS } from './score-columns.ts'
import { source, sourceName } from './view-schema.ts'

const requirement = keys({
  min: number().exactOptional().describe('The metric is at least this on the holdout.'),
  max: number().exactOptional().describe('The metric is at most this on the holdout.'),
  max_drop: number({ min: 0 })
    .exactOptional()
    .describe('The metric is at most this much worse than the champion on the same rows.'),
}).refine((given) => Object.keys(given).length > 0, {
  error: 'a map with at least one of min, max, max_drop',
})

/** A bound between 0 and 1, which may be left out. */
function share() {
  return number({ min: 0, max: 1 }).exactOptional()
}

const score = keys({
  column: column().describe('Name of the score in the published files.'),
  min: number().optional().describe('Lowest legal score. A night with a lower one is held.'),
  max: number().optional().describe('Highest legal score. A night with a higher one is held.'),
  threshold: number()
    .optional()
    .describe('Scores at or above it have `decision` true in the published files.'),
  reasons: count({ min: 1, max: MOST_REASONS })
    .optional()
    .describe(
      'So many columns `reason_1`, `effect_1` and so on beside each score: the features with the largest effects on it. Default: none.',
    ),
})

/** A column without a value in the file (`age:`) is listed without options. */
const inputOptions = keys({
  unknown: choice(['warn', 'hold'])
    .prefault('warn')
    .describe('What happens if more rows than `max_rate` have a value that the model does not know.'),
  max_rate: number({ min: 0, max: 1 })
    .prefault(0)
    .describe('The share of rows that may have unknown values.'),
}).nullable()

const allowed = z.union(
  [
    z.literal('allow'),
    list(column(), 'columns', { min: 1 }),
    named(column(), z.literal('allow', { error: '`allow`' }), 'a map from column to `allow`'),
  ],
  { error: '`allow`, a list of columns, or a map from column to `allow`' },
)

/** YAML reads `true` as a boolean; here it is the text of a label. */
const scoreClass = z.union([count({ min: 0 }), text(), flag().transform(String)], {
  error: 'the label of a class, such as Existing, or its index, such as 1',
})

/**
 * Drift is judged on the last 60 days (src/monitoring/drift/record.ts): with more nights, an alert would never open.
 */
const MOST_NIGHTS = 60

/**
 * For categories it is converted to a distance, which reaches 1 at a PSI of 5.5: above that, no shift would count.
 */
const LARGEST_EFFECT = 5

const persist = z
  .string({ error: 'a text such as `2 of 3`' })
  .regex(/^\d{1,2} of \d{1,2}$/, {
    error: 'a text such as `2 of 3`: drifted on so many of the last so many nights',
  })
  .refine(
    (given) => {
      const [drifted = 0, nights = 0] = given.split(' of ').map(Number)
      return drifted >= 1 && drifted <= nights && nights <= MOST_NIGHTS
    },
    {
      error: `a text such as \`2 of 3\`, where the first number is at least 1 and at most the second, and the second is at most ${MOST_NIGHTS}`,
    },
  )

const MOST_SHARDS = 64
/** A part costs 0.2 s of processor time beside its rows, as much as 40,000 rows of 100 trees (docs/scale.md). */
const FEWEST_ROWS = 250_000

const night = text('a date such as 2026-11-22, or an hour such as 2026-11-22T03Z').refine(isAsOf, {
  error: 'a date such as 2026-11-22, or an hour such as 2026-11-22T03Z',
})

const reference = z.union(
  [
    z.literal('holdout'),
    keys({
      from: night.describe('The first night of a fixed window of published nights.'),
      to: night.describe('The last night of the window, inclusive.'),
    }),
    keys({
      same_weekday: count({ min: 1, max: 52 }).describe(
        'The same weekday of this many weeks before, for weekly patterns.',
      ),
    }),
  ],
  { error: '`holdout`, or { from: D, to: D } with two nights, or { same_weekday: 4 } with 1 to 52 weeks' },
)

export const modelSchema = keys({
  model: name().describe('Name of the model: the name of its folder.'),
  description: line().default('').describe('What a score means, in one line. Mails and pages show it.'),
  owner: owner().describe('Who is responsible for the model, such as a mail address.'),
  on_call: z
    .union([mail().transform((address) => [address]), list(mail(), 'mail addresses', { min: 1 })], {
      error: 'a list of mail addresses, at least one: someone has to be mailed when a night fails',
    })
    .describe('Who is mailed when a night fails or is late: one address each.'),
  consumers: list(line(), 'texts')
    .prefault([])
    .describe('Who reads the scores, such as `CRM campaign list`. Mails list them as affected.'),
  view: name().describe('The feature view that the model reads.'),
  inputs: z
    .union(
      [
        list(column(), 'columns', { min: 1 }),
        named(column(), inputOptions, 'a map from column to { unknown, max_rate }'),
      ],
      {
        error: 'a list of columns, or a map from column to { unknown: warn, max_rate: 0.01 }',
      },
    )
    .optional()
    .describe(
      'Columns of the view that the model gets, in this order. Default: all but the entity, in the order of the SQL. As a map it sets what happens with values that the model does not know; it does not have to list all columns.',
    ),
  onnx: keys({
    output: text('the name of an output of the ONNX file')
      .optional()
      .describe('Output that holds the score. Default: inferred if unambiguous.'),
    class: scoreClass
      .optional()
      .describe(
        'Class whose probability is the score: its label or its index. Default: inferred from 0 and 1, false and true, no and yes.',
      ),
    unknown: allowed
      .optional()
      .describe(
        'Columns whose values may all be unknown to the model: `allow` for any, a list, or a map from column to `allow`.',
      ),
    inputs: named(text('the name of an input of the ONNX file'), column(), 'a map from ONNX input to column')
      .prefault({})
      .describe('ONNX input to column, if their names differ.'),
  })
    .prefault({})
    .describe('How to read an ambiguous ONNX file.'),
  score: score.describe('The published score.'),
  scoring: keys({
    shards: count({ min: 1, max: MOST_SHARDS })
      .prefault(1)
      .describe(
        'A night is scored in at most so many parts, by as many workers as there are. 1: by one worker.',
      ),
    min_rows: count({ min: 1 })
      .prefault(FEWEST_ROWS)
      .describe(
        'Rows that a part has at least. A night with fewer than twice as many is scored by one worker.',
      ),
  })
    .prefault({})
    .describe('How a night is divided over workers.'),
  labels: keys({
    sql: text('a file in the folder of model.yaml')
      .prefault('labels.sql')
      .describe('File with the SQL that gives the label of each entity, in the folder of this file.'),
    horizon: duration().describe('Length of the label window: `$label_end` is the as-of plus this.'),
    lag: duration({ zero: true })
      .prefault('0d')
      .describe(
        'How long after the window its data is complete. Rows that arrive until then (`available_at`) count.',
      ),
  })
    .optional()
    .describe('What really happened. Without labels there are no training sets, evaluations or outcomes.'),
  sources: named(sourceName, source, 'a map from table name to source')
    .prefault({})
    .describe(
      'Additional tables for labels, outcomes and metrics only, declared as in view.yaml. Features do not see them, so they may change while versions are live.',
    ),
  evaluation: keys({
    require: z
      .partialRecord(z.enum(METRICS, { error: `one of ${METRICS.join(', ')}` }), requirement, {
        error: (issue) =>
          // zod's issue type omits this code, although an unknown metric produces it.
          String(issue.code) === 'unrecognized_keys'
            ? METRICS.join(', ')
            : 'a map from metric to min, max, max_drop',
      })
      .prefault({})
      .describe('What a version must reach on its holdout before it may be promoted, by metric.'),
    segments: list(column(), 'columns')
      .prefault([])
      .describe('Columns of the view by which metrics are split.'),
    k: number({ min: 0 })
      .prefault(0.1)
      .describe(
        'The highest scores that precision_at_k and lift_at_k use: a number of rows, or below 1 a share of them.',
      ),
  })
    .prefault({})
    .describe('What a version must reach, and how metrics are computed.'),
  shadow: keys({
    min_nights: count({ min: 0 })
      .prefault(14)
      .describe('Nights that a challenger must have scored in shadow before it may be promoted.'),
    current: keys({
      path: pattern().describe(
        'Parquet files with the scores of the process that the first model replaces. Of files in `as_of=D` folders, each night reads those of its own as-of.',
      ),
      entity: oneOrMany(column(), 'columns').describe(
        'Its entity column(s), in the order of the view’s entity.',
      ),
      score: column().describe('Its score column.'),
      date: column()
        .optional()
        .describe(
          'A column with the as-of of each row. Default: the folders `as_of=D`; without them every night reads all rows.',
        ),
    })
      .optional()
      .describe('For a first model: the process that it replaces, for comparison.'),
    require: keys({
      max_flips: share().describe('At most this share of the rows changes its decision.'),
      min_rank_correlation: number({ min: -1, max: 1 })
        .exactOptional()
        .describe('The rank correlation (Spearman) of both scores is at least this.'),
      min_top_overlap: share().describe(
        'At least this share of the highest scores (`evaluation.k`) is the same on both sides.',
      ),
      max_distance: share().describe(
        'The distributions of both scores are at most this far apart (Kolmogorov-Smirnov distance).',
      ),
      min_coverage: number({ min: 0, max: 1 })
        .prefault(0.99)
        .describe(
          'A night is complete if the challenger has scored at least this share of the rows it is compared with.',
        ),
    })
      .prefault({})
      .describe('What each night that counts has to meet.'),
  })
    .prefault({})
    .describe('How long a challenger scores in shadow, and what its scores have to meet.'),
  drift: keys({
    columns: list(column(), 'columns')
      .optional()
      .describe('Columns of the view that are watched. Default: all inputs.'),
    score: flag().prefault(true).describe('Whether the score is watched too.'),
    min_effect: number({ min: 0, max: LARGEST_EFFECT })
      .prefault(0.1)
      .describe('Smaller shifts (PSI) do not count, however significant.'),
    persist: persist
      .prefault('2 of 3')
      .describe(
        'An alert needs drift on N of the last M nights: `N of M`. Realized quality that is worse than required has to persist in the same way.',
      ),
    reference: reference
      .prefault('holdout')
      .describe(
        'What a night is compared with: the holdout that the version was registered or evaluated with (without one, its first night), a fixed window of published nights, or the same weekday of the last weeks.',
      ),
  })
    .prefault({})
    .describe('When a shift of the features or the score is reported.'),
  retrain: keys({
    // Words may repeat, unlike the entries of a list.
    command: z
      .array(text('a word of the command'), { error: 'a list of the words of a command, at least one' })
      .min(1, { error: 'a list of the words of a command, at least one' })
      .describe(
        'Program and arguments, run in the folder of model.yaml. It trains on the file in NIGHTSHIFT_TRAIN and writes an ONNX file to the path in NIGHTSHIFT_OUT.',
      ),
    env: list(variable(), 'names of variables')
      .prefault([])
      .describe(
        'Variables of the worker that the command gets. It gets no others of it but PATH, TMPDIR, LANG and TZ.',
      ),
    timeout: duration().prefault('6h').describe('Longest time of the command; then it is ended.'),
    cooldown: duration({ zero: true })
      .prefault('7d')
      .describe('Shortest time between the beginnings of two retrainings that a trigger starts.'),
    promote: choice(['never', 'when-ready'])
      .prefault('never')
      .describe('`when-ready`: the new version goes live by itself once every item of the gate passes.'),
    dataset: keys({
      span: duration()
        .prefault('180d')
        .describe('How far back the training set goes, from the newest night whose labels are known.'),
      every: duration().prefault('14d').describe('The step between its nights.'),
      holdout: duration().prefault('28d').describe('Its newest nights, over this time, are held out.'),
    })
      .prefault({})
      .describe('Which nights the training set of a retraining is made of.'),
    when: keys({
      drift_nights: count({ min: 1 })
        .exactOptional()
        .describe('After this many consecutive nights on which the same column drifted.'),
      auc_below: number({ min: 0, max: 1 })
        .exactOptional()
        .describe('When the realized AUC of each of the last three measured nights is below this.'),
      age: duration().exactOptional().describe('When the champion was registered longer ago than this.'),
    })
      .prefault({})
      .describe('What starts it. Default: it is only started by hand.'),
  })
    .optional()
    .describe('How a new version is trained.'),
  rollback: keys({
    keep_warm_nights: count({ min: 0 })
      .prefault(7)
      .describe('Nights that the former champion keeps scoring in shadow, so that a rollback takes seconds.'),
  })
    .prefault({})
    .describe('How rollbacks are prepared.'),
  outcomes: keys({
    treated: text('SQL')
      .optional()
      .describe(
        'SQL that selects the entities that were acted on, over the sources as labels.sql sees them. Quality is measured on the others.',
      ),
    control: text('SQL')
      .optional()
      .describe(
        'SQL that selects a random control group, which is never acted on. Quality is measured only on it.',
      ),
    metrics: list(
      keys({
        name: line().describe('Name of the figure on the page.'),
        sql: text('SQL').describe(
          'SQL that returns one number, over the tables scores, labels, treated, control and features of the night.',
        ),
        target: number().optional().describe('The value to reach, drawn as a line in the chart.'),
      }),
      'maps of name, sql and target',
    )
      .prefault([])
      .describe('Business figures.'),
  })
    .optional()
    .describe('Realized outcomes of the scores.'),
}).describe('model.yaml: what is scored, who is mailed, and what a version must reach before it goes live.')

export type ModelFile = z.output<typeof modelSchema>
