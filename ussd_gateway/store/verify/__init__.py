"""The checker: reads the books row by row, and says of each invariant whether it holds.

It stands apart from the code that writes the books. It shares the tables with it and nothing
else: the trust ring, the receipt's check and every sum are written out here a second time, so
that a fault in one is not repeated in the other. Whoever changes a rule of the ledger changes
it in both places, by hand.

    one snapshot:  entries in account order, beside accounts     2 3 4 5 10
                   entries in journal order, beside journals     1 10 receipts
                   keys in journal order, beside journals        8
                   purchases, beside their keys                  airtime on order
                   the triggers as the database describes them   15
    afterwards:    tries to change a row, and is refused         15

Two streams in the same order are read side by side, so memory stays the same at any size, and
no lock is taken that a payment could wait for.
"""

from sqlalchemy import Engine

from ussd_gateway.store.verify.accounts import check_accounts
from ussd_gateway.store.verify.finding import Finding, Tally
from ussd_gateway.store.verify.guards import check_guards, try_to_change
from ussd_gateway.store.verify.journals import check_journals
from ussd_gateway.store.verify.keys import check_keys
from ussd_gateway.store.verify.purchases import check_purchases
from ussd_gateway.store.verify.snapshot import snapshot

__all__ = ["Finding", "verify"]


def verify(engine: Engine) -> tuple[Finding, ...]:
    """One finding for each invariant, all of one moment. Raises DBAPIError where the database
    cannot be read."""
    balanced = Tally(1, "a journal has two legs or more, and they sum to zero", "journals")
    matched = Tally(2, "all debits equal all credits, posted and pending", "accounts")
    summed = Tally(3, "an account is the sum of its entries", "entries")
    chained = Tally(4, "entries of an account are numbered and chained unbroken", "entries")
    bounded = Tally(5, "no floor or cap is breached, holds included", "accounts")
    keyed = Tally(8, "a key happened once, and its outcome and SMS tell of it", "keys")
    ringed = Tally(10, "e-money is matched by the trust bank at every commit", "journals")
    guarded = Tally(15, "rows of the books cannot be changed", "guards")
    apart = Tally(None, "what is charged to phones never meets e-money", "journals")
    covered = Tally(
        None, "what is on order is open, and what is settled has a key", "purchases"
    )
    received = Tally(None, "a receipt is well formed, of its date, and unique", "receipts")

    with snapshot(engine) as books:
        check_accounts(
            books,
            matched=matched,
            summed=summed,
            chained=chained,
            bounded=bounded,
            ringed=ringed,
        )
        check_journals(books, balanced=balanced, ringed=ringed, apart=apart, received=received)
        check_keys(books, keyed)
        check_purchases(books, covered)
        check_guards(books, guarded)
    try_to_change(engine, guarded)

    tallies = (
        *(balanced, matched, summed, chained, bounded, keyed, ringed, guarded),
        *(received, apart, covered),
    )
    return tuple(tally.finding() for tally in tallies)
