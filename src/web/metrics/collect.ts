import { Gauge, Registry } from 'prom-client'
import { within } from '../../jobs/queue/within.ts'
import type { PageContext } from '../page-context.ts'
import { askDepths } from '../queue-depths.ts'
import { longestDelay } from './event-loop.ts'
import { ledgerMetrics, type Metric } from './ledger.ts'

/** Prometheus times out after 10 s by default: a part that takes longer than this counts as down. */
const ANSWER_MS = 5_000

/**
 * Current metrics of the ledger and the queue, in Prometheus' text format. If one does not respond, its `_up` metric is
 * `0`, and its other metrics are absent rather than stale.
 */
export async function collect(
  pageContext: Pick<PageContext, 'database' | 'queues'>,
): Promise<{ text: string; contentType: string }> {
  const registry = new Registry()
  const add = ({ name, help, labels, values }: Metric) => {
    // A gauge without labels starts at 0: leave it out if the value is unknown.
    if (labels.length === 0 && values.length === 0) return
    const gauge = new Gauge({ name: `nightshift_${name}`, help, labelNames: labels, registers: [registry] })
    for (const each of values) {
      gauge.set(
        Object.fromEntries(labels.map((label, index) => [label, each.labels[index] ?? ''])),
        each.value,
      )
    }
  }
  const [ledger, queue] = await Promise.all([
    settle(within(ANSWER_MS, ledgerMetrics(pageContext.database))),
    settle(within(ANSWER_MS, askDepths(pageContext))),
  ])
  add(one('database_up', 'Whether the database responds: 1 or 0.', ledger === undefined ? 0 : 1))
  add(one('queue_up', 'Whether the queue server responds: 1 or 0.', queue === undefined ? 0 : 1))
  const delay = longestDelay()
  if (delay !== undefined)
    add(
      one(
        'event_loop_longest_delay_seconds',
        'The longest time since the last request that this process could do nothing else.',
        delay,
      ),
    )
  for (const metric of ledger ?? []) add(metric)
  if (queue !== undefined) {
    add({
      name: 'queue_jobs',
      help: 'Jobs in a queue by state; failed jobs are kept for the board.',
      labels: ['queue', 'state'],
      values: queue.flatMap(({ queue: name, jobs }) =>
        Object.entries(jobs).map(([state, value]) => ({ labels: [name, state], value })),
      ),
    })
    add({
      name: 'queue_oldest_waiting_seconds',
      help: 'How long the first job of a queue has waited; 0 if none waits.',
      labels: ['queue'],
      values: queue.map(({ queue: name, oldestSeconds }) => ({ labels: [name], value: oldestSeconds })),
    })
  }
  return { text: await registry.metrics(), contentType: registry.contentType }
}

/** A metric of one value. */
function one(name: string, help: string, value: number): Metric {
  return { name, help, labels: [], values: [{ labels: [], value }] }
}

async function settle<T>(promise: Promise<T>): Promise<T | undefined> {
  return promise.catch(() => undefined)
}
