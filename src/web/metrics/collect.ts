import { Gauge, Registry } from 'prom-client'
import { within } from '../../jobs/queue/within.ts'
import type { Place } from '../page-context.ts'
import { askDepths } from '../queue-depths.ts'
import { ledgerMetrics } from './ledger.ts'

/** Prometheus gives up after 10 s by default: what does not answer sooner is down. */
const ANSWER_MS = 5_000

export interface Metric {
  name: string
  help: string
  labels: string[]
  /** Each with its labels, in their order. */
  values: { labels: (string | number)[]; value: number }[]
}

/**
 * What the ledger and the queue say now, in Prometheus' text format. What does not answer is `0` in its `_up` metric,
 * and its other metrics are absent rather than stale.
 */
export async function collect(
  place: Pick<Place, 'database' | 'queues'>,
): Promise<{ text: string; contentType: string }> {
  const registry = new Registry()
  const add = ({ name, help, labels, values }: Metric) => {
    // A gauge without labels begins at 0: what nobody knows is absent.
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
    settle(within(ANSWER_MS, ledgerMetrics(place.database))),
    settle(within(ANSWER_MS, askDepths(place))),
  ])
  add(one('database_up', 'Whether the database answers: 1 or 0.', ledger === undefined ? 0 : 1))
  add(one('queue_up', 'Whether the server of the queues answers: 1 or 0.', queue === undefined ? 0 : 1))
  for (const metric of ledger ?? []) add(metric)
  if (queue !== undefined) {
    add({
      name: 'queue_jobs',
      help: 'Jobs in a queue by state; failed ones are kept for the board.',
      labels: ['queue', 'state'],
      values: queue.flatMap(({ queue: name, jobs }) =>
        Object.entries(jobs).map(([state, value]) => ({ labels: [name, state], value })),
      ),
    })
    add({
      name: 'queue_oldest_waiting_seconds',
      help: 'How long the job in front of a queue has waited; 0 where none waits.',
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
