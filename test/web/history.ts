import type { ClientBase } from 'pg'
import { type Database, transaction } from '../../src/ledger/connection/database.ts'
import { recordProfile } from '../../src/monitoring/drift/record.ts'
import { storeBaseline } from '../../src/monitoring/drift/stored-baselines.ts'
import { recordOutcome } from '../../src/monitoring/outcomes/record.ts'
import type { Drift } from '../../src/pipeline/drift/drift-figures.ts'
import { NO_FIGURES } from '../../src/pipeline/drift/measures.ts'
import type { OutcomeFacts } from '../../src/pipeline/outcomes/outcome-facts.ts'
import type { ColumnProfile, NumberProfile, Profile } from '../../src/pipeline/profile/profile.ts'
import { categoryProfile, normal, numberProfile } from '../charts/sample.ts'

/** How model `value` of the generated project is described, so that its nights have outcomes. */
export const MODEL_YAML = `model: value
description: Probability that a customer is worth a call
owner: crm@example.com
on_call: [oncall@example.com]
consumers: [CRM retention list]
view: activity
score: { column: score, min: 0, max: 1 }
labels: { sql: labels.sql, horizon: 30d }
evaluation: { require: { auc: { min: 0.72 } }, segments: [plan] }
drift: { columns: [spend], persist: 2 of 3 }
outcomes:
  metrics:
    - { name: saved per contact, sql: SELECT 1, target: 36 }
`
export const LABELS_SQL = 'SELECT customer_id, count(*) > 1 AS label FROM events GROUP BY customer_id\n'

const NIGHTS = 75
const FIRST = Date.UTC(2025, 8, 1)
/** The last night of the history. */
export const LAST = labelOf(NIGHTS - 1)
/** A night that failed. */
export const FAILED = labelOf(40)
/** From this night on, two columns have shifted. */
export const SHIFTED = labelOf(60)

export function labelOf(night: number): string {
  return new Date(FIRST + night * 86_400_000).toISOString().slice(0, 10)
}

/**
 * Seventy-five nights of model `value` in the ledger, as scheduler, worker and monitor would have left them: the first six
 * back-filled, one failed, version 2 champion from the 30th on, version 3 in shadow from the 66th; spend and plan shifted
 * from the 60th on; the last 30 immature.
 */
export async function writeHistory(database: Database): Promise<void> {
  await transaction(database, async (client) => {
    for (const version of [1, 2, 3]) await register(client, version)
    await client.query(`insert into nightshift.champions (model, version, since) values ('value', 2, $1)`, [
      at(29, 10),
    ])
    await promotions(client)
    const before = profileOf(-1)
    for (const version of [1, 2]) {
      await storeBaseline(client, 'value', version, {
        text: 'holdout of 3f2a9c0b1d',
        kind: 'holdout',
        dataset: '3f2a9c0b1d',
        rows: before.rows,
        profile: before,
        by_as_of: [],
      })
    }
    for (let night = 0; night < NIGHTS; night++) await writeNight(client, night, before)
  })
}

