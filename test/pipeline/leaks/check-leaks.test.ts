import { join } from 'node:path'
import { beforeEach, describe, expect, it } from 'vitest'
import { makeFolder, writeParquet } from '../feature-case.ts'
import { leaksOf, named, PURCHASES, purchases, writePurchases } from './leak-case.ts'

let root: string
beforeEach(async () => {
  root = makeFolder()
  await writePurchases(root)
})
const write = (name: string, sql: string) => writeParquet(join(root, `data/${name}/all.parquet`), sql)
const from = (name: string) => `data/${name}/*.parquet`
const SPEND = 'SELECT id, sum(amount)::FLOAT AS spend, count(*)::FLOAT AS orders FROM purchases GROUP BY id'

describe('clean data', () => {
  it('has no leak, at three as-ofs of its own choice whose labels are known', async () => {
    const facts = await leaksOf(root, { asOfs: [], sql: SPEND, sources: { purchases } })
    expect(facts).toMatchObject({ leaks: [], notes: [], differing: 0, values: 1200, labelled_rows: 600 })
    expect(facts.as_of).toEqual(['2026-02-20', '2026-04-10', '2026-05-30'])
    expect(facts.auc.spend).toBeLessThan(0.8)
  })

  it('may know plans, ends behind the cut, arrivals that are declared, and days as dates', async () => {
    await write(
      'plans',
      `SELECT i AS id, TIMESTAMP '2026-01-01' + to_days((i % 90)::INTEGER) + to_days((k * 40)::INTEGER) AS since,
              CASE WHEN k < 2 THEN TIMESTAMP '2026-01-01' + to_days((i % 90)::INTEGER) + to_days(((k + 1) * 40)::INTEGER) END AS until,
              TIMESTAMP '2026-01-01' + to_days((i % 90 + k * 40 + 365)::INTEGER) AS contract_end,
              ['basic', 'plus', 'pro'][(i + k) % 3 + 1] AS plan
         FROM range(200) t(i), range(3) u(k)`,
    )
    await write(
      'calls',
      `SELECT id, happened AS started, happened + INTERVAL 7 MINUTE AS ended, happened + INTERVAL 2 HOUR AS loaded_at FROM (${PURCHASES})`,
    )
    await write(
      'visits',
      `SELECT id, happened::DATE AS day, count(*)::INTEGER AS pages FROM (${PURCHASES}) GROUP BY ALL`,
    )
    const facts = await leaksOf(root, {
      sql: `SELECT id, plan, date_diff('day', $as_of, contract_end)::FLOAT AS days_left, (until IS NULL)::INTEGER AS open,
                   coalesce(calls, 0)::FLOAT AS calls, coalesce(pages, 0)::FLOAT AS pages
              FROM plans
              LEFT JOIN (SELECT id, count(*) FILTER (ended < $as_of) AS calls FROM calls GROUP BY id) USING (id)
              LEFT JOIN (SELECT id, sum(pages) AS pages FROM visits GROUP BY id) USING (id)`,
      sources: {
        purchases,
        plans: { kind: 'history', path: from('plans'), key: ['id'], valid_from: 'since', valid_to: 'until' },
        calls: {
          kind: 'events',
          path: from('calls'),
          event_time: 'started',
          available_at: 'loaded_at',
          cutoff: { text: '4h', ms: 14_400_000, days: undefined },
        },
        visits: { kind: 'events', path: from('visits'), event_time: 'day' },
      },
    })
    expect(named(facts)).toEqual([])
    expect(facts.differing).toBe(0)
  })
})

