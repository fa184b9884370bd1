import { localDay } from '../format/clock-time.ts'
import { messageText } from '../format/message-text.ts'
import type { Answer, Asked, Item } from './item.ts'
import { dashboard } from './items/dashboard.ts'
import { driftAlerts } from './items/drift-alerts.ts'
import { evaluation } from './items/evaluation.ts'
import { featurePipeline } from './items/feature-pipeline.ts'
import { ownership } from './items/ownership.ts'
import { parity } from './items/parity.ts'
import { retraining } from './items/retraining.ts'
import { rollback } from './items/rollback.ts'
import { runbook } from './items/runbook.ts'
import { scoring } from './items/scoring.ts'
import { shadow } from './items/shadow.ts'
import { type Waiver, waiversOf } from './waivers.ts'

/** In the order of ITEM_IDS. */
export const ITEMS: Item[] = [
  featurePipeline,
  parity,
  scoring,
  evaluation,
  shadow,
  dashboard,
  driftAlerts,
  retraining,
  rollback,
  runbook,
  ownership,
]

export interface Judged extends Omit<Answer, 'status'>, Pick<Item, 'id' | 'title' | 'question'> {
  status: Answer['status'] | 'waived'
  /** The newest waiver of the item, also one that has ended; it counts only where the status says so. */
  waiver: Waiver | null
}

export interface Gate {
  model: string
  /** Null: no version exists yet. */
  version: number | null
  champion: number | null
  /** ISO 8601, by the ledger's clock. */
  at: string
  /** Every item passes or is waived, and there is a version. */
  ready: boolean
  items: Judged[]
}

/** Asks every item (or those given). An item that cannot be asked fails with the reason. */
export async function check(asked: Asked, asks: Item[] = ITEMS): Promise<Gate> {
  const { model, version, champion, now } = asked
  const items: Judged[] = []
  const waivers = await waiversOf(asked.database.pool, model.name)
  const today = localDay(now, asked.project.timezone)
  // All at once: the compute child takes one task at a time, and the runbook's commands have processes of their own.
  const answers = await Promise.all(asks.map(async (item) => ({ item, said: await answerOf(item, asked) })))
  for (const { item, said } of answers) {
    const { id, title, question } = item
    const answer = { ...said, evidence: messageText(said.evidence, asked.project.timezone) }
    const waiver = waivers.find((each) => each.item === id) ?? null
    const excused = answer.status === 'fail' && waiver !== null && holds(waiver, today, now)
    items.push({ id, title, question, ...answer, status: excused ? 'waived' : answer.status, waiver })
  }
  return {
    model: model.name,
    version: version?.version ?? null,
    champion: champion?.version ?? null,
    at: now.toISOString(),
    ready: version !== undefined && items.every(({ status }) => status !== 'fail'),
    items,
  }
}

/** A waiver of a clock that was set back counts no more than one that has ended. */
function holds({ until, at }: Waiver, today: string, now: Date): boolean {
  return until >= today && Date.parse(at) <= now.getTime()
}

async function answerOf(item: Item, asked: Asked): Promise<Answer> {
  try {
    return await item.ask(asked)
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error)
    return {
      status: 'fail',
      evidence: `it could not be asked: ${reason}`,
      fix: `nightshift check ${asked.model.name}`,
      link: null,
    }
  }
}