async function writeNight(client: ClientBase, night: number, before: Profile): Promise<void> {
  const partition = labelOf(night)
  const as_of = new Date(at(night, 0)).toISOString()
  const run = `night${String(night).padStart(3, '0')}`
  const version = night < 30 ? 1 : 2
  const failed = partition === FAILED
  const backfilled = night < 6
  const profile = profileOf(night)
  const { rows } = await client.query<{ id: string }>(
    `insert into nightshift.slots (kind, name, as_of, partition, state, due, deadline, run, published_run, published_at)
     values ('scores', 'value', $1, $2, $3, $4, $5, $6, $7, $8) returning id`,
    [
      as_of,
      partition,
      failed ? 'failed' : 'published',
      at(night, 2),
      at(night, 6),
      run,
      failed ? null : run,
      failed ? null : at(night, 2.01),
    ],
  )
  await client.query(
    `insert into nightshift.runs (id, slot, kind, name, as_of, partition, state, trigger, backfill, version, settings,
       attempt, rows, sha256, failure, created_at, started_at, ended_at)
     values ($1, $2, 'scores', 'value', $3, $4, $5, $6, $7, $8, '{}', 1, $9, $10, $11, $12, $12, $13)`,
    [
      run,
      rows[0]?.id,
      as_of,
      partition,
      failed ? 'failed' : 'published',
      backfilled ? 'backfill' : 'schedule',
      backfilled ? 1 : null,
      version,
      failed ? null : profile.rows,
      'c0ffee'.repeat(10) + run.slice(-4),
      failed ? { class: 'resource', message: 'out of memory', anchor: '#resource', evidence: {} } : null,
      at(night, 2),
      new Date(Date.parse(at(night, 2)) + 30_000 + 200 * ((night * 37) % 29)),
    ],
  )
  await client.query(
    `insert into nightshift.attempts (run, number, fence, worker, started_at, ended_at, outcome, steps)
     values ($1, 1, 1, 'worker-1', $2, $3, $4, '[{"step": "score", "ms": 30000}]')`,
    [run, at(night, 2), at(night, 2.01), failed ? 'failed' : 'published'],
  )
  if (night >= 66) {
    await client.query(
      `insert into nightshift.shadow_scores (model, version, as_of, partition, role, features_run, path, rows)
       values ('value', 3, $1, $2, 'challenger', 'none', 'shadow/value', 300)`,
      [as_of, partition],
    )
  }
  if (failed) return
  await recordProfile(
    client,
    {
      run,
      model: 'value',
      version,
      as_of,
      partition,
      backfilled,
      rows: profile.rows,
      profile,
      reference: 'holdout of 3f2a9c0b1d',
      note: null,
      estimate: { auc: 0.77 + wave(night, 0.008), rate: 0.16 },
      seconds: 0.2,
    },
    profile.columns.map((column, position) => ({
      ...driftOf(before.columns[position] ?? column, column, night),
      alerting: moved(column, night) && night > 60,
    })),
  )
  await recordOutcome(client, {
    model: 'value',
    as_of,
    partition,
    run,
    version,
    state: night < 45 ? 'measured' : 'immature',
    matures_at: at(night + 30, 0),
    horizon: '30d',
    lag: '0d',
    measured_at: night < 45 ? at(night + 30, 3) : null,
    note: null,
    report: night < 45 ? outcomeOf(night) : null,
  })
}

function profileOf(night: number): Profile {
  const rows = night === -1 ? 4000 : 300 + ((night * 13) % 40)
  const shift = night >= 60 ? 1 : 0
  const numbers = (column: string, mean: number, sd: number, seed: number, edges?: number[]) =>
    numberProfile(column, normal(rows, mean, sd, seed + night), edges === undefined ? {} : { edges })
  const reference = night === -1 ? undefined : referenceColumns()
  const edges = (index: number) => {
    const column = reference?.[index]
    return column?.kind === 'number' ? column.edges : undefined
  }
  const columns: ColumnProfile[] = [
    numbers('spend', 40 + 7 * shift, 9, 1, edges(0)),
    numbers('tenure_days', 900, 250, 2000, edges(1)),
    numbers('calls_30d', 30, 8, 3000, edges(2)),
    categoryProfile(
      'plan',
      shift === 1
        ? { basic: Math.round(rows * 0.35), plus: Math.round(rows * 0.35), pro: Math.round(rows * 0.12) }
        : { basic: Math.round(rows * 0.55), plus: Math.round(rows * 0.33), pro: Math.round(rows * 0.12) },
      shift === 1 ? { unseen: { trial: Math.round(rows * 0.18) } } : {},
    ),
    { ...scoreProfile(rows, 0.25 + 0.06 * shift, night, edges(4)), score: true },
  ]
  return { rows, entities: rows, columns, left_out: [] }
}

let known: ColumnProfile[] | undefined
function referenceColumns(): ColumnProfile[] {
  known ??= profileOf(-1).columns
  return known
}

function scoreProfile(rows: number, mean: number, seed: number, edges: number[] | undefined): NumberProfile {
  const values = normal(rows, mean, 0.09, seed + 5000).map((value) => Math.min(0.99, Math.max(0.01, value)))
  return numberProfile('score', values, edges === undefined ? {} : { edges })
}

function moved({ column }: ColumnProfile, night: number): boolean {
  return night >= 60 && (column === 'spend' || column === 'plan')
}