describe('a static source', () => {
  const sql = `SELECT id, count(*)::FLOAT AS orders, coalesce(max(r.refunds), 0)::FLOAT AS refunds
    FROM purchases LEFT JOIN (SELECT id, count(*) AS refunds FROM refunds GROUP BY id) r USING (id) GROUP BY id`
  const sources = { purchases, refunds: { kind: 'static', path: 'data/refunds/*.parquet' } } as const

  it('is named, and that parity will fail unless it is waived', async () => {
    await write('refunds', 'SELECT i AS id FROM range(100) t(i)')
    const facts = await leaksOf(root, { sql, sources })
    expect(named(facts)).toEqual(['static refunds -'])
    expect(facts.leaks[0]?.message).toContain('the readiness gate fails parity unless this is waived')
  })

  it('whose rows say when they came shows which features see what came after', async () => {
    await write('refunds', `SELECT id, happened AS refunded_at FROM (${PURCHASES}) WHERE amount < 20`)
    const facts = await leaksOf(root, { asOfs: [], sql, sources })
    expect(named(facts)).toEqual(['static refunds -', 'future-rows refunds refunded_at'])
    const [, leak] = facts.leaks
    expect(leak).toMatchObject({ as_of: '2026-02-20', features: ['refunds'] })
    expect(leak?.rows).toBeGreaterThan(100)
    expect(leak?.examples[0]).toMatch(/^refunds of \d+: \d\.0 with what came after, \d\.0 without$/)
    expect(leak?.fix).toContain('kind: events with event_time: refunded_at')
  })
})

describe('a history', () => {
  /** Customers who leave after up to 200 days; three in four have left by the end of the data. */
  const CUSTOMERS = `SELECT i AS id, TIMESTAMP '2026-01-01' AS since, plan, left_at, left_at IS NULL AS is_current, i::DOUBLE AS size
    FROM (SELECT i, CASE WHEN i % 4 > 0 THEN TIMESTAMP '2026-01-01 08:00:00' + to_hours((hash(i) % 4200)::BIGINT) END AS left_at, ['basic', 'pro'][i % 2 + 1] AS plan FROM range(200) t(i))
    UNION ALL SELECT i, TIMESTAMP '2026-01-15' + to_days((i % 50)::INTEGER), 'new', NULL, true, 1 FROM range(200, 260) t(i)`
  const history = {
    kind: 'history' as const,
    path: 'data/customers/*.parquet',
    key: ['id'],
    valid_from: 'since',
  }

  it('whose future end is used without being declared is found, with the features that know it', async () => {
    await write('customers', CUSTOMERS)
    const facts = await leaksOf(root, {
      asOfs: [],
      sql: `SELECT id, plan, date_diff('day', $as_of, left_at)::FLOAT AS days_left, size::FLOAT AS size FROM customers`,
      sources: { purchases, customers: history },
    })
    expect(named(facts)).toEqual(['future-value customers left_at'])
    expect(facts.leaks[0]).toMatchObject({ features: ['days_left'], as_of: '2026-02-20' })
    expect(facts.leaks[0]?.fix).toContain('declare valid_to: left_at')
  })

  it('whose end is declared, or compared with the as-of, is clean', async () => {
    await write('customers', CUSTOMERS)
    const declared = await leaksOf(root, {
      sql: `SELECT id, plan, (left_at IS NULL)::INTEGER AS stays FROM customers`,
      sources: { purchases, customers: { ...history, valid_to: 'left_at' } },
    })
    expect(named(declared)).toEqual([])
    const compared = await leaksOf(root, {
      sql: `SELECT id, plan, (left_at IS NULL OR left_at >= $as_of)::INTEGER AS stays FROM customers`,
      sources: { purchases, customers: history },
    })
    expect(named(compared)).toEqual([])
  })

  it('that says in another column how its rows end is found, though the end is declared', async () => {
    await write('customers', CUSTOMERS)
    const facts = await leaksOf(root, {
      sql: 'SELECT id, plan, is_current::INTEGER AS is_current FROM customers',
      sources: { purchases, customers: { ...history, valid_to: 'left_at' } },
    })
    expect(named(facts)).toEqual(['future-value customers is_current'])
    expect(facts.leaks[0]?.message).toContain('its values match left_at')
  })

  it('whose rows all begin at once was loaded, not kept', async () => {
    await write('customers', `SELECT id, TIMESTAMP '2026-01-02 03:00:00' AS since, plan FROM (${CUSTOMERS})`)
    const facts = await leaksOf(root, {
      sql: 'SELECT id, plan FROM customers',
      sources: { purchases, customers: history },
    })
    expect(named(facts)).toEqual(['load-date customers since'])
  })

  it('without a second row of any key is suspected of holding the newest state alone', async () => {
    await write(
      'customers',
      `SELECT i AS id, TIMESTAMP '2025-06-01' + to_days((i % 200)::INTEGER) AS since, 'basic' AS plan FROM range(200) t(i)`,
    )
    const facts = await leaksOf(root, {
      sql: 'SELECT id, plan FROM customers',
      sources: { purchases, customers: history },
    })
    expect(named(facts)).toEqual(['(rewritten) customers since'])
  })
})

