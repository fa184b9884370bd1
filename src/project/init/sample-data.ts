/** One Parquet file of the sample data. */
export interface SampleFile {
  /** Relative to the project's root. */
  path: string
  /** A self-contained DuckDB SELECT of its rows, in order. */
  sql: string
}

const CUSTOMERS = 400
const DAYS = 240

/**
 * The data of a new project, small and the same for the same day: 400 customers and about 5,000 orders of the 240
 * days before the midnight (UTC) of `today`, an ISO date. Plans, order intervals and ends are computed from the
 * customer's number, because DuckDB's `random()` and `hash()` may change between versions.
 */
export function sampleData(today: string): SampleFile[] {
  return [
    { path: 'data/customers/customers.parquet', sql: customers(today) },
    // One file a month, as a load would write them. The view reads them by a glob.
    ...months(today).map((month) => ({ path: `data/orders/${month}.parquet`, sql: orders(today, month) })),
  ]
}

/** Every third customer changes plan once; one in eight has left, and is included until then. */
function customers(today: string): string {
  return `
WITH people AS (
  SELECT
    i AS customer_id,
    ${joinedAt(today)} AS joined_at,
    i % 3 AS tier,
    CASE WHEN i % 3 = 1 THEN ${joinedAt(today)} + to_days(CAST(30 + (i * 11) % 60 AS INTEGER)) END AS changed_at,
    CASE WHEN i % 8 = 5 THEN TIMESTAMP '${today}' - to_days(CAST((i * 17) % 100 AS INTEGER)) END AS left_at
  FROM generate_series(1, ${CUSTOMERS}) AS numbers(i)
)
SELECT customer_id, ['basic', 'basic', 'pro'][tier + 1] AS plan, joined_at, joined_at AS valid_from,
  coalesce(changed_at, left_at) AS valid_to
FROM people
UNION ALL
SELECT customer_id, 'plus' AS plan, joined_at, changed_at AS valid_from, left_at AS valid_to
FROM people
WHERE changed_at IS NOT NULL AND (left_at IS NULL OR changed_at < left_at)
ORDER BY customer_id, valid_from`.trim()
}

/**
 * Each customer orders at an interval of their own; one in five stops at some point: a model should predict those.
 */
function orders(today: string, month: string): string {
  return `
WITH placed AS (
  SELECT
    i AS customer_id,
    k AS nth,
    ${joinedAt(today)}
      + to_days(CAST(k * (5 + (i * 7) % 25) + (i * k * 13) % 4 AS INTEGER))
      + to_minutes(CAST(420 + (i * 37 + k * 101) % 900 AS BIGINT)) AS ordered_at,
    CASE WHEN i % 5 = 2 THEN TIMESTAMP '${today}' - to_days(CAST((i * 29) % 150 AS INTEGER)) END AS stops_at
  FROM generate_series(1, ${CUSTOMERS}) AS numbers(i), generate_series(0, ${DAYS / 5}) AS counts(k)
)
SELECT
  customer_id * 1000 + nth AS order_id,
  customer_id,
  ordered_at,
  -- Nearly all arrive within the hour, one in forty some hours later.
  ordered_at + to_minutes(CAST(CASE WHEN (customer_id * 3 + nth) % 40 = 0 THEN 250 ELSE 10 + nth % 40 END AS BIGINT)) AS loaded_at,
  CAST(5 + ((customer_id * 31 + nth * 17) % 1900) / 20 AS DECIMAL(10, 2)) AS amount,
  ['web', 'app', 'shop'][1 + (customer_id + nth) % 3] AS channel
FROM placed
WHERE ordered_at < TIMESTAMP '${today}'
  AND (stops_at IS NULL OR ordered_at < stops_at)
  AND ordered_at >= TIMESTAMP '${month}-01' AND ordered_at < TIMESTAMP '${month}-01' + INTERVAL 1 MONTH
ORDER BY ordered_at, order_id`.trim()
}

function joinedAt(today: string): string {
  return `TIMESTAMP '${today}' - to_days(CAST(${DAYS} - (i * 53) % 150 AS INTEGER))`
}

/** The months of the data, such as `2026-11`, oldest first. */
function months(today: string): string[] {
  const end = Date.parse(today)
  const days = Array.from({ length: DAYS }, (_, day) => new Date(end - (DAYS - day) * 86_400_000))
  return [...new Set(days.map((day) => day.toISOString().slice(0, 7)))]
}
