"""The ledger against a model of it, and against a whole simulated world that a seed decides."""
