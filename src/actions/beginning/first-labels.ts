import { counted } from '../../format/numbers.ts'
import { baseOf } from '../../pipeline/beginning/base-table.ts'
import { plainName, sqlName } from '../../pipeline/beginning/data-paths.ts'
import type { Guess } from '../../pipeline/beginning/guess.ts'
import type { Proposal, ProposedTable } from '../../pipeline/beginning/propose-sources.ts'
import { literal } from '../../pipeline/engine/quote.ts'
import { keyText, typeOf } from './features-text.ts'
import { horizonOf, sourceTypes } from './first-sources.ts'

/** A column of the data that says what is to be predicted. */
export interface FoundLabel {
  table: string
  column: string
  /** The value that is 1; undefined: a number. */
  positive: string | undefined
}

export interface FirstLabels {
  sql: string
  /** Name of the label. */
  name: string
  horizon: string
  isClass: boolean
  guess: Guess
}

const NAMED =
  /^(?:is_|has_|will_)?(?:churn|churned|label|target|y|defaulted|lapsed|converted|outcome|fraud|is_fraud|attrition|attrition_flag|exited|response|survived|bought|cancelled|canceled)$/
const YES = /^(?:1|1\.0|true|t|yes|y|ja|oui|si)$/i

/** A column whose name is that of something to predict, in a table with one row for each entity. */
export function findLabel({ tables, entity }: Proposal): FoundLabel | undefined {
  for (const table of tables) {
    if (!table.isState || entity.in[table.name] === undefined) continue
    for (const { name, values, type } of table.columns) {
      if (!NAMED.test(plainName(name))) continue
      if (values?.length === 2) {
        const yes = values.find(({ value }) => YES.test(value)) ?? values.at(-1)
        return { table: table.name, column: name, positive: yes?.value }
      }
      if (/^(?:DOUBLE|FLOAT|DECIMAL.*|INTEGER|BIGINT)$/.test(sourceTypes(table)[name] ?? type))
        return { table: table.name, column: name, positive: undefined }
    }
  }
  return undefined
}

/** labels.sql: of the label that the data has, else whether anything happens again. Undefined where neither is there. */
export function firstLabels(proposal: Proposal, label: FoundLabel | undefined): FirstLabels | undefined {
  const { tables, entity } = proposal
  const table = tables.find(({ name }) => name === label?.table)
  if (label !== undefined && table !== undefined) return ofColumn(proposal, table, label)
  const events = tables.filter(
    ({ isState, name, time, rows }) =>
      !isState && time !== undefined && entity.in[name] !== undefined && rows > 0,
  )
  const most = events.toSorted((a, b) => b.rows - a.rows)[0]
  return most === undefined ? undefined : ofSilence(proposal, most)
}

function ofColumn(proposal: Proposal, table: ProposedTable, { column, positive }: FoundLabel): FirstLabels {
  const name = plainName(column) || 'label'
  const value = sqlName(column)
  const type = sourceTypes(table)[column] ?? table.columns.find((each) => each.name === column)?.type
  const isText = type === 'VARCHAR' || type === 'BOOLEAN'
  const sql =
    positive === undefined
      ? `${value}::DOUBLE`
      : `(${value} = ${isText ? literal(positive) : positive})::INTEGER`
  return {
    name,
    horizon: '30d',
    isClass: positive !== undefined,
    sql: `-- What is to be predicted: ${column} as the data has it now. A label has to be of the time from $as_of to $label_end
-- (as-of + horizon): replace this by what happened then, as soon as the data says when.
SELECT ${keysOf(proposal, table)}, ${sql} AS ${sqlName(name)}
FROM ${table.name}
WHERE ${value} IS NOT NULL
`,
    guess: {
      what: `the label is ${column}${positive === undefined ? '' : ` = ${positive}`}`,
      why: 'its name is that of something to predict; it is no feature',
      sure: 'likely',
      other: 'edit labels.sql',
    },
  }
}

function ofSilence(proposal: Proposal, table: ProposedTable): FirstLabels {
  const { entity } = proposal
  const days = horizonOf(table)
  const time = sqlName(table.time ?? '')
  const keys = (entity.in[table.name] ?? []).map(sqlName).join(', ')
  return {
    name: 'lapsed',
    horizon: `${days}d`,
    isClass: true,
    sql: `-- A guess at what is to be predicted: 1 if nothing happens in ${table.name} from $as_of to $label_end (as-of + horizon).
-- The sources are the same as in features.sql, but cut at $label_end.
SELECT ${keysOf(proposal, table)}, (count(*) FILTER (${time} >= $as_of) = 0)::INTEGER AS lapsed
FROM ${table.name}
GROUP BY ${keys}
HAVING min(${time}) < $as_of
`,
    guess: {
      what: `the label is that nothing happens in ${table.name} for ${counted(days, 'day')}`,
      why: 'no column is named as something to predict',
      sure: 'unsure',
      other: 'edit labels.sql',
    },
  }
}

/** The keys of a table; text where the features have it, those of the largest state, and numbers where they have numbers. */
function keysOf({ tables, entity }: Proposal, table: ProposedTable): string {
  const base = baseOf(tables, entity) ?? table
  return (entity.in[table.name] ?? [])
    .map((key, index) => {
      const as = entity.columns[index] ?? key
      const [own, wanted] = [typeOf(table, key), typeOf(base, entity.in[base.name]?.[index])]
      const isSame = (own === 'VARCHAR') === (wanted === 'VARCHAR')
      if (isSame || wanted === undefined || own === 'UUID' || wanted === 'UUID')
        return keyText(table, key, as)
      return `try_cast(${sqlName(key)} AS ${wanted}) AS ${sqlName(as)}`
    })
    .join(', ')
}