describe('events whose event_time is the load date', () => {
  const LOADED = `SELECT id, amount, happened, date_trunc('day', happened) + INTERVAL 27 HOUR AS noted FROM (${PURCHASES})`
  const orders = { kind: 'events', path: 'data/orders/*.parquet', event_time: 'noted' } as const
  const sql = 'SELECT id, count(*)::FLOAT AS orders FROM orders GROUP BY id'

  it('are found where the rows say when they happened', async () => {
    await write('orders', LOADED)
    const facts = await leaksOf(root, { sql, sources: { purchases, orders } })
    expect(named(facts)).toEqual(['load-date orders noted'])
    const [leak] = facts.leaks
    expect(leak?.message).toContain('happened of the same rows is when it happened')
    expect(leak?.message).toMatch(/\d+ rows from before 2026-\d\d-\d\d count as after it/)
    expect(leak?.fix).toContain('event_time: happened, available_at: noted')
  })

  it('are found where a load takes days, by its name; without one that is a suspicion', async () => {
    const late = (name: string) =>
      `SELECT id, amount, happened, (happened + to_hours((hash(id, amount) % 240)::BIGINT))::DATE + INTERVAL 1 DAY AS ${name} FROM (${PURCHASES})`
    await write('orders', late('load_date'))
    const event_time = 'load_date'
    expect(
      named(await leaksOf(root, { sql, sources: { purchases, orders: { ...orders, event_time } } })),
    ).toEqual(['load-date orders load_date'])
    await write('orders', late('booked'))
    const facts = await leaksOf(root, {
      sql,
      sources: { purchases, orders: { ...orders, event_time: 'booked' } },
    })
    expect(named(facts)).toEqual(['(load-date) orders booked'])
  })

  it('are found by the day of their folder, and by a date within the rows', async () => {
    for (const day of ['2026-03-02', '2026-03-03', '2026-03-04', '2026-03-05']) {
      await writeParquet(
        join(root, `data/orders/day=${day}/all.parquet`),
        `SELECT id, happened FROM (${PURCHASES}) WHERE happened >= DATE '${day}' - INTERVAL 1 DAY AND happened < DATE '${day}'`,
      )
    }
    const keyed = { ...orders, path: 'data/orders/**/*.parquet', event_time: 'day' }
    expect(named(await leaksOf(root, { sql, sources: { purchases, orders: keyed } }))).toEqual([
      'load-date orders day',
    ])
    await write(
      'dated',
      `SELECT id, happened::DATE AS happened_on, happened::DATE + INTERVAL 27 HOUR AS filed FROM (${PURCHASES})`,
    )
    const dated = { ...orders, path: from('dated'), event_time: 'filed' }
    expect(named(await leaksOf(root, { sql, sources: { purchases, orders: dated } }))).toEqual([
      'load-date orders filed',
    ])
  })

  it('are not there where folders are days of another zone: the day that the as-of cuts into is not over', async () => {
    for (const day of ['2026-03-30', '2026-03-31', '2026-04-01', '2026-04-02']) {
      await writeParquet(
        join(root, `data/orders/day=${day}/all.parquet`),
        `SELECT id, happened FROM (${PURCHASES}) WHERE happened >= DATE '${day}' AND happened < DATE '${day}' + INTERVAL 1 DAY`,
      )
    }
    const keyed = { ...orders, path: 'data/orders/**/*.parquet', event_time: 'day', timezone: 'UTC' }
    const facts = await leaksOf(root, {
      sql,
      sources: { purchases, orders: keyed },
      timezone: 'Europe/Berlin',
      asOfs: ['2026-04-01'],
    })
    expect(named(facts)).toEqual([])
  })

  it('are found where one load brought all that was there', async () => {
    await write(
      'orders',
      `SELECT id, amount, CASE WHEN happened < TIMESTAMP '2026-04-01' THEN TIMESTAMP '2026-04-01 03:00:00' ELSE happened END AS noted FROM (${PURCHASES})`,
    )
    const facts = await leaksOf(root, { sql, sources: { purchases, orders } })
    expect(named(facts)).toEqual(['load-date orders noted'])
    expect(facts.leaks[0]?.message).toContain('a load of all existing rows')
  })

  it('are found where every row has one time, or the name says it', async () => {
    await write('orders', `SELECT id, amount, TIMESTAMP '2026-03-03 03:00:00' AS noted FROM (${PURCHASES})`)
    expect(named(await leaksOf(root, { sql, sources: { purchases, orders } }))).toEqual([
      'load-date orders noted',
    ])
    await write('orders', `SELECT id, amount, happened::DATE AS load_date FROM (${PURCHASES})`)
    const facts = await leaksOf(root, {
      sql,
      sources: { purchases, orders: { ...orders, event_time: 'load_date' } },
    })
    expect(named(facts)).toEqual(['load-date orders load_date'])
  })

  it('are suspected where every row has the same time of day', async () => {
    await write(
      'orders',
      `SELECT id, amount, date_trunc('day', happened) + INTERVAL 3 HOUR AS noted FROM (${PURCHASES})`,
    )
    const facts = await leaksOf(root, { sql, sources: { purchases, orders } })
    expect(named(facts)).toEqual(['(load-date) orders noted'])
    expect(facts.leaks[0]?.message).toContain('03:00:00 UTC')
  })

  it('are not there where the date is a day, and the as-of an hour within it: the day is not over', async () => {
    await write('orders', `SELECT id, happened::DATE AS day, happened AS at FROM (${PURCHASES})`)
    const daily = { ...orders, event_time: 'day' }
    for (const asOf of ['2026-04-10', '2026-04-10T12Z'])
      expect(
        named(await leaksOf(root, { sql, sources: { purchases, orders: daily }, asOfs: [asOf] })),
      ).toEqual([])
  })
})

