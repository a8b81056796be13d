"""The outbox: SMS that are owed, from the commit of their money to the handset.

    due --relay--> claimed --worker--> sending --provider--> sent --report--> delivered | failed
     ^ |              |                  |  |
     | |  <--lease----+   <--not taken---+  +--no answer, or its lease is over--> unknown
     | +--too old--> expired                                                       |  |
     +--no report in time, and the first silence-----------------------------------+  |
                                              delivered | failed | sent <--report-----+

Each step is a compare-and-set, so that two workers never take the same row. `sending` is
committed before the provider is called: a row that is found there when its lease is over
belonged to a worker that died, and nobody knows whether its message went out. That is a silence
too, as an answer is that never came. After the first one a row waits for its report and is sent
once more; after the second it stays `unknown`, and only a report changes it. The receipt in the
text makes a double harmless.

What a provider surely did not take is due again, later each time; once that provider takes
something, those that wait long are due at once. Nothing is given up but for its age.

The relay takes what is most urgent: by priority, then by age. `next_at_ms` is when time moves a
row on, whatever its state; a due row that waits for nothing has 0 there, and only such a one is
taken. So those that wait, however many, are in nobody's way.
"""

from ussd_gateway.store.outbox.messages import Answered, NotTaken, Owed
from ussd_gateway.store.outbox.outbox import Outbox

__all__ = ["Answered", "NotTaken", "Outbox", "Owed"]
