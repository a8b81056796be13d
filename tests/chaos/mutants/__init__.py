"""Guards of the ledger that are taken away one by one, each in a copy of the tree: the tests
named beside it have to fail."""
