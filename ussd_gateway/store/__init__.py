"""Everything that is kept: the ledger, the outbox and sessions, behind the doors of `ports`."""
