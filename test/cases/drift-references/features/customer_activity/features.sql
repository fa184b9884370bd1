SELECT customer_id, plan, date_diff('day', valid_from, $as_of) AS tenure_days FROM customers
