import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pathOf, publishedRun } from '../../ledger/nights/published.ts'
import { contentOf, findRun, type Run } from '../../ledger/nights/run-records.ts'
import { Failure } from '../../pipeline/engine/failure.ts'
import { partitionPath } from '../../pipeline/partition/partition-files.ts'
import type { RowFacts } from '../../pipeline/reasons/explain-row.ts'
import { jsonValue } from '../../pipeline/scoring/json-value.ts'
import { ConfigurationError } from '../../project/files/problem.ts'
import { viewNamed } from '../../project/named.ts'
import type { Model } from '../../project/project.ts'
import type { AsOf } from '../../project/time/asof.ts'
import { findVersion } from '../../registry/version-records.ts'
import { withChild } from '../../workers/child/with-child.ts'
import type { ProjectLedger } from '../project-ledger.ts'

export type ExplainedValue = ReturnType<typeof jsonValue>

export interface Explained {
  model: string
  entity: Record<string, ExplainedValue>
  as_of: string
  score: number | null
  decision: boolean | null
  version: number
  sha256: string | null
  run: string
  published_at: string | null
  /** Relative to the project's folder. */
  path: string | null
  features: Record<string, ExplainedValue>
  inputs_of_model: string[]
  fill: Record<string, unknown>
  view: string
  view_hash: string | null
  features_run: string | null
  known_at: string | null
  inputs: Run['inputs']
  /** What each feature did to the score; null where the notes say why it could not be computed. */
  reasons: RowFacts | null
  notes: string[]
}

/** How one score was produced. A composite entity is written `a/b`. */
export async function explainScore(
  { project, database }: ProjectLedger,
  model: Model,
  entityText: string,
  asOf: AsOf,
): Promise<Explained> {
  const scored = await publishedRun(database.pool, 'scores', model.name, asOf.label)
  if (scored === undefined || scored.version === null) {
    throw new ConfigurationError(
      `explain: model ${model.name} has no published scores as of ${asOf.label}: nightshift run ${model.name} --as-of ${asOf.label}`,
    )
  }
  const number = scored.version
  const version = await findVersion(database.pool, model.name, number)
  const view = viewNamed(project, version?.view ?? model.view)
  const readings = entitiesOf(view.entity, entityText)
  const features = await featuresOf(scored, (id) => findRun(database.pool, id))
  const published = await publishedRun(database.pool, 'features', view.name, asOf.label)
  const temp = await mkdtemp(join(tmpdir(), 'nightshift-explain-'))
  return await withChild(project, async (children) => {
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
    const why = await reasonsOf(
      version === undefined || row === undefined
        ? undefined
        : () =>
            children.run('explain-row', {
              model: join(project.warehouse, version.file),
              sha256: version.sha256,
              mapping: version.mapping,
              features: partitionPath(project.warehouse, 'features', view.name, asOf.label).file,
              entity: Object.fromEntries(view.entity.map((column) => [column, row[column] ?? ''])),
              temp,
            }),
    )
    return {
      model: model.name,
      entity: typed(entity, score.types),
      as_of: asOf.label,
      score: numberOf(found[model.score.column]),
      decision: found.decision === undefined ? null : found.decision === 'true',
      version: number,
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
      reasons: why.reasons,
      notes: [
        ...why.notes,
        ...(published !== undefined && features !== undefined && contentOf(published) === contentOf(features)
          ? []
          : [
              `the features were published again since (run ${published?.id ?? 'none'}): the features shown are not the ones that were scored`,
            ]),
      ],
    }
  }).finally(() => rm(temp, { recursive: true, force: true }))
}

/** A score is shown all the same where its reasons cannot be computed, as without the version's file. */
async function reasonsOf(
  find: (() => Promise<RowFacts | undefined>) | undefined,
): Promise<{ reasons: RowFacts | null; notes: string[] }> {
  if (find === undefined) return { reasons: null, notes: ['without its features there are no reasons'] }
  try {
    return { reasons: (await find()) ?? null, notes: [] }
  } catch (error) {
    if (!(error instanceof Failure)) throw error
    return { reasons: null, notes: [`its reasons cannot be computed: ${error.message}`] }
  }
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

function typed(
  row: Record<string, string | null>,
  types: Record<string, string>,
): Record<string, ExplainedValue> {
  return Object.fromEntries(
    Object.entries(row).map(([column, value]) => [column, jsonValue(value, types[column])]),
  )
}

function numberOf(text: string | null | undefined): number | null {
  return text === null || text === undefined ? null : Number(text)
}
