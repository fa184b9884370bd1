import { timeText } from '../../../format/time-text.ts'
import type { NightDrift } from '../../../monitoring/drift/record.ts'
import { MEASURES } from '../../../pipeline/drift/measures.ts'
import { type Cell, csv } from '../../csv.ts'
import type { Night } from './load.ts'

const DRIFT = [
  'model',
  'as_of',
  'run',
  'column',
  'score',
  'rows',
  'statistic',
  'threshold',
  'threshold_from',
  'drifted',
  'alerting',
  ...MEASURES.map(({ key }) => key),
  'null_rate',
  'reference_null_rate',
  'unseen_rate',
  'mean',
  'reference_mean',
  'p',
  'note',
]

/** Drift of one night: one line per column. Means of dates and times are ISO 8601. */
export function driftCsv(columns: NightDrift[]): string {
  return csv(
    DRIFT,
    columns.map((each) => [
      each.model,
      each.partition,
      each.run,
      each.column,
      each.score,
      each.rows,
      each.statistic,
      each.threshold,
      each.threshold_from,
      each.drifted,
      each.alerting,
      ...MEASURES.map(({ key }) => each[key]),
      // Without rows there is no rate.
      each.rows === 0 ? null : each.null_rate,
      each.reference.rows === 0 ? null : each.reference.null_rate,
      each.rows === 0 ? null : each.unseen_rate,
      timeText(each.mean, each.type) ?? each.mean,
      timeText(each.reference.mean, each.type) ?? each.reference.mean,
      each.p,
      each.note,
    ]),
  )
}

/** One night in one long table: its facts, steps, expectations and inputs. */
export function nightCsv(night: Night): string {
  const { slot, run, attempts, features } = night
  const inputs = run?.inputs.length ? run.inputs : (features?.run?.inputs ?? [])
  const checks = [...(features?.run?.checks ?? []), ...(run?.checks ?? [])]
  const fact = (name: string, value: Cell): Cell[] => ['night', name, value, null, null, null]
  return csv(
    ['section', 'name', 'value', 'bound', 'state', 'message'],
    [
      fact('name', slot.name),
      fact('kind', slot.kind),
      fact('as_of', slot.partition),
      ['night', 'state', slot.state, null, slot.state, slot.reason ?? run?.failure?.message ?? null],
      fact('due', slot.due),
      fact('deadline', slot.deadline),
      fact('published_at', slot.published_at),
      fact('run', run?.id),
      fact('version', run?.version),
      fact('rows', run?.rows),
      fact('sha256', run?.sha256),
      ...attempts.flatMap(({ number, steps, outcome, failure }) => [
        ['attempt', `attempt ${number}`, null, null, outcome, failure?.message ?? null],
        ...steps.map(({ step, ms }): Cell[] => ['step', `attempt ${number}: ${step}`, ms, null, null, 'ms']),
      ]),
      ...checks.map((check): Cell[] => [
        'expectation',
        check.id,
        check.observed,
        check.bound,
        check.passed ? 'met' : 'failed',
        check.message,
      ]),
      ...inputs.map((file): Cell[] => ['input', file.path, file.rows, null, file.newest, file.source]),
    ],
  )
}
