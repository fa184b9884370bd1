import type { Database } from '../../ledger/connection/database.ts'
import { nameShard } from '../../ledger/shards/claim-shard.ts'
import type { Shard } from '../../ledger/shards/split-records.ts'
import { Failure } from '../../pipeline/engine/failure.ts'

/** A quarter of the time after which a silent shard is taken over. */
const NAME_MS = 2_500

export interface HeldShard {
  /** Aborts when the try is no longer the shard's, or the attempt is over: what it computes is of no use. */
  signal: AbortSignal
  release(): void
}

/** Names a shard as in hand while it is worked on. */
export function holdShard({ pool }: Pick<Database, 'pool'>, shard: Shard, fence: number): HeldShard {
  const lost = new AbortController()
  let timer: NodeJS.Timeout | undefined
  let released = false
  const goOn = () => {
    timer = setTimeout(() => {
      // A ledger that does not answer decides nothing: the part is recorded, or refused, in the end.
      nameShard(pool, shard, fence)
        .then((own) => {
          if (!own) lost.abort(overtaken(shard))
        })
        .catch(() => {})
        .finally(() => {
          if (!released) goOn()
        })
    }, NAME_MS)
  }
  goOn()
  return {
    signal: lost.signal,
    release() {
      released = true
      clearTimeout(timer)
    },
  }
}

export function overtaken({ run, attempt, shard }: Shard): Failure {
  return new Failure(
    'transient',
    `shard ${shard} of attempt ${attempt} of run ${run} was taken over, or its attempt is over`,
    { evidence: { overtaken: true } },
  )
}
