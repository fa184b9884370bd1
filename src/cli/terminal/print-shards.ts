import { duration } from '../../format/elapsed.ts'
import { bucketsText, type ShardFacts } from '../../workers/shards/shard-facts.ts'
import { printLine, printTable } from './print.ts'

/** The shards of a run, attempt by attempt. Prints nothing where none was split. */
export function printShards(shards: ShardFacts[]): void {
  if (shards.length === 0) return
  const hasBuckets = shards.some(({ buckets }) => buckets !== null)
  printLine('')
  printTable(
    ['attempt', 'shard', ...(hasBuckets ? ['buckets'] : []), 'rows', 'state', 'tries', 'took', 'worker', ''],
    shards.map((each) => [
      each.attempt,
      each.shard,
      ...(hasBuckets ? [bucketsText(each)] : []),
      each.rows,
      each.state,
      each.tries,
      each.seconds === null ? null : duration(each.seconds * 1000),
      each.worker,
      each.failure ?? '',
    ]),
  )
}
