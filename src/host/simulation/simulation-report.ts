import { modelNights } from '../../ledger/nights/model-nights.ts'
import { driftNights } from '../../monitoring/drift/drift-nights.ts'
import { outcomeNights } from '../../monitoring/outcomes/outcome-nights.ts'
import { listRetrainings } from '../../monitoring/retraining/record.ts'
import type { Lived } from './simulate.ts'
import type { Simulation } from './simulation-folder.ts'

/** One night of the calendar. Times are ISO 8601 in UTC. */
export interface SimulatedNight {
  as_of: string
  state: string
  published_at: string | null
  deadline: string | null
  /** It missed its deadline, and somebody was told. */
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
  says: string
}

export interface SimulationReport extends Omit<Simulation, 'pid' | 'reason'> {
  nights: SimulatedNight[]
  mails: SimulatedMail[]
  /** Retrainings that would have begun. */
  retrainings: { at: string; trigger: string; reason: string }[]
}

/** What happened in a simulation that is over. */
export async function reportOf({ simulation, database, nights }: Lived): Promise<SimulationReport> {
  const { pool } = database
  const { model } = simulation
  const span = { from: nights[0]?.instant ?? '', to: nights.at(-1)?.instant ?? '' }
  const [slots, drift, outcomes] = await Promise.all([
    modelNights(pool, model, { ...span, limit: nights.length }),
    driftNights(pool, model, span),
    outcomeNights(pool, model, span),
  ])
  const { pid: _, reason: __, ...known } = simulation
  return {
    ...known,
    nights: nights.map(({ label }) => {
      const slot = slots.find(({ partition }) => partition === label)
      const moved = drift.filter(({ partition, drifted }) => partition === label && drifted)
      const metrics = outcomes.find(({ partition }) => partition === label)?.figures?.metrics
      return {
        as_of: label,
        state: slot?.state ?? 'not scheduled',
        published_at: slot?.published_at ?? null,
        deadline: slot?.deadline ?? null,
        late: slot?.late ?? false,
        version: slot?.version ?? null,
        rows: slot?.rows ?? null,
        reason: slot?.reason ?? null,
        drifted: moved.map(({ column }) => column),
        alerting: moved.filter(({ alerting }) => alerting).map(({ column }) => column),
        auc: metrics?.auc ?? null,
      }
    }),
    mails: await mailsIn(pool),
    retrainings: (await listRetrainings(pool, model, { limit: 1_000 }))
      .map(({ requested_at: at, trigger, reason }) => ({ at, trigger, reason }))
      .reverse(),
  }
}

const MAILS = `
select created_at, recipient, subject, split_part(btrim(body_text), E'\\n', 1) as says
  from nightshift.outbox order by created_at, id`

async function mailsIn(pool: Lived['database']['pool']): Promise<SimulatedMail[]> {
  const { rows } = await pool.query<{ created_at: Date; recipient: string; subject: string; says: string }>(
    MAILS,
  )
  return rows.map(({ created_at, recipient, subject, says }) => ({
    at: created_at.toISOString(),
    to: recipient,
    subject,
    says,
  }))
}
