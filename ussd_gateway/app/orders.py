"""What staff order of the ledger: who may, and what they are told.

    reverse          a maker       approve, refuse a reversal   a checker, somebody else
    freeze           anybody       sweep, unfreeze, dormant, close, cap   a checker

Freezing stops harm, and takes no second pair of eyes; what moves money, or lets it move again,
is a checker's: so is freezing an account less than it is.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

from sqlalchemy import Engine

from ussd_gateway.app import chance
from ussd_gateway.app.publishing import NotPossible
from ussd_gateway.app.staffing import check_role
from ussd_gateway.app.wiring import desk, writer
from ussd_gateway.domain.book import Outcome, Status
from ussd_gateway.domain.money import Money
from ussd_gateway.ports import CONFLICT, TIMEOUT, UNKNOWN, Barred, OnHold, Random, Records
from ussd_gateway.services.orders.desk import By, Objection
from ussd_gateway.services.orders.reverse import ReverseService
from ussd_gateway.services.orders.set_status import StatusService
from ussd_gateway.services.orders.sweep_dues import SweepService
from ussd_gateway.services.orders.taking_back import ASKED, BY_PHONE, DISPUTED, KINDS
from ussd_gateway.settings import Settings
from ussd_gateway.store.staff import Member, Role

listed_max = 200

# What a person is told of each no; in braces what the outcome says besides.
WORDS: Mapping[Objection, str] = {
    Objection.NO_JOURNAL: "no payment has this receipt",
    Objection.NO_HOLD: "no such reversal; see `ussd-gateway ledger reversals`",
    Objection.BY_PHONE: "its payer asked for it on the phone: a maker takes it on first, "
    "`ussd-gateway ledger reverse {original} --why TEXT`",
    Objection.NO_ACCOUNT: "no such account: give a phone number, a till, or a bill's number",
    Objection.OTHER_CURRENCY: "it is kept in {currency}: give no amount, or one of that",
    Objection.HOUSE_ACCOUNT: "an account of the house: everybody's payments would stop",
    Objection.COMMISSION_ACCOUNT: "commission accrues there by each cash deal: its stores "
    "would stop; bar the store's till instead",
    Objection.NOT_REVERSIBLE: "only payments and cash deals are taken back: airtime and "
    "content come back by their carrier, and what took a payment back stands",
    Objection.VOUCHER: "money under a code: an agent pays it out, or it goes back by itself",
    Objection.CASH: "cash changed hands: only --whole takes that back, our own fault",
    Objection.OWN_ORDER: "{by} has asked for it: somebody else decides",
    Objection.IN_HAND: "reversal {hold} is about to take it back: decide that one first",
    Objection.AS_ASKED: "its payer asked for it on the phone: take it on as it is held, with "
    "no --amount and no --whole; whoever approves it may give back less",
    Objection.TAKEN_BACK: "it was taken back already, or a part of it was",
    Objection.ALL_OR_NOTHING: "a whole reversal is all or nothing: give no --amount",
    Objection.DECIDED: "it was decided already: {state}",
    Objection.OVERDUE: "its time is over: the money is free again; ask anew",
    Objection.NOT_OVERDUE: "its time is not over",
    Objection.OVER_HELD: "{held} is held, and no more can be taken",
    Objection.SAME: "it is so already",
    Objection.CLOSED: "the account is closed, and stays so",
    Objection.LOOSER: "it is {status}, which bars more: a checker lets it move again",
    Objection.NOT_EMPTY: "{balance} is in it, or something is held: empty it first",
    Objection.SERVES: "{serves}, so it stays open; `ussd-gateway ledger freeze` bars it",
    Objection.IN_USE: "a purchase or a voucher out of it is open, or it is used "
    "just now: try again later",
    Objection.UNDER_BALANCE: "it holds {most}, or is about to: the cap cannot be lower",
    Objection.NOT_DUE: "{due} is due to the operating bank",
    Objection.SOURCE_BARRED: "the account that would pay is {status}: nothing is in it",
    Objection.TARGET_BARRED: "the account that would get it is {status}: it takes nothing in",
    Objection.SPENT: "it is not there any more",
    Objection.TARGET_FULL: "the account that would get it is full",
}
_NOT_KNOWN = {
    TIMEOUT: "nothing was done: the books are busy, or refuse it; try again",
    CONFLICT: "nothing was done: this order was given before, for something else",
    UNKNOWN: "nobody knows whether it was done: look before you try again",
}


@dataclass(frozen=True, slots=True)
class Orders:
    """Whoever is signed in, before the books."""

    records: Records
    reversals: ReverseService
    sweeps: SweepService
    statuses: StatusService
    random: Random
    member: Member

    def by(self, why: str) -> By:
        return By(self.member.name, why, f"desk:{self.random.uuid7()}")


@contextmanager
def orders(settings: Settings, engine: Engine, member: Member) -> Iterator[Orders]:
    """With a ledger writer of its own, for one command."""
    here = chance.clock(settings)
    ledger = writer(settings, engine, here)
    at = desk(settings, engine, ledger, here)
    ledger.start()
    try:
        yield Orders(
            at.records,
            ReverseService(at),
            SweepService(at),
            StatusService(at),
            chance.SystemRandom(here),
            member,
        )
    finally:
        ledger.stop()


def ask_reversal(
    here: Orders, receipt: str, amount: Money | None, *, whole: bool, why: str
) -> Outcome:
    """Each of these raises NotPossible, with words, where it is not done, and BooksLost."""
    check_role(here.member, Role.MAKER, "ask for reversals")
    return _done(receipt, here.reversals.ask(receipt, amount, here.by(why), whole=whole))


def held(here: Orders, hold_id: int) -> OnHold:
    """What a checker is about to decide. Raises NotPossible, and BooksLost."""
    check_role(here.member, Role.CHECKER, "approve reversals")
    found = here.records.held(hold_id)
    if found is None:
        raise NotPossible(f"{hold_id}: {WORDS[Objection.NO_HOLD]}")
    return found


def approve_reversal(here: Orders, hold_id: int, amount: Money | None) -> Outcome:
    check_role(here.member, Role.CHECKER, "approve reversals")
    by = here.by("as it was asked for")
    return _done(str(hold_id), here.reversals.approve(hold_id, amount, by))


def refuse_reversal(here: Orders, hold_id: int, *, why: str) -> Outcome:
    check_role(here.member, Role.CHECKER, "refuse reversals")
    return _done(str(hold_id), here.reversals.refuse(hold_id, here.by(why)))


def reversals(records: Records) -> tuple[Sequence[OnHold], int]:
    """Those that wait for a checker, then for a maker, then for their payee, each the oldest
    first; and how many more do. However many people ask, what staff have to do is seen."""
    found: list[OnHold] = []
    for kinds in (KINDS, (DISPUTED,), (ASKED,)):
        found += records.waiting(kinds, count_max=listed_max - len(found))
    return found, _more(found, lambda: records.waiting_count((*KINDS, *BY_PHONE)))


def sweep(here: Orders, amount: Money | None, *, why: str) -> Outcome:
    check_role(here.member, Role.CHECKER, "sweep")
    return _done("sweep", here.sweeps.sweep(amount, here.by(why)))


def set_status(here: Orders, refs: Sequence[str], status: Status, *, why: str) -> Outcome:
    if status not in (Status.FROZEN_IN, Status.FROZEN_BOTH):
        check_role(here.member, Role.CHECKER, "do that")
    loosens = here.member.role is Role.CHECKER
    by = here.by(why)
    return _done(refs[0], here.statuses.set_status(tuple(refs), status, by, loosens=loosens))


def set_cap(here: Orders, refs: Sequence[str], cap: Money | None, *, why: str) -> Outcome:
    check_role(here.member, Role.CHECKER, "set caps")
    return _done(refs[0], here.statuses.set_cap(tuple(refs), cap, here.by(why)))


def statuses(records: Records) -> tuple[Sequence[Barred], int]:
    """Accounts that are not active; and how many more there are."""
    found = records.barred(count_max=listed_max)
    return found, _more(found, records.barred_count)


def _more(found: Sequence[object], count: Callable[[], int]) -> int:
    return 0 if len(found) < listed_max else max(0, count() - len(found))


def _done(subject: str, outcome: Outcome) -> Outcome:
    if outcome.name == "ok":
        return outcome
    words = _NOT_KNOWN.get(outcome.name)
    if words is None:
        words = WORDS[Objection(outcome.name)].format_map(outcome.values)
    raise NotPossible(f"{subject}: {words}")
