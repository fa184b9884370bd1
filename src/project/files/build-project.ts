import { dirname, join } from 'node:path'
import { warehouseFolder } from '../object-path.ts'
import type { DriftReference, Model, Project, Schedule, Source, View } from '../project.ts'
import { labelKind } from '../rules/label-kind.ts'
import type { ModelFile } from '../schema/model-schema.ts'
import type { ScheduleFile } from '../schema/schedule-schema.ts'
import type { Settings } from '../schema/settings-schema.ts'
import type { ViewFile } from '../schema/view-schema.ts'
import { withKey } from '../source-kinds.ts'
import { byName } from './by-name.ts'

/** Builds the product's data shapes from the files' values and their defaults. */

export function buildView(file: ViewFile, path: string, sql: string): View {
  const folder = dirname(path)
  return {
    name: file.view,
    folder,
    sqlFile: join(folder, 'features.sql'),
    sql,
    entity: file.entity,
    owner: file.owner,
    description: file.description,
    sources: buildSources(file.sources, file.entity),
    columns: file.columns,
    expect: { rows: file.expect.rows, fresh: file.expect.fresh },
    fill: file.fill,
    perEntity: file.per_entity,
    shards: file.shards,
    minShard: file.min_shard,
    parity: file.parity,
  }
}

function buildSources(given: ViewFile['sources'], entity: string[]): Record<string, Source> {
  const sources: Record<string, Source> = {}
  for (const [table, source] of Object.entries(given)) {
    sources[table] = withKey(source, entity)
  }
  return sources
}

export function buildModel(file: ModelFile, path: string, labelsSql: string | undefined): Model {
  const folder = dirname(path)
  const { labels, onnx, score, evaluation, shadow, drift, retrain, rollback, scoring, outcomes } = file
  return {
    name: file.model,
    folder,
    description: file.description,
    owner: file.owner,
    on_call: file.on_call,
    consumers: file.consumers,
    view: file.view,
    inputs: Array.isArray(file.inputs) ? file.inputs : undefined,
    unknown: buildUnknown(file.inputs),
    onnx: {
      output: onnx.output,
      class: onnx.class,
      unknown: buildAllowed(onnx.unknown),
      inputs: onnx.inputs,
    },
    score: {
      column: score.column,
      min: score.min,
      max: score.max,
      threshold: score.threshold,
      reasons: score.reasons,
    },
    labels:
      labels === undefined || labelsSql === undefined
        ? undefined
        : {
            sqlFile: join(folder, labels.sql),
            sql: labelsSql,
            horizon: labels.horizon,
            lag: labels.lag,
            kind: labelKind(score, evaluation.require),
          },
    // The entity is declared by the view, which is not loaded here, so the key stays empty.
    sources: buildSources(file.sources, []),
    evaluation: { require: evaluation.require, segments: evaluation.segments, k: evaluation.k },
    shadow: {
      min_nights: shadow.min_nights,
      current: shadow.current === undefined ? undefined : { ...shadow.current, date: shadow.current.date },
      require: shadow.require,
    },
    drift: {
      columns: drift.columns,
      score: drift.score,
      min_effect: drift.min_effect,
      persist: drift.persist,
      reference: buildReference(drift.reference),
    },
    retrain,
    rollback: { keep_warm_nights: rollback.keep_warm_nights },
    scoring: { shards: scoring.shards, min_rows: scoring.min_rows },
    outcomes:
      outcomes === undefined
        ? undefined
        : {
            treated: outcomes.treated,
            control: outcomes.control,
            metrics: outcomes.metrics.map(({ name, sql, target }) => ({ name, sql, target })),
          },
  }
}

function buildUnknown(inputs: ModelFile['inputs']): Model['unknown'] {
  if (inputs === undefined || Array.isArray(inputs)) return {}
  return Object.fromEntries(
    Object.entries(inputs).map(([column, options]) => [column, options ?? { unknown: 'warn', max_rate: 0 }]),
  )
}

function buildAllowed(allowed: ModelFile['onnx']['unknown']): Model['onnx']['unknown'] {
  if (allowed === 'allow') return true
  return Array.isArray(allowed) ? allowed : Object.keys(allowed ?? {})
}

function buildReference(given: ModelFile['drift']['reference']): DriftReference {
  if (given === 'holdout') return { kind: 'holdout' }
  return 'same_weekday' in given
    ? { kind: 'same_weekday', weeks: given.same_weekday }
    : { kind: 'window', from: given.from, to: given.to }
}

/** `timezone` is the project's zone. It applies to schedules without their own. */
export function buildSchedule(file: ScheduleFile, path: string, timezone: string): Schedule {
  return {
    name: file.schedule,
    file: path,
    cron: file.cron,
    timezone: file.timezone ?? timezone,
    grain: file.grain,
    score: file.score ?? [],
    refresh: file.refresh ?? [],
    timeout: file.timeout,
    catch_up: { policy: file.catch_up.policy, max: file.catch_up.max },
    deadline: file.deadline,
    retry: file.retry,
    drills: file.drills,
    start: file.start,
    paused: file.paused,
  }
}

export function buildProject(
  root: string,
  settings: Settings,
  parts: { views: View[]; models: Model[]; schedules: Schedule[] },
): Project {
  return {
    root,
    name: settings.project,
    timezone: settings.timezone,
    warehouse: warehouseFolder(root, settings.warehouse),
    schema: settings.schema,
    alerts: settings.alerts,
    people: settings.people,
    pages: settings.pages,
    heartbeat: settings.heartbeat,
    timeouts: settings.timeouts,
    retention: settings.retention,
    memory: settings.memory,
    temp: settings.temp,
    objects: settings.objects,
    views: byName(parts.views),
    models: byName(parts.models),
    schedules: byName(parts.schedules),
  }
}
