"""The checker: reads the books row by row, and says of each invariant whether it holds.

It stands apart from the code that writes the books. It shares the tables with it and nothing
else: the trust ring, the receipt's check, every digest and every sum are written out here a
second time, so that a fault in one is not repeated in the other. Whoever changes a rule of the
ledger changes it in both places, by hand.

    one snapshot:  entries in account order, beside accounts     2 3 4 5 10
                   accounts beside their holders                 names
                   entries in journal order, beside journals     1 10 receipts
                   journals in order, beside their day's counter numbers
                   holds beside accounts, and beside journals    6 7
                   keys in journal order, beside journals        8
                   what is taken back, beside its originals      9
                   journals beside the price books they name     12
                   accounts, ends of days and entries, merged    11 13 16
                   keys with all that came with them, and
                   batches beside their keys, the chain          14
                   purchases, beside their keys                  airtime on order
                   vouchers, beside their keys and journals      unclaimed money
                   wallets beside what they paid and got back    what limits count
                   the triggers as the database describes them   15 16
    afterwards:    tries to change a row, and is refused         15 16

Two streams in the same order are read side by side, so memory stays the same at any size, and
no lock is taken that a payment could wait for.
"""

from pathlib import Path

from sqlalchemy import Engine

from ussd_gateway.store.snapshot import snapshot
from ussd_gateway.store.verify.accounts import check_accounts
from ussd_gateway.store.verify.days import check_days
from ussd_gateway.store.verify.digests import check_digests
from ussd_gateway.store.verify.finding import Finding, Tally
from ussd_gateway.store.verify.guards import check_guards, try_to_change
from ussd_gateway.store.verify.holders import check_holders
from ussd_gateway.store.verify.holds import check_holds
from ussd_gateway.store.verify.journals import check_journals
from ussd_gateway.store.verify.keys import check_keys
from ussd_gateway.store.verify.numbers import check_numbers
from ussd_gateway.store.verify.purchases import check_purchases
from ussd_gateway.store.verify.reversals import check_reversals
from ussd_gateway.store.verify.seals import check_seals, read_heads
from ussd_gateway.store.verify.tariffs import check_tariffs
from ussd_gateway.store.verify.twice import check_twice
from ussd_gateway.store.verify.usage import RULE, check_usage
from ussd_gateway.store.verify.vouchers import check_vouchers

__all__ = ["Finding", "verify"]


def verify(engine: Engine, heads: Path | None = None) -> tuple[Finding, ...]:
    """One finding for each invariant, all of one moment. `heads`: the folder of those that were
    exported; it need not exist. Raises DBAPIError where the database cannot be read."""
    balanced = Tally(1, "a journal has two legs or more, and they sum to zero", "journals")
    matched = Tally(2, "all debits equal all credits, posted and pending", "accounts")
    summed = Tally(3, "an account is the sum of its entries", "entries")
    chained = Tally(4, "entries of an account are numbered and chained unbroken", "entries")
    bounded = Tally(5, "no floor or cap is breached, holds included", "accounts")
    pending = Tally(6, "what is pending on an account is what is held", "accounts")
    resolved = Tally(7, "a hold is resolved once, by a journal of what was posted", "holds")
    keyed = Tally(8, "a key happened once, and its outcome and SMS tell of it", "keys")
    taken_back = Tally(9, "no more is taken back than was moved, and whole once", "reversals")
    ringed = Tally(10, "e-money is matched by the trust bank at every commit", "journals")
    cleared = Tally(11, "clearing accounts come back to zero by the end of a day", "days")
    priced = Tally(12, "fee, tax and commission are those of the stored tariff", "journals")
    daily = Tally(13, "an end of day is the one before and the day's entries", "days, ends")
    sealed = Tally(
        14, "what was committed is as it was sealed, and all there", "seals, batches"
    )
    guarded = Tally(15, "rows of the books cannot be changed", "guards")
    grown = Tally(16, "posted totals only grow, and holds are decided once", "guards, accounts")
    apart = Tally(None, "what is charged to phones never meets e-money", "journals")
    covered = Tally(
        None, "what is on order is open, and what is settled has a key", "purchases"
    )
    claimed = Tally(None, "what is unclaimed is under open vouchers", "vouchers")
    counted = Tally(None, RULE, "accounts")
    named = Tally(None, "an account has its holder's number, code and side", "accounts")
    numbered = Tally(None, "journals of a day are numbered without a gap", "journals")
    received = Tally(None, "a receipt is well formed, of its date, and unique", "receipts")

    # Before the moment that is checked: none of them is of a commit behind it.
    exported = read_heads(heads)
    with snapshot(engine) as books:
        check_accounts(
            books,
            matched=matched,
            summed=summed,
            chained=chained,
            bounded=bounded,
            ringed=ringed,
        )
        check_holders(books, named)
        check_journals(books, balanced=balanced, ringed=ringed, apart=apart, received=received)
        check_numbers(books, numbered)
        check_holds(books, pending=pending, resolved=resolved)
        check_keys(books, keyed)
        check_reversals(books, taken_back)
        check_tariffs(books, priced)
        check_days(books, daily=daily, growing=grown, cleared=cleared)
        check_digests(books, sealed)
        check_twice(
            books,
            summed=summed,
            resolved=resolved,
            claimed=claimed,
            priced=priced,
            daily=daily,
            sealed=sealed,
        )
        check_seals(books, exported, sealed)
        check_purchases(books, covered)
        check_vouchers(books, claimed)
        check_usage(books, counted)
        check_guards(books, guarded=guarded, grown=grown)
    try_to_change(engine, guarded=guarded, grown=grown)

    tallies = (
        *(balanced, matched, summed, chained, bounded, pending, resolved, keyed, taken_back),
        *(ringed, cleared, priced, daily, sealed, guarded, grown),
        *(received, numbered, named, apart, covered, claimed, counted),
    )
    return tuple(tally.finding() for tally in tallies)
