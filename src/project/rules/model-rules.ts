import type { Fault } from '../files/entry.ts'
import { didYouMean } from '../files/nearest.ts'
import { MOST_PROBLEMS } from '../files/problem.ts'
import { listed } from '../files/value-text.ts'
import { isBuiltIn, METRICS, NIGHT_COLUMNS, NIGHT_TABLES } from '../schema/metric.ts'
import { reservedColumns } from '../schema/score-columns.ts'
import { isAsOf } from '../time/asof.ts'
import { entriesOf, isMap, minOverMax } from './map.ts'
import { withoutBuckets } from './shard-rules.ts'
import { sourceRules } from './view-rules.ts'

/** Rules over several keys of one model.yaml. */
export function modelRules(data: Record<string, unknown>): Fault[] {
  const require = isMap(data.evaluation) ? data.evaluation.require : undefined
  return [
    ...score(data.score),
    ...entriesOf(require).flatMap(([metric, bounds]) =>
      minOverMax(bounds, ['evaluation', 'require', metric]),
    ),
    ...mapping(data.onnx, data.inputs),
    ...watched(data.drift),
    ...window(data.drift),
    ...shadow(data),
    ...outcomes(data),
    ...sources(data),
  ]
}

function score(given: unknown): Fault[] {
  if (!isMap(given)) return []
  const { column, threshold, min, max } = given
  const taken = reservedColumns(given.reasons)
  const faults = minOverMax(given, ['score'])
  if (typeof column === 'string' && taken.includes(column.toLowerCase())) {
    const message = `score.column is ${column}, a name that scores already use (${taken.join(', ')}): choose another, such as ${column}_score`
    faults.push({ path: ['score', 'column'], message })
  }
  const below = typeof threshold === 'number' && typeof min === 'number' && threshold < min
  const above = typeof threshold === 'number' && typeof max === 'number' && threshold > max
  if (below || above) {
    const bound = below ? `below score.min ${min}` : `above score.max ${max}`
    faults.push({
      path: ['score', 'threshold'],
      message: `score.threshold is ${threshold}, ${bound}: every score would be on one side of it`,
    })
  }
  return faults
}

function mapping(onnx: unknown, inputs: unknown): Fault[] {
  if (!isMap(onnx) || !Array.isArray(inputs)) return []
  const known = inputs.map(String)
  const columns = new Set(known)
  const wrong = entriesOf(onnx.inputs).filter(
    ([, column]) => typeof column === 'string' && !columns.has(column),
  )
  return wrong.slice(0, MOST_PROBLEMS + 1).map(([input, given]) => {
    const column = String(given)
    const message = `onnx.inputs.${input} names ${column}, which is not among the inputs: ${listed(known)}${didYouMean(column, known)}`
    return { path: ['onnx', 'inputs', input], message }
  })
}

/** An empty list is legal: it watches only the score. It may have been meant as the default. */
function watched(drift: unknown): Fault[] {
  if (!isMap(drift) || !Array.isArray(drift.columns) || drift.columns.length > 0) return []
  const path = ['drift', 'columns']
  if (drift.score === false) {
    const message =
      'drift watches nothing: columns is an empty list and score is false; list columns, remove the key to watch all inputs, or set score to true'
    return [{ path, message }]
  }
  const message =
    'drift.columns is an empty list: only the score is watched; remove the key to watch all inputs'
  return [{ path, severity: 'warning', message }]
}

/** A window of two dates or two hours. As-ofs of one grain sort correctly as text. */
function window(drift: unknown): Fault[] {
  const reference = isMap(drift) ? drift.reference : undefined
  if (!isMap(reference)) return []
  const { from, to } = reference
  if (typeof from !== 'string' || typeof to !== 'string' || !isAsOf(from) || !isAsOf(to)) return []
  const path = ['drift', 'reference']
  if (from.includes('T') !== to.includes('T')) {
    const message = `drift.reference goes from ${from} to ${to}, a date and an hour: name two dates, or two hours`
    return [{ path, message }]
  }
  if (from <= to) return []
  return [{ path, message: `drift.reference goes from ${from} to ${to}: the range is empty; swap them` }]
}

/** Decisions change at a threshold only. */
function shadow({ shadow: given, score: scored }: Record<string, unknown>): Fault[] {
  const require = isMap(given) ? given.require : undefined
  if (!isMap(require) || require.max_flips === undefined) return []
  if (isMap(scored) && scored.threshold !== undefined && scored.threshold !== null) return []
  const message =
    'shadow.require.max_flips needs score.threshold: without a threshold there are no decisions that could change'
  return [{ path: ['shadow', 'require', 'max_flips'], key: true, message }]
}

/** A model's own sources serve only labels and outcomes, and must not use the names of a night's tables. */
function sources({ sources: given, labels }: Record<string, unknown>): Fault[] {
  if (!isMap(given)) return []
  const names = Object.keys(given)
  const faults = [...sourceRules(given), ...withoutBuckets(given)]
  if (names.length > 0 && (labels === undefined || labels === null)) {
    const message =
      'sources need labels: they serve only labels.sql and outcomes; declare the sources of features in view.yaml'
    faults.push({ path: ['sources'], key: true, message })
  }
  for (const name of names.filter((each) => NIGHT_TABLES.some((table) => table === each.toLowerCase()))) {
    const message = `sources has ${name}, the name of a table that every night has (${NIGHT_TABLES.join(', ')}): choose another`
    faults.push({ path: ['sources', name], key: true, message })
  }
  return faults
}

/** Names of figures must be unique, and outcomes need labels. */
function outcomes({ outcomes: given, labels }: Record<string, unknown>): Fault[] {
  if (!isMap(given)) return []
  const faults: Fault[] = []
  if (labels === undefined || labels === null) {
    faults.push({
      path: ['outcomes'],
      key: true,
      message:
        'outcomes need labels: add `labels: { sql: labels.sql, horizon: 30d }`, which defines what really happened',
    })
  }
  const names = (Array.isArray(given.metrics) ? given.metrics : []).map((metric) =>
    isMap(metric) ? metric.name : undefined,
  )
  const seen = new Set<string>()
  names.forEach((name, index) => {
    if (typeof name !== 'string') return
    const path = ['outcomes', 'metrics', index, 'name']
    if (isBuiltIn(name)) {
      const message = `expected outcomes.metrics[${index}].name to differ from the figures and columns that a night already has (${[...METRICS, ...NIGHT_COLUMNS].join(', ')}), got: "${name}"; choose another, such as "own ${name}"`
      faults.push({ path, message })
    }
    const isFirst = !seen.has(name)
    seen.add(name)
    if (isFirst) return
    faults.push({
      path,
      message: `outcomes.metrics has a second ${name}: give each figure a unique name`,
    })
  })
  return faults
}
