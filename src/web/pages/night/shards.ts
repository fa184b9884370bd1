import { html } from 'hono/html'
import { duration } from '../../../format/elapsed.ts'
import { bucketsText, type ShardFacts } from '../../../workers/shards/shard-facts.ts'
import { labelled, number, table } from '../../table.ts'

/** The parts that a night was scored or computed in, and by whom. */
export function shardTable(shards: ShardFacts[]) {
  if (shards.length === 0) return ''
  return html`<section class="card" aria-labelledby="shards"><h2 id="shards">Shards</h2>
${table('Parts that were done by themselves', shards, [
  { heading: 'Shard', cell: ({ attempt, shard }) => `${shard}, attempt ${attempt}` },
  labelled('State', ({ state }) => state),
  ...(shards.some(({ buckets }) => buckets !== null)
    ? [labelled<ShardFacts>('Buckets', (each) => bucketsText(each))]
    : []),
  number('Rows', ({ rows }) => rows ?? ''),
  number('Tries', ({ tries }) => tries),
  number('Took', ({ seconds }) => (seconds === null ? '' : duration(seconds * 1000))),
  labelled('Worker', ({ worker, failure }) => worker ?? failure ?? ''),
])}</section>`
}
