SELECT customer_id, 0 AS bought FROM calls
