"""Lanes: the ledger's tasks on their way through arq to workers, and what the workers do."""
