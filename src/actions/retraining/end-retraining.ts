import { mailOwners } from '../../alerts/delivery/mail-owners.ts'
import {
  type RetrainingNews,
  retrainingLetter,
  retrainingSubject,
} from '../../alerts/letters/notices/retraining-letter.ts'
import { transaction } from '../../ledger/connection/database.ts'
import { endRetraining, MOST_TRIES } from '../../monitoring/retraining/record.ts'
import { classify } from '../../pipeline/engine/classify.ts'
import { ConfigurationError } from '../../project/files/problem.ts'
import type { Model } from '../../project/project.ts'
import type { ProjectLedger } from '../project-ledger.ts'
import { type Retrained, type RetrainingWork, retrainModel } from './retrain-model.ts'

export type Ended = { state: 'done'; retrained: Retrained } | { state: 'failed'; outcome: string }

/**
 * Carries a claimed retraining out and records how it ended; the mail about it is written in the same transaction. A dry
 * run is not mailed: somebody waits for it. One that was lost too often is recorded as failed. Where this process is told
 * to stop, a retraining that a trigger began is left to the next process, and one by hand has failed.
 */
export async function carryOut(ledger: ProjectLedger, model: Model, work: RetrainingWork): Promise<Ended> {
  const { retraining } = work
  let ended: Ended
  try {
    if (retraining.tries > MOST_TRIES) {
      ended = { state: 'failed', outcome: `the processes that worked on it ended ${MOST_TRIES} times` }
    } else ended = { state: 'done', retrained: await retrainModel(ledger, model, work) }
  } catch (error) {
    if (work.signal.aborted && retraining.trigger !== 'hand') throw error
    ended = { state: 'failed', outcome: work.signal.aborted ? 'it was interrupted' : messageOf(error) }
  }
  await record(ledger, model, work, ended)
  return ended
}

async function record(
  { project, database }: ProjectLedger,
  model: Model,
  work: RetrainingWork,
  ended: Ended,
): Promise<void> {
  const { retraining, process } = work
  const outcome = ended.state === 'done' ? ended.retrained.outcome : ended.outcome
  await transaction(database, async (client) => {
    const mine = await endRetraining(client, { id: retraining.id, process }, { state: ended.state, outcome })
    if (!mine || retraining.dry_run) return
    const news: RetrainingNews = {
      model: model.name,
      reason: retraining.reason,
      state: ended.state,
      outcome,
      version: ended.state === 'done' ? ended.retrained.version : null,
      dataset: ended.state === 'done' ? ended.retrained.dataset : null,
      log: `retrainings/${model.name}/${retraining.id}/command.log`,
      warnings: ended.state === 'done' ? ended.retrained.warnings : [],
      whenReady: model.retrain?.promote === 'when-ready',
    }
    await mailOwners(client, project, model, {
      subject: retrainingSubject(news),
      letter: retrainingLetter(news),
    })
  })
}

function messageOf(error: unknown): string {
  return error instanceof ConfigurationError ? error.message : classify(error).message
}
