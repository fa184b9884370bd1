import type { Answer, Asked, Item, ItemId } from './item.ts'
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

/** An item that a person excuses until a date. It never counts as a pass. */
export interface Waiver {
  item: ItemId
  /** The last day on which it holds, in the project's zone. */
  until: string
  reason: string
  by: string
}

export interface Judged extends Omit<Answer, 'status'>, Pick<Item, 'id' | 'title' | 'question'> {
  status: Answer['status'] | 'waived'
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

/** Asks every item. An item that cannot be asked fails with the reason. */
export async function check(asked: Asked): Promise<Gate> {
  const { model, version, champion, now } = asked
  const items: Judged[] = []
  // One after the other: some of them use the compute child.
  for (const item of ITEMS) {
    const { id, title, question } = item
    items.push({ id, title, question, ...(await answerOf(item, asked)), waiver: null })
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
