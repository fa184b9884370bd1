-- One row per customer who is one at $as_of. The sources arrive already cut: nothing here can see what came later.
-- Times are local times of the project's zone, so hour(started_at) is the hour on the customer's wall.
WITH calling AS (
  SELECT
    customer_id,
    count(*) FILTER (started_at >= $as_of - INTERVAL 7 DAY)                        AS calls_7d,
    count(*) FILTER (started_at >= $as_of - INTERVAL 30 DAY)                       AS calls_30d,
    count(*) FILTER (started_at >= $as_of - INTERVAL 14 DAY)                       AS calls_14d,
    count(*) FILTER (started_at < $as_of - INTERVAL 14 DAY)                        AS calls_before,
    count(*) FILTER (dropped AND started_at >= $as_of - INTERVAL 30 DAY)           AS dropped_30d,
    count(*) FILTER (to_support AND started_at >= $as_of - INTERVAL 30 DAY)        AS support_30d,
    count(*) FILTER (roaming AND started_at >= $as_of - INTERVAL 30 DAY)           AS roaming_30d,
    count(*) FILTER ((hour(started_at) >= 22 OR hour(started_at) < 6) AND started_at >= $as_of - INTERVAL 30 DAY) AS night_30d,
    sum(seconds) FILTER (started_at >= $as_of - INTERVAL 30 DAY)                   AS seconds_30d,
    max(started_at)                                                                AS last_at
  FROM calls
  WHERE started_at >= $as_of - INTERVAL 56 DAY
  GROUP BY customer_id
),
browsing AS (
  SELECT
    customer_id,
    sum(megabytes) FILTER (started_at >= $as_of - INTERVAL 14 DAY)                 AS megabytes_14d,
    sum(megabytes) FILTER (started_at < $as_of - INTERVAL 14 DAY)                  AS megabytes_before,
    max(started_at)                                                                AS last_at
  FROM sessions
  WHERE started_at >= $as_of - INTERVAL 42 DAY
  GROUP BY customer_id
),
paying AS (
  SELECT
    customer_id,
    count(*) FILTER (event = 'paid' AND days_late > 0)                             AS late_90d,
    count(*) FILTER (event = 'failed')                                             AS failed_90d
  FROM payments
  WHERE happened_at >= $as_of - INTERVAL 90 DAY
  GROUP BY customer_id
)
SELECT
  customers.customer_id,
  customers.plan,
  date_diff('day', customers.signup_at, $as_of)::FLOAT                             AS tenure_days,
  -- The subscription table is copied on Mondays: a customer of this week is not in it yet and has no price here.
  subscriptions.monthly_price::FLOAT                                               AS monthly_price,
  (customers.contract = 'monthly')::INTEGER::FLOAT                                 AS monthly_contract,
  coalesce(greatest(date_diff('day', $as_of, subscriptions.contract_end), 0), 0)::FLOAT AS contract_days_left,
  coalesce(subscriptions.autopay, false)::INTEGER::FLOAT                           AS autopay,
  coalesce(calls_7d, 0)::FLOAT                                                     AS calls_7d,
  coalesce(calls_30d, 0)::FLOAT                                                    AS calls_30d,
  -- 1 is as usual: two weeks against a third of the six weeks before. What is added below keeps rare callers near 1.
  ((coalesce(calls_14d, 0) + 2) / (coalesce(calls_before, 0) / 3.0 + 2))::FLOAT    AS calls_trend,
  (coalesce(dropped_30d, 0) / (coalesce(calls_30d, 0) + 5.0))::FLOAT               AS dropped_share_30d,
  coalesce(support_30d, 0)::FLOAT                                                  AS support_calls_30d,
  (coalesce(night_30d, 0) / (coalesce(calls_30d, 0) + 5.0))::FLOAT                 AS night_share_30d,
  coalesce(roaming_30d, 0)::FLOAT                                                  AS roaming_calls_30d,
  (coalesce(seconds_30d, 0) / 60.0)::FLOAT                                         AS minutes_30d,
  coalesce(megabytes_14d, 0)::FLOAT                                                AS megabytes_14d,
  ((coalesce(megabytes_14d, 0) + 500) / (coalesce(megabytes_before, 0) / 2.0 + 500))::FLOAT AS megabytes_trend,
  -- Null where neither a call nor a session is on record.
  date_diff('day', greatest(calling.last_at, browsing.last_at), $as_of)::FLOAT     AS days_since_activity,
  coalesce(late_90d, 0)::FLOAT                                                     AS payments_late_90d,
  coalesce(failed_90d, 0)::FLOAT                                                   AS payments_failed_90d
FROM customers
LEFT JOIN subscriptions USING (customer_id)
LEFT JOIN calling USING (customer_id)
LEFT JOIN browsing USING (customer_id)
LEFT JOIN paying USING (customer_id)
