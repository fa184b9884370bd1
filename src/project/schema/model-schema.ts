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
  pattern,
  text,
} from './fields.ts'
import { METRICS } from './metric.ts'
import { source, sourceName } from './view-schema.ts'

/** Columns that scores have beside the entity and the score, and the key in the folder names of the warehouse. */
export const RESERVED_COLUMNS = ['version', 'decision', 'as_of']

const requirement = keys({
  min: number().exactOptional().describe('The metric is at least this on the holdout.'),
  max: number().exactOptional().describe('The metric is at most this on the holdout.'),
  max_drop: number({ min: 0 })
    .exactOptional()
    .describe('The metric is at most this much worse than the champion on the same rows.'),
}).refine((given) => Object.keys(given).length > 0, {
  error: 'a map with at least one of min, max, max_drop',
})

const score = keys({
  column: column().describe('Name of the score in the published files.'),
  min: number().optional().describe('No score is lower, else the night is held.'),
  max: number().optional().describe('No score is higher, else the night is held.'),
  threshold: number().optional().describe('Scores at or over it are decided for: published as `decision`.'),
})

/** A column without a value in the file (`age:`) is listed and nothing more. */
const inputOptions = keys({
  unknown: choice(['warn', 'hold'])
    .prefault('warn')
    .describe('What follows when more rows than `max_rate` have a value that the model does not know.'),
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

/** YAML reads `true` as a truth value, which is a label's text here. */
const scoreClass = z.union([count({ min: 0 }), text(), flag().transform(String)], {
  error: 'the label of a class, such as Existing, or its index, such as 1',
})

/** Drift of the last 60 days is looked at (src/monitoring/drift/record.ts): of more nights an alert would never come. */
const MOST_NIGHTS = 60

/** Of categories it is the distance that says as much, which reaches 1 at a PSI of 5.5: beyond, no shift would count. */
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
      error: `a text such as \`2 of 3\`, where the first number is at least 1 and at most the second, and the second ${MOST_NIGHTS} at most`,
    },
  )

const night = text('a date such as 2026-11-22, or an hour such as 2026-11-22T03Z').refine(isAsOf, {
  error: 'a date such as 2026-11-22, or an hour such as 2026-11-22T03Z',
})

const reference = z.union(
  [
    z.literal('holdout'),
    keys({
      from: night.describe('The first night of a fixed window of published nights.'),
      to: night.describe('The last night of it, included.'),
    }),
    keys({
      same_weekday: count({ min: 1, max: 52 }).describe(
        'The same weekday of so many weeks before: for what comes and goes with the week.',
      ),
    }),
  ],
  { error: '`holdout`, or { from: D, to: D } with two nights, or { same_weekday: 4 } with 1 to 52 weeks' },
)

