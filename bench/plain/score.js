/**
 * A nightly scoring job as one writes it in an afternoon, without Nightshift: a Parquet library for Node, an object for
 * each row, features in a loop, 1,000 rows a call of the model. It has no queue, ledger, checks or publication.
 * `node score.js '<PlainTask as JSON>'` prints `{ seconds, processor_seconds, rows, steps }`.
 */
import { readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { asyncBufferFromFile, parquetReadObjects } from 'hyparquet'
import { parquetWriteFile } from 'hyparquet-writer'
import { InferenceSession, Tensor } from 'onnxruntime-node'

const HOUR = 3_600_000
const DAY = 24 * HOUR
const BATCH = 1000

/** Of local times, as epoch milliseconds: midnights between two instants. */
const days = (from, to) => Math.floor(to / DAY) - Math.floor(from / DAY)

/** Totals of each customer. Times are those of the wall in Berlin, whose clocks change at `change`. */
async function readTotals({ data, utc, local, change }) {
  const monthBefore = local - 30 * DAY
  const totals = new Map()
  for (const name of (await readdir(data)).sort()) {
    if (!name.endsWith('.parquet')) continue
    const file = await asyncBufferFromFile(join(data, name))
    for (const { customer_id, happened_at, amount, quantity } of await parquetReadObjects({ file })) {
      const instant = happened_at.getTime()
      if (instant >= utc) continue
      const at = instant + (instant < change ? 2 * HOUR : HOUR)
      let total = totals.get(customer_id)
      if (total === undefined) {
        total = {
          customer_id,
          first: at,
          last: at,
          events: 0,
          events30: 0,
          night: 0,
          amount: 0,
          amount30: 0,
          largest: amount,
          quantity: 0,
        }
        totals.set(customer_id, total)
      }
      total.first = Math.min(total.first, at)
      total.last = Math.max(total.last, at)
      total.events++
      if (new Date(at).getUTCHours() < 6) total.night++
      total.amount += amount
      if (at >= monthBefore) {
        total.events30++
        total.amount30 += amount
      }
      total.largest = Math.max(total.largest, amount)
      total.quantity += quantity
    }
  }
  return totals
}

function featuresOf(total, asOf) {
  const { first, last, events, events30, night, amount, amount30, largest, quantity } = total
  return {
    customer_id: total.customer_id,
    tenure_days: days(first, asOf),
    recency_days: days(last, asOf),
    active_days: days(first, last),
    events,
    events_30d: events30,
    events_trend: events30 / events,
    night_events: night,
    night_share: night / events,
    amount,
    amount_30d: amount30,
    amount_trend: amount30 / (amount + 1),
    largest_amount: largest,
    largest_share: largest / (amount + 1),
    mean_amount: amount / events,
    mean_amount_30d: amount30 / (events30 + 1),
    quantity,
    mean_quantity: quantity / events,
    mean_price: amount / quantity,
    mean_gap_days: days(first, last) / events,
  }
}

async function score(rows, { model, columns }) {
  const session = await InferenceSession.create(model)
  const scored = []
  for (let at = 0; at < rows.length; at += BATCH) {
    const batch = rows.slice(at, at + BATCH)
    const values = batch.flatMap((row) => columns.map((column) => row[column]))
    const features = new Tensor('float32', Float32Array.from(values), [batch.length, columns.length])
    const { probabilities } = await session.run({ features })
    batch.forEach(({ customer_id }, row) => {
      const probability = probabilities.data[2 * row + 1]
      scored.push({ customer_id, score: probability, decision: probability >= 0.5, version: 1 })
    })
  }
  return scored
}

async function main(task) {
  const begun = performance.now()
  const totals = await readTotals(task)
  const read = performance.now()
  const rows = [...totals.values()].map((total) => featuresOf(total, task.local))
  rows.sort((a, b) => (a.customer_id < b.customer_id ? -1 : 1))
  const computed = performance.now()
  const scored = await score(rows, task)
  const ended = performance.now()
  const column = (name, type) => ({ name, type, data: scored.map((row) => row[name]) })
  parquetWriteFile({
    filename: task.scores,
    columnData: [
      column('customer_id', 'INT64'),
      column('score', 'DOUBLE'),
      column('decision', 'BOOLEAN'),
      column('version', 'INT32'),
    ],
  })
  const written = performance.now()
  const { user, system } = process.cpuUsage()
  return {
    seconds: (written - begun) / 1000,
    processor_seconds: (user + system) / 1e6,
    rows: scored.length,
    steps: {
      read: (read - begun) / 1000,
      features: (computed - read) / 1000,
      score: (ended - computed) / 1000,
      write: (written - ended) / 1000,
    },
  }
}

console.log(JSON.stringify(await main(JSON.parse(process.argv[2] ?? ''))))
