import type { Run } from '../../ledger/nights/run-records.ts'
import { slotTitle } from '../../ledger/nights/slots.ts'
import { joinJob, shardJob } from '../../ledger/shards/split-records.ts'
import { jobQueue } from './enqueue-attempt.ts'
import type { JobQueues, JobRequest } from './queues.ts'

type Divided = Pick<Run, 'id' | 'kind' | 'name' | 'partition' | 'backfill' | 'trigger'>

/** Adds all shards of an attempt as a flow: its join is given out when they have ended. */
export async function enqueueFlow(
  queues: JobQueues,
  run: Divided,
  attempt: number,
  shards: number,
): Promise<void> {
  const numbers = Array.from({ length: shards }, (_, index) => index + 1)
  await queues.addFlow(
    jobQueue(run),
    joining(run, attempt),
    numbers.map((shard) => scoring(run, attempt, shard)),
  )
}

/** Adds shards whose jobs are not in the queue, and the join where it is the join's turn. */
export async function enqueueShards(
  queues: JobQueues,
  run: Divided,
  attempt: number,
  { shards, join }: { shards: number[]; join: boolean },
): Promise<void> {
  for (const shard of shards) await queues.add(jobQueue(run), scoring(run, attempt, shard))
  if (join) await queues.add(jobQueue(run), joining(run, attempt))
}

function scoring(run: Divided, attempt: number, shard: number): JobRequest {
  return {
    id: shardJob(run.id, attempt, shard),
    title: `${slotTitle(run)}, shard ${shard}`,
    data: { run: run.id, attempt, shard, slot: `${run.name}:${run.partition}` },
  }
}

function joining(run: Divided, attempt: number): JobRequest {
  return {
    id: joinJob(run.id, attempt),
    title: `${slotTitle(run)}, join`,
    data: { run: run.id, attempt, slot: `${run.name}:${run.partition}` },
  }
}
