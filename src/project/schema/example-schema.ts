import * as z from 'zod'
import { AS_OF_LEGAL, isAsOf } from '../time/asof.ts'
import { column, columnType, keys, line, named, sentence } from './fields.ts'
import { sourceName } from './view-schema.ts'

const cell = z
  .union([z.string(), z.number(), z.boolean(), z.null()], { error: 'a text, a number, true, false or null' })
  .superRefine((given, context) => {
    if (typeof given !== 'number' || !Number.isInteger(given) || Number.isSafeInteger(given)) return
    context.addIssue(
      sentence(
        `${given} is a whole number that YAML does not read to its last digit: write it in quotes, as '9007199254740993'`,
      ),
    )
  })

const rows = z.array(named(column(), cell, 'a map from column to value'), { error: 'a list of rows' })

export const exampleSchema = keys({
  example: line().describe('What the example shows, in one line.'),
  as_of: z
    .string({ error: AS_OF_LEGAL })
    .refine(isAsOf, { error: AS_OF_LEGAL })
    .describe('The as-of at which the features are computed.'),
  types: named(
    sourceName,
    named(column(), columnType(), 'a map from column to type'),
    'a map from source to the types of its columns',
  )
    .prefault({})
    .describe(
      'Types of the columns of each source, as in its Parquet files. A column without one takes its type from its values. A column of no row reads null.',
    ),
  sources: named(sourceName, rows, 'a map from source to a list of rows').describe(
    'The rows of each source, as they stand in its Parquet files: times without a zone are in the zone of the source.',
  ),
  rows: rows.describe(
    'The rows that features.sql returns: all of them, each with the entity. Columns that a row leaves out are not compared.',
  ),
}).describe('features/<view>/examples/*.yaml: rows of the sources and the features that come of them.')

export type ExampleFile = z.output<typeof exampleSchema>
export type Cell = z.output<typeof cell>