export const modelSchema = keys({
  model: name().describe('Name of the model: the name of its folder.'),
  description: line().default('').describe('What a score says, in a line: mails and pages print it.'),
  owner: line().describe('Who answers for the model, such as a mail address.'),
  on_call: z
    .union([mail().transform((address) => [address]), list(mail(), 'mail addresses', { min: 1 })], {
      error: 'a list of mail addresses, at least one: somebody has to be woken when a night fails',
    })
    .describe('Who is mailed when a night fails or is late: one address each.'),
  consumers: list(line(), 'texts')
    .prefault([])
    .describe('Who reads the scores, such as `CRM campaign list`: mails name them as affected.'),
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
      'Columns of the view that the model gets, in this order. Default: all but the entity, in the order of the SQL. As a map it says what follows from values that the model does not know; it need not name all columns.',
    ),
  onnx: keys({
    output: text('the name of an output of the ONNX file')
      .optional()
      .describe('Output that holds the score. Default: inferred where the file leaves no doubt.'),
    class: scoreClass
      .optional()
      .describe(
        'Class whose probability is the score: its label, or its index. Default: inferred of 0 and 1, false and true, no and yes.',
      ),
    unknown: allowed
      .optional()
      .describe(
        'Columns whose values may all be unknown to the model: `allow` for any, a list, or a map from column to `allow`.',
      ),
    inputs: named(text('the name of an input of the ONNX file'), column(), 'a map from ONNX input to column')
      .prefault({})
      .describe('ONNX input to column, where their names differ.'),
  })
    .prefault({})
    .describe('How the ONNX file is read, where it leaves a doubt.'),
  score: score.describe('The published score.'),
  labels: keys({
    sql: text('a file beside model.yaml')
      .prefault('labels.sql')
      .describe('SQL that gives the label of each entity, beside this file.'),
    horizon: duration().describe(
      'How long after the as-of the label looks: `$label_end` is the as-of plus this.',
    ),
    lag: duration({ zero: true })
      .prefault('0d')
      .describe('How much longer it takes until the data of that time is complete.'),
  })
    .optional()
    .describe('What really happened. Without labels there are no training sets, evaluations or outcomes.'),
  sources: named(sourceName, source, 'a map from table name to source')
    .prefault({})
    .describe(
      'Tables for labels, outcomes and metrics alone, declared as in view.yaml, beside those of the view. No feature sees them: they may come and change while versions are live.',
    ),
  evaluation: keys({
    require: z
      .partialRecord(z.enum(METRICS, { error: `one of ${METRICS.join(', ')}` }), requirement, {
        error: (issue) =>
          // zod's type of the issue leaves this code out, though it is what an unknown metric gives.
          String(issue.code) === 'unrecognized_keys'
            ? METRICS.join(', ')
            : 'a map from metric to min, max, max_drop',
      })
      .prefault({})
      .describe('What a version must reach on its holdout before it may be promoted, by metric.'),
    segments: list(column(), 'columns')
      .prefault([])
      .describe('Columns of the view by which metrics are shown apart.'),
    k: number({ min: 0 })
      .prefault(0.1)
      .describe(
        'The highest scores that precision_at_k and lift_at_k look at: a number of rows, or below 1 a share of them.',
      ),
  })
    .prefault({})
    .describe('When a version is good enough.'),
  shadow: keys({
    min_nights: count({ min: 0 })
      .prefault(14)
      .describe('Nights that a challenger must have scored beside the champion before it may be promoted.'),
    current: keys({
      path: pattern().describe('Scores of the process that the first model replaces.'),
      entity: oneOrMany(column(), 'columns').describe('Its entity column(s).'),
      score: column().describe('Its score column.'),
    })
      .optional()
      .describe('For a first model: the process that it will replace, to be compared with.'),
  })
    .prefault({})
    .describe('How long a challenger scores beside the champion.'),
  drift: keys({
    columns: list(column(), 'columns')
      .optional()
      .describe('Columns of the view that are watched. Default: all inputs.'),
    score: flag().prefault(true).describe('Whether the score is watched too.'),
    min_effect: number({ min: 0, max: LARGEST_EFFECT })
      .prefault(0.1)
      .describe('No shift smaller than this (PSI) counts, however sure it is.'),
    persist: persist
      .prefault('2 of 3')
      .describe('An alert needs drift on so many of the last so many nights.'),
    reference: reference
      .prefault('holdout')
      .describe(
        'What a night is compared with: the holdout that the version was registered or evaluated with (without one, its first night), a fixed window of published nights, or the same weekday of the last weeks.',
      ),
  })
    .prefault({})
    .describe('When a shift in the features or the score is told.'),
  retrain: keys({
    command: list(text('a word of the command'), 'the words of a command', { min: 1 }).describe(
      'Program and arguments, run in the project folder.',
    ),
    when: keys({
      drift_nights: count({ min: 1 }).exactOptional().describe('After so many nights with drift in a row.'),
      auc_below: number({ min: 0, max: 1 })
        .exactOptional()
        .describe('When the AUC of matured nights falls below.'),
      age: duration().exactOptional().describe('When the champion is older.'),
    })
      .prefault({})
      .describe('What starts it. Without any, only a person does.'),
  })
    .optional()
    .describe('How a new version is trained.'),
  rollback: keys({
    keep_warm_nights: count({ min: 0 })
      .prefault(7)
      .describe(
        'Nights that the former champion goes on scoring in shadow, so that going back takes seconds.',
      ),
  })
    .prefault({})
    .describe('How fast the way back is.'),
  outcomes: keys({
    treated: text('SQL')
      .optional()
      .describe(
        'SQL that gives the entities that were acted on, over the sources as labels.sql sees them: quality is measured on the others.',
      ),
    control: text('SQL')
      .optional()
      .describe(
        'SQL that gives a random control group, which is never acted on: quality is measured on it alone.',
      ),
    metrics: list(
      keys({
        name: line().describe('What the figure is called on the page.'),
        sql: text('SQL').describe(
          'SQL over the tables scores, labels, treated, control and features of the night that gives one number.',
        ),
        target: number().optional().describe('The value to reach: a line in the picture.'),
      }),
      'maps of name, sql and target',
    )
      .prefault([])
      .describe('Business figures.'),
  })
    .optional()
    .describe('What came of the scores.'),
}).describe('model.yaml: what is scored, who is woken, and what a version must show before it goes live.')

export type ModelFile = z.output<typeof modelSchema>
