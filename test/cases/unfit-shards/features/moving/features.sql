SELECT customer_id FROM calls GROUP BY customer_id
