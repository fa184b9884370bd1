import { askGate } from '../../actions/ask-gate.ts'
import { modelNights } from '../../ledger/nights/model-nights.ts'
import { listSlots } from '../../ledger/nights/slots.ts'
import { driftNights } from '../../monitoring/drift/drift-nights.ts'
import { outcomeNights } from '../../monitoring/outcomes/outcome-nights.ts'
import { listRetrainings } from '../../monitoring/retraining/record.ts'
import { modelNamed } from '../../project/named.ts'
import type { Gate } from '../../readiness/gate.ts'
import { withChild } from '../../workers/child/with-child.ts'
import type { Lived } from './simulate.ts'
import type { Simulation } from './simulation-folder.ts'

/** One night of the calendar. Times are ISO 8601 in UTC. */
export interface SimulatedNight {
  as_of: string
  /** Of its scores; `features failed` (or held, or waiting) where these never began. */
  state: string
  published_at: string | null
  deadline: string | null
  /** It missed its deadline, and somebody was notified. */
  late: boolean
  version: number | null
  rows: number | null
  reason: string | null
  /** Columns that drifted, the score under its own name; those of an alert are in `alerting` too. */
  drifted: string[]
  alerting: string[]
  /** Realized AUC, once its label window is over. */
  auc: number | null
}

/** A mail that would have gone out. */
export interface SimulatedMail {
  at: string
  to: string
  subject: string
  /** What its first line says. */
  first_line: string
}

export interface SimulationReport extends Omit<Simulation, 'pid' | 'reason'> {
  nights: SimulatedNight[]
  mails: SimulatedMail[]
  /** Retrainings that would have begun. */
  retrainings: { at: string; trigger: string; reason: string }[]
  /** The gate at the end, for the challenger, else for the champion. */
  gate: Gate
}

/** What happened in a simulation that is over. */
export async function reportOf(lived: Lived): Promise<SimulationReport> {
  const { simulation, database, nights } = lived
  const { pool } = database
  const { model } = simulation
  const span = { from: nights[0]?.instant ?? '', to: nights.at(-1)?.instant ?? '' }
  const view = modelNamed(lived.project, model).view
  const [slots, features, drift, outcomes] = await Promise.all([
    modelNights(pool, model, { ...span, limit: nights.length }),
    listSlots(pool, { kind: 'features', name: view, ...span }),
    driftNights(pool, model, span),
    outcomeNights(pool, model, span),
  ])
  const { pid: _, reason: __, ...known } = simulation
  return {
    ...known,
    nights: nights.map(({ label }) => {
      const slot = slots.find(({ partition }) => partition === label)
      const source = features.find(({ partition }) => partition === label)
      const stopped = slot?.state === 'expected' && source !== undefined && source.state !== 'published'
      const moved = drift.filter(({ partition, drifted }) => partition === label && drifted)
      const metrics = outcomes.find(({ partition }) => partition === label)?.figures?.metrics
      return {
        as_of: label,
        state: stopped ? `features ${source.state}` : (slot?.state ?? 'not scheduled'),
        published_at: slot?.published_at ?? null,
        deadline: slot?.deadline ?? null,
        late: slot?.late ?? false,
        version: slot?.version ?? null,
        rows: slot?.rows ?? null,
        reason: (stopped ? source.reason : null) ?? slot?.reason ?? null,
        drifted: moved.map(({ column }) => column),
        alerting: moved.filter(({ alerting }) => alerting).map(({ column }) => column),
        auc: metrics?.auc ?? null,
      }
    }),
    mails: await mailsIn(pool, span.from),
    retrainings: (await listRetrainings(pool, model, { limit: 1_000, dryRun: false }))
      .map(({ requested_at: at, trigger, reason }) => ({ at, trigger, reason }))
      .reverse(),
    gate: await gateOf(lived),
  }
}

async function gateOf({ simulation, project, database }: Lived): Promise<Gate> {
  const version = simulation.challenger ?? simulation.champion ?? undefined
  const model = modelNamed(project, simulation.model)
  return withChild(project, (children) => askGate({ project, database }, model, version, children))
}

const MAILS = `
select created_at, recipient, subject, split_part(btrim(body_text), E'\\n', 1) as first_line
  from nightshift.outbox where created_at >= $1 order by created_at, id`

/** Mails since an instant: of these nights, and not of those before a simulation was continued. */
async function mailsIn(pool: Lived['database']['pool'], since: string): Promise<SimulatedMail[]> {
  const { rows } = await pool.query<{
    created_at: string
    recipient: string
    subject: string
    first_line: string
  }>(MAILS, [since])
  return rows.map(({ created_at, recipient, subject, first_line }) => ({
    at: created_at,
    to: recipient,
    subject,
    first_line,
  }))
}
