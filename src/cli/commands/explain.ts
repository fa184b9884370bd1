import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { GlobalOptions } from '../../cli.ts'
import { clockTime } from '../../format/clock-time.ts'
import { withSession } from '../../host/session.ts'
import { publishedRun } from '../../ledger/nights/published.ts'
import { findRun, type Run } from '../../ledger/nights/run-records.ts'
import { partitionPath } from '../../pipeline/partition/partition-files.ts'
import { jsonValue } from '../../pipeline/scoring/lookup.ts'
import { ConfigurationError } from '../../project/files/problem.ts'
import { parseAsOf } from '../../project/time/asof.ts'
import { findVersion } from '../../registry/version-records.ts'
import { openChildren } from '../../workers/child/children.ts'
import { modelNamed, viewNamed } from '../terminal/find.ts'
import { printJson, printLine, printTable } from '../terminal/print.ts'
import { pathOf } from '../terminal/run-json.ts'

/** `explain MODEL ENTITY --as-of D`: how one score was produced. A composite entity is written `a/b`. */
export default function explain(
  [name = '', entityText = '']: string[],
  options: GlobalOptions & { asOf: string },
): Promise<number> {
  return withSession(options, async ({ project, database }) => {
    const model = modelNamed(project, name)
    const asOf = parseAsOf(options.asOf, project.timezone)
    const scored = await publishedRun(database.pool, 'scores', model.name, asOf.label)
    if (scored === undefined || scored.version === null) {
      throw new ConfigurationError(
        `explain: model ${model.name} has no published scores as of ${asOf.label}: nightshift run ${model.name} --as-of ${asOf.label}`,
      )
    }
    const version = await findVersion(database.pool, model.name, scored.version)
    const view = viewNamed(project, version?.view ?? model.view)
    const readings = entitiesOf(view.entity, entityText)
    const features = await featuresOf(scored, (id) => findRun(database.pool, id))
    const published = await publishedRun(database.pool, 'features', view.name, asOf.label)
    const children = openChildren({ places: 1, timeouts: () => project.timeouts })
    const temp = await mkdtemp(join(tmpdir(), 'nightshift-explain-'))
    try {
      const lookUp = (kind: 'features' | 'scores', of: string, entities: Record<string, string>[]) =>
        children.run('lookup', {
          path: partitionPath(project.warehouse, kind, of, asOf.label).file,
          entities,
          temp,
        })
      const score = await lookUp('scores', model.name, readings)
      if (score.row === undefined) {
        throw new ConfigurationError(
          `explain: expected an entity (${view.entity.join(', ')}) of ${model.name} as of ${asOf.label}, got: ${entityText}; the nearest are ${score.near.join(', ')}`,
        )
      }
      const found = score.row
      const entity = Object.fromEntries(view.entity.map((column) => [column, found[column] ?? '']))
      const computed = published === undefined ? undefined : await lookUp('features', view.name, [entity])
      const row = computed?.row
      const result = {
        model: model.name,
        entity: typed(entity, score.types),
        as_of: asOf.label,
        score: numberOf(score.row[model.score.column]),
        decision: score.row.decision === undefined ? null : score.row.decision === 'true',
        version: scored.version,
        sha256: version?.sha256 ?? null,
        run: scored.id,
        published_at: scored.ended_at,
        path: pathOf(project, scored),
        features:
          row === undefined
            ? {}
            : typed(
                Object.fromEntries(Object.entries(row).filter(([column]) => !view.entity.includes(column))),
                computed?.types ?? {},
              ),
        inputs_of_model: version?.inputs ?? [],
        fill: view.fill,
        view: view.name,
        view_hash: features?.view_hash ?? scored.view_hash,
        features_run: features?.id ?? null,
        known_at: features?.known_at ?? null,
        inputs: features?.inputs ?? [],
        notes:
          published?.id === features?.id
            ? []
            : [
                `the features were published again since (run ${published?.id ?? 'none'}): the features shown are not the ones that were scored`,
              ],
      }
      if (options.json) printJson(result)
      else print(result, project.timezone)
      return 0
    } finally {
      await children.close()
      await rm(temp, { recursive: true, force: true })
    }
  })
}

/** `/` separates columns, and a value may contain one too: returns every possible division of the text. */
function entitiesOf(names: string[], text: string): Record<string, string>[] {
  const readings = divisions(text.split('/'), names.length)
  // An empty text is valid for an entity of one column.
  if (readings.length === 0) {
    throw new ConfigurationError(`explain: expected the entity as ${names.join('/')}, got: ${text}`)
  }
  return readings.map((values) => Object.fromEntries(names.map((name, index) => [name, values[index] ?? ''])))
}

function divisions(parts: string[], count: number): string[][] {
  if (count === 1) return [[parts.join('/')]]
  return parts.slice(0, Math.max(0, parts.length - count + 1)).flatMap((_, index) => {
    const first = parts.slice(0, index + 1).join('/')
    return divisions(parts.slice(index + 1), count - 1).map((rest) => [first, ...rest])
  })
}

async function featuresOf(
  scored: Run,
  find: (id: string) => Promise<Run | undefined>,
): Promise<Run | undefined> {
  const id = scored.metadata?.features_run
  return id === undefined ? undefined : find(id)
}

function typed(row: Record<string, string | null>, types: Record<string, string>): Record<string, Value> {
  return Object.fromEntries(
    Object.entries(row).map(([column, value]) => [column, jsonValue(value, types[column])]),
  )
}

function numberOf(text: string | null | undefined): number | null {
  return text === null || text === undefined ? null : Number(text)
}

type Value = ReturnType<typeof jsonValue>

/** True for null with a fill, and for NaN where the fill is a number. */
function isMissing(value: Value, fill: unknown): boolean {
  return (
    (value === null && fill !== undefined) ||
    (String(value).toLowerCase() === 'nan' && typeof fill === 'number')
  )
}

interface Explained {
  model: string
  entity: Record<string, Value>
  as_of: string
  score: number | null
  decision: boolean | null
  version: number
  run: string
  published_at: string | null
  features: Record<string, Value>
  inputs_of_model: string[]
  fill: Record<string, unknown>
  view: string
  view_hash: string | null
  features_run: string | null
  known_at: string | null
  inputs: Run['inputs']
  notes: string[]
}

function print(found: Explained, timezone: string): void {
  const who = Object.entries(found.entity)
    .map(([column, value]) => `${column} ${value}`)
    .join(', ')
  const decision = found.decision === null ? '' : found.decision ? ', decision true' : ', decision false'
  printLine(`${found.model} ${found.as_of}, ${who}: ${found.score ?? 'no number'}${decision}`)
  printLine(`  version    ${found.version}`)
  printLine(`  run        ${found.run}, published ${clockTime(found.published_at, timezone)}`)
  printLine(`  features   view ${found.view} (${found.view_hash?.slice(0, 12)}), run ${found.features_run}`)
  printLine(`  known at   ${clockTime(found.known_at, timezone)}`)
  for (const note of found.notes) printLine(`  note       ${note}`)
  printLine('')
  printTable(
    ['feature', 'value', ''],
    Object.entries(found.features).map(([column, value]) => [
      column,
      String(value),
      !found.inputs_of_model.includes(column)
        ? 'the model does not read it'
        : isMissing(value, found.fill[column])
          ? `the model gets ${String(found.fill[column])}`
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
