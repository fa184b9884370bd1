import { type Explained, type ExplainedValue, explainScore } from '../../actions/rows/explain-score.ts'
import { clockTime } from '../../format/clock-time.ts'
import { count, figure, shortFraction, signed } from '../../format/numbers.ts'
import { withSession } from '../../host/session.ts'
import { modelNamed } from '../../project/named.ts'
import { parseAsOf } from '../../project/time/asof.ts'
import type { GlobalOptions } from '../command.ts'
import { printJson, printLine, printTable } from '../terminal/print.ts'

/** `explain MODEL ENTITY --as-of D`: how one score was produced. A composite entity is written `a/b`. */
export default function explain(
  [name = '', entityText = '']: string[],
  options: GlobalOptions & { asOf: string },
): Promise<number> {
  return withSession(options, async ({ project, database }) => {
    const model = modelNamed(project, name)
    const asOf = parseAsOf(options.asOf, project.timezone)
    const result = await explainScore({ project, database }, model, entityText, asOf)
    if (options.json) printJson(result)
    else print(result, project.timezone)
    return 0
  })
}

/** True for null with a fill, and for NaN where the fill is a number. */
function isMissing(value: ExplainedValue, fill: unknown): boolean {
  return (
    (value === null && fill !== undefined) ||
    (String(value).toLowerCase() === 'nan' && typeof fill === 'number')
  )
}

function valueText(value: ExplainedValue): string {
  return value === '' ? '""' : shortFraction(String(value))
}

function typicalText(value: string | number | null | undefined): string {
  return typeof value === 'number' ? figure(value) : value === '' ? '""' : String(value ?? '')
}

/** How effects were found, what they mean, and how well they add up. */
function methodText({
  method,
  unit,
  mean,
  rest,
  typical_score,
  background,
}: NonNullable<Explained['reasons']>): string {
  const measured = `measured against ${count(background)} rows of the night`
  return method === 'paths'
    ? `effects: what each feature adds along the paths of the trees, in ${unit === 'score' ? 'the unit of the score' : 'log-odds'}, ${measured}; from the mean ${figure(mean)} they add up to the score`
    : `effects: what the score loses where the feature alone has its typical value, ${measured}; a row of typical values has the score ${figure(typical_score)}, and ${figure(rest)} is left that features do together`
}

function print(found: Explained, timezone: string): void {
  const who = Object.entries(found.entity)
    .map(([column, value]) => `${column} ${value}`)
    .join(', ')
  const decision = found.decision === null ? '' : found.decision ? ', decision true' : ', decision false'
  printLine(`${found.model} ${found.as_of}, ${who}: ${figure(found.score, 'no number')}${decision}`)
  printLine(`  version    ${found.version}`)
  printLine(`  run        ${found.run}, published ${clockTime(found.published_at, timezone)}`)
  printLine(`  features   view ${found.view} (${found.view_hash?.slice(0, 12)}), run ${found.features_run}`)
  printLine(`  known at   ${clockTime(found.known_at, timezone)}`)
  for (const note of found.notes) printLine(`  note       ${note}`)
  printLine('')
  const { reasons } = found
  const effects = new Map(reasons?.effects.map((each) => [each.column, each]))
  const strongestFirst = [
    ...effects.keys(),
    ...Object.keys(found.features).filter((column) => !effects.has(column)),
  ]
  if (reasons !== null) printLine(`${methodText(reasons)}\n`)
  printTable(
    ['feature', 'value', 'typical', 'effect', ''],
    strongestFirst
      .map((column) => [column, found.features[column] ?? null] as const)
      .map(([column, value]) => [
        column,
        valueText(value),
        typicalText(effects.get(column)?.typical),
        signed(effects.get(column)?.effect),
        !found.inputs_of_model.includes(column)
          ? 'the model does not read it'
          : isMissing(value, found.fill[column])
            ? `the model gets ${String(found.fill[column])}`
            : reasons !== null && !effects.has(column)
              ? 'it changed nothing here'
              : '',
      ]),
  )
  printLine('')
  const sources = [...new Set(found.inputs.map((input) => input.source))]
  printTable(
    ['source', 'files', 'newest row', 'newest file'],
    sources.map((source) => {
      const files = found.inputs.filter((input) => input.source === source)
      const newest = files.reduce((best, file) => ((file.newest ?? '') > (best.newest ?? '') ? file : best))
      return [source, files.length, clockTime(newest.newest, timezone), newest.path]
    }),
  )
}
