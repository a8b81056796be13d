"""The outbox: SMS that are owed, from the commit of their money to the handset.

    due --relay--> claimed --worker--> sending --provider--> sent --report--> delivered | failed
     ^ |              |                  |  |
     | |  <--lease----+   <--not taken---+  +--no answer, or its lease is over--> unknown
     | +--too old--> expired                                                       |  |
     +--no report in time, and not the last try------------------------------------+  |
                                              delivered | failed | sent <--report-----+

Each step is a compare-and-set, so that two workers never take the same row. `sending` is
committed before the provider is called: a row that is found there when its lease is over
belonged to a worker that died, and nobody knows whether its message went out. That is a silence
too, as an answer is that never came.

    first silence    a short wait for its report, and it is sent once more
    second           where both were the provider's, that was the last try. Where a worker died
                     in one of them: a long wait, and a last try. Whatever has gone out is
                     reported in all that time, so perhaps nothing has. Only where as many
                     reports that nobody knows came for that number as copies, all went out
    third            the last one in any case

Then it stays `unknown`, waits for nothing more (`next_at_ms` is 0), and only a report changes
it, or an operator who sends it again. The receipt in the text makes a double harmless. What a
report tells of is no silence any more: `unknowns` counts one less.

What a provider surely did not take is due again, later each time; once any provider of its
number takes something, those that wait long are due at once. Nothing is given up but for its
age, and answers to SMS are old sooner than what tells of money. What could not be put into
words waits the same way, until a worker starts whose texts may be others.

`text` is what was sent last, as far as an answer was kept; where a worker died it has none, and
nobody reads it to send: words are made anew of `params`.

The relay takes what is most urgent: by priority, then by age. `next_at_ms` is when time moves a
row on, whatever its state; a due row that waits for nothing has 0 there, and only such a one is
taken. So those that wait, however many, are in nobody's way.
"""

from ussd_gateway.store.outbox.messages import Answered, NotTaken, Owed
from ussd_gateway.store.outbox.outbox import Outbox
from ussd_gateway.store.schema import UNWRITTEN

__all__ = ["UNWRITTEN", "Answered", "NotTaken", "Outbox", "Owed"]
