-- Did the customer cancel within 30 days of $as_of? The sources are cut at $label_end here, and `customers` has all
-- its rows up to then: who is gone has no row left without a valid_to. (A change of plan closes one row and opens another.)
SELECT customer_id, bool_and(valid_to IS NOT NULL)::INTEGER AS churned
FROM customers
GROUP BY customer_id
HAVING max(coalesce(valid_to, $label_end)) >= $as_of
