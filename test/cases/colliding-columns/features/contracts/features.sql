SELECT contract_id, version, 1 AS one FROM contracts
