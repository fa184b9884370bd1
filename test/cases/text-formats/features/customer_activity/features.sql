SELECT customer_id, count(*)::INTEGER AS calls FROM calls GROUP BY customer_id
