"""What happens after the screen: the outbox drained into the queue, and the queue into SMS.

relay: due rows -> queue (row ids only)      worker: queue -> provider
scheduler: what is done by the clock: rows whose lease is over move on
"""