describe('rows that were written again', () => {
  const ORDERS = `SELECT id, amount, happened AS ordered, CASE WHEN id % 3 = 0 THEN least(happened + INTERVAL 40 DAY, TIMESTAMP '2026-06-29') END AS cancelled_at,
    CASE WHEN id % 3 = 0 THEN 'cancelled' ELSE 'open' END AS status FROM (${PURCHASES}) WHERE happened < TIMESTAMP '2026-06-28'`
  const orders = { kind: 'events', path: 'data/orders/*.parquet', event_time: 'ordered' } as const

  it('are found by a status that goes with a time of later', async () => {
    await write('orders', ORDERS)
    const facts = await leaksOf(root, {
      sql: `SELECT id, count(*) FILTER (status = 'cancelled')::FLOAT AS cancelled FROM orders GROUP BY id`,
      sources: { purchases, orders },
    })
    expect(named(facts)).toContain('future-value orders status')
    expect(facts.leaks[0]?.message).toContain('its values match cancelled_at')
    expect(facts.leaks[0]?.examples.length).toBeGreaterThan(0)
  })

  it('are found by the features that use a time of later', async () => {
    await write('orders', ORDERS)
    const facts = await leaksOf(root, {
      sql: 'SELECT id, count(cancelled_at)::FLOAT AS cancelled FROM orders GROUP BY id',
      sources: { purchases, orders },
    })
    expect(named(facts)).toEqual(['future-value orders cancelled_at'])
    expect(facts.leaks[0]?.features).toEqual(['cancelled'])
  })

  it('are suspected where a column says when, and only others are read', async () => {
    await write(
      'orders',
      `SELECT id, amount, happened AS ordered, least(happened + INTERVAL 30 DAY, TIMESTAMP '2026-06-29') AS updated_at FROM (${PURCHASES}) WHERE happened < TIMESTAMP '2026-06-28'`,
    )
    const facts = await leaksOf(root, {
      sql: 'SELECT id, sum(amount)::FLOAT AS spend FROM orders GROUP BY id',
      sources: { purchases, orders },
    })
    expect(named(facts)).toEqual(['(rewritten) orders updated_at'])
  })

  it('that arrive late are named where the files say so and the declaration does not', async () => {
    await write(
      'orders',
      `SELECT id, amount, happened AS ordered, happened + to_minutes((hash(id, amount) % 600)::BIGINT) AS ingested_at FROM (${PURCHASES})`,
    )
    const facts = await leaksOf(root, {
      sql: 'SELECT id, sum(amount)::FLOAT AS spend FROM orders GROUP BY id',
      sources: { purchases, orders },
    })
    expect(named(facts)).toEqual(['(arrival) orders ingested_at'])
    expect(facts.leaks[0]?.fix).toContain('available_at: ingested_at')
  })
})