function driftOf(reference: ColumnProfile, tonight: ColumnProfile, night: number): Drift {
  const drifted = moved(tonight, night)
  const value = drifted ? 0.3 + wave(night, 0.05) : 0.03 + Math.abs(wave(night + tonight.column.length, 0.05))
  const number = tonight.kind === 'number'
  return {
    column: tonight.column,
    score: tonight.score,
    rows: tonight.rows,
    ...NO_FIGURES,
    psi: number ? value : null,
    jensen_shannon: number ? value / 3 : value,
    wasserstein: number ? value : null,
    ks: number ? value / 2 : null,
    null_rate: 0,
    unseen_rate: tonight.kind === 'category' ? tonight.unseen / tonight.rows : null,
    reference: {
      rows: reference.rows,
      null_rate: 0,
      mean: reference.kind === 'number' ? reference.mean : null,
    },
    mean: tonight.kind === 'number' ? tonight.mean : null,
    statistic: number ? 'psi' : 'jensen_shannon',
    threshold: 0.1,
    threshold_from: 'min_effect',
    p: drifted ? 0.001 : 0.4,
    drifted,
    fired: drifted ? ['distribution'] : [],
    note: null,
  }
}

function outcomeOf(night: number): OutcomeFacts {
  const auc = 0.775 - 0.0006 * night + wave(night, 0.012)
  const rate = 0.16 + wave(night, 0.01)
  const biased = night >= 40
  return {
    kind: 'classification',
    rows: 290,
    positives: Math.round(290 * rate),
    scored: 300,
    unlabelled: 10,
    metrics: { auc, average_precision: 0.4, brier: 0.11, ece: 0.02, lift_at_k: 3.1 },
    intervals: { auc: { low: auc - 0.03, high: auc + 0.028 } },
    realized: { value: rate, low: rate - 0.04, high: rate + 0.04 },
    predicted: 0.165,
    calibration: [
      { from: 0, to: 0.1, rows: 120, mean_score: 0.06, realized: 0.05 },
      { from: 0.1, to: 0.2, rows: 170, mean_score: 0.15, realized: 0.17 },
    ],
    by_segment: [
      { segment: 'plan', value: 'basic', rows: 160, positives: 20, metrics: { auc: 0.76 }, intervals: {} },
    ],
    treated: {
      known: true,
      rows: biased ? 200 : 0,
      measured_on: biased ? 'all' : 'untreated',
      biased,
      note: biased ? 'Two customers in three were called, and there is no control group.' : null,
    },
    business: [{ name: 'saved per contact', value: 30 + wave(night, 4), target: 36, error: null }],
    inputs: [],
    notes: [],
  }
}

/** Puts one of the first three versions of `value` into the registry. */
export async function register(client: Pick<ClientBase, 'query'>, version: number): Promise<void> {
  const output = { name: 'p', type: 'float32', shape: ['n', 2], classes: [0, 1], class: 1, label: 1 }
  await client.query(
    `insert into nightshift.versions (model, version, sha256, bytes, file, view, view_hash, features_sql, inputs, output,
       mapping, registered_at, registered_by)
     values ('value', $1, 'ab', 1, 'models/value/1/model.onnx', 'activity', 'cd', 'SELECT 1', '[]', $3, $4, $2, 'ann')`,
    [
      version,
      at([0, 20, 64][version - 1] ?? 0, 9),
      JSON.stringify(output),
      JSON.stringify({ inputs: [], output, batch: null, zipMap: false, warnings: [] }),
    ],
  )
}

async function promotions(client: ClientBase): Promise<void> {
  const changes = [
    { event: 'promoted', version: 1, from_version: null, at: at(-1, 10) },
    { event: 'promoted', version: 2, from_version: 1, at: at(29, 10) },
  ] as const
  for (const { at: when, ...change } of changes) {
    await client.query(
      `insert into nightshift.history (at, model, event, version, from_version, by, reason, evidence)
       values ($1, 'value', $2, $3, $4, 'ann', 'better on its holdout', '{}')`,
      [when, change.event, change.version, change.from_version],
    )
  }
}

function at(night: number, hour: number): string {
  return new Date(FIRST + night * 86_400_000 + hour * 3_600_000).toISOString()
}

function wave(night: number, size: number): number {
  return size * Math.sin(night * 1.7)
}
