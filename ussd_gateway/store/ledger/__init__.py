"""Where commands become commits: one writer a process, batches, and each database's own tongue.

writer --commands--> batch: decide each, on locked rows --Rows--> sqlite | postgres
"""
