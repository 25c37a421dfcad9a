"""The domain of incoming files: ledger, inspection, claiming, staging. Knows nothing about Lambda."""
