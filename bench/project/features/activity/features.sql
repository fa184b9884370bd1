-- 19 float features of 30 events a customer: nine aggregates, and what follows from them.
WITH totals AS (
  SELECT
    customer_id,
    min(happened_at)                                                           AS first_at,
    max(happened_at)                                                           AS last_at,
    count(*)                                                                   AS events,
    count(*) FILTER (happened_at >= $as_of - INTERVAL 30 DAY)                  AS events_30d,
    count(*) FILTER (hour(happened_at) < 6)                                    AS night_events,
    sum(amount)                                                                AS amount,
    coalesce(sum(amount) FILTER (happened_at >= $as_of - INTERVAL 30 DAY), 0)  AS amount_30d,
    max(amount)                                                                AS largest_amount,
    sum(quantity)                                                              AS quantity
  FROM events
  GROUP BY customer_id
)
SELECT
  customer_id,
  date_diff('day', first_at, $as_of)::FLOAT                                    AS tenure_days,
  date_diff('day', last_at, $as_of)::FLOAT                                     AS recency_days,
  date_diff('day', first_at, last_at)::FLOAT                                   AS active_days,
  events::FLOAT                                                                AS events,
  events_30d::FLOAT                                                            AS events_30d,
  (events_30d / events)::FLOAT                                                 AS events_trend,
  night_events::FLOAT                                                          AS night_events,
  (night_events / events)::FLOAT                                               AS night_share,
  amount::FLOAT                                                                AS amount,
  amount_30d::FLOAT                                                            AS amount_30d,
  (amount_30d / (amount + 1))::FLOAT                                           AS amount_trend,
  largest_amount::FLOAT                                                        AS largest_amount,
  (largest_amount / (amount + 1))::FLOAT                                       AS largest_share,
  (amount / events)::FLOAT                                                     AS mean_amount,
  (amount_30d / (events_30d + 1))::FLOAT                                       AS mean_amount_30d,
  quantity::FLOAT                                                              AS quantity,
  (quantity / events)::FLOAT                                                   AS mean_quantity,
  (amount / quantity)::FLOAT                                                   AS mean_price,
  (date_diff('day', first_at, last_at) / events)::FLOAT                        AS mean_gap_days
FROM totals
