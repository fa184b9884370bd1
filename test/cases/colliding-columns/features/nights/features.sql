SELECT 1 AS as_of FROM contracts
