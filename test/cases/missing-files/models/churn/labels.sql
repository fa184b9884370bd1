SELECT customer_id, 0 AS cancelled FROM calls