describe('a feature that alone tells the label', () => {
  /** What the label will be, as a table of events that names it under another name. */
  const TOLD = `SELECT id, TIMESTAMP '2026-01-01' AS at, buys FROM (SELECT i AS id, i % 2 AS buys FROM range(200) t(i))`
  const told = { kind: 'events', path: 'data/told/*.parquet', event_time: 'at' } as const
  const labels = 'SELECT id, (id % 2)::INTEGER AS buys FROM purchases GROUP BY id'

  it('is found by its value, its text and its nulls', async () => {
    await write('told', `SELECT id, TIMESTAMP '2026-01-01' + to_seconds(id) AS at, buys FROM (${TOLD})`)
    const facts = await leaksOf(root, {
      asOfs: [],
      labels,
      sql: `SELECT id, max(buys)::FLOAT AS number, max(CASE WHEN buys = 1 THEN 'red' ELSE 'blue' END) AS text,
                   max(CASE WHEN buys = 1 THEN id END)::FLOAT AS there, max(id)::FLOAT AS other, max('c' || id) AS own
              FROM told GROUP BY id`,
      sources: { purchases, told },
    })
    expect(named(facts)).toEqual(['separates-label number', 'separates-label text', 'separates-label there'])
    expect(facts.leaks.map(({ message }) => message)).toEqual([
      expect.stringContaining('by its value (AUC 1)'),
      expect.stringContaining('by its value (AUC 1)'),
      expect.stringContaining('by being null (AUC 0)'),
    ])
    // A text of its own for each entity tells nothing of the others.
    expect(facts.auc.own).toBeLessThan(0.98)
  })

  it('is not looked for where the label has more than two values, and that is said', async () => {
    const facts = await leaksOf(root, {
      sql: SPEND,
      sources: { purchases },
      labels: 'SELECT id, count(*)::INTEGER AS n FROM purchases GROUP BY id',
    })
    expect(facts.leaks).toEqual([])
    expect(facts.notes).toEqual([
      'the label n has values other than 0 and 1: features were not tested against it',
    ])
  })
})
