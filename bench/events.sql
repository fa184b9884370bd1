-- A third of an event for each customer: one local day's file, sorted by time. No generator of random numbers: a hash
-- of day and position, so that the rows are the same whatever the threads.
WITH drawn AS (
  SELECT hash(hash(getvariable('day')::BIGINT, i)) AS k
  FROM range(getvariable('customers') // 3) AS events(i)
)
SELECT
  (1 + k % getvariable('customers'))::BIGINT                                     AS customer_id,
  TIMESTAMP '1970-01-01' + to_days(getvariable('day')) + to_seconds((hash(k, 1) % 86400)::BIGINT) AS happened_at,
  round(-30 * ln(1 - (hash(k, 2) % 1000000) / 1000000.0), 2)::DOUBLE             AS amount,
  (1 + hash(k, 3) % 5)::INTEGER                                                  AS quantity,
  (hash(k, 4) % 4)::TINYINT                                                      AS channel
FROM drawn
ORDER BY happened_at, customer_id, amount
