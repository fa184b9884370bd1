-- One row per customer, as known at $as_of. The sources are already cut there: neither this file nor a training set
-- can see what came later. Time is local time of the project, so $as_of - INTERVAL 90 DAY is 90 local days.
SELECT
  customers.customer_id,
  customers.plan,
  date_diff('day', customers.joined_at, $as_of)::INTEGER    AS tenure_days,
  count(orders.order_id)::INTEGER                           AS orders_90d,
  -- amount is DECIMAL: its sum does not depend on the order of rows. Cast a sum of DOUBLE to FLOAT.
  coalesce(sum(orders.amount), 0)::FLOAT                    AS spend_90d,
  date_diff('day', max(orders.ordered_at), $as_of)::INTEGER AS recency_days
FROM customers
LEFT JOIN orders
  ON orders.customer_id = customers.customer_id
  AND orders.ordered_at >= $as_of - INTERVAL 90 DAY
GROUP BY customers.customer_id, customers.plan, customers.joined_at
