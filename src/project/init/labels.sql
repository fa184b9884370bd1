-- One row per customer: 1 if nothing was ordered from $as_of to $label_end (as-of + horizon), else 0.
-- The sources are the same as in features.sql, but cut at $label_end.
SELECT customers.customer_id, (count(orders.order_id) = 0)::INTEGER AS lapsed
FROM customers
LEFT JOIN orders
  ON orders.customer_id = customers.customer_id
  AND orders.ordered_at >= $as_of
GROUP BY customers.customer_id
