"""What the house's own staff order, and what every such order does alike: who orders it and why
is kept with its outcome, which never changes.

    somebody signed in: order --Work--> writer --decide(book)--> Decision | Objected

An objection is a value, as a refusal at the phone is; its words for a person are in `app`.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from enum import Enum

from ussd_gateway.domain.book import Book, Decision, Message, Outcome, Work
from ussd_gateway.domain.market import Market
from ussd_gateway.ports import Clock, Holder, Ledger, Numbers, Records, Scalar
from ussd_gateway.services.teller import content

# Where such commands come from, in the place of an aggregator's route.
ROUTE = "desk"
# Who orders what is overdue.
SCHEDULER = "scheduler"
WITHIN_S = 10.0


class Objection(Enum):
    """Every no to an order, in the order in which it is checked. Its `value` is the outcome."""

    NO_JOURNAL = "no_journal"
    NO_HOLD = "no_hold"
    BY_PHONE = "by_phone"  # the payer asked for it: staff decide what one of them took on
    NO_ACCOUNT = "no_account"
    IN_HAND = "in_hand"  # it is about to be taken back already
    AS_ASKED = "as_asked"  # on the phone: no more and no less is taken on
    OTHER_CURRENCY = "other_currency"
    HOUSE_ACCOUNT = "house_account"  # a status or cap of it would stop everybody
    COMMISSION_ACCOUNT = "commission_account"  # the same of its stores
    NOT_REVERSIBLE = "not_reversible"
    VOUCHER = "voucher"  # it is under a code, or was
    CASH = "cash"  # it changed hands: nothing but a whole reversal takes that back
    OWN_ORDER = "own_order"  # somebody else decides it
    ALL_OR_NOTHING = "all_or_nothing"
    DECIDED = "decided"
    OVERDUE = "overdue"
    NOT_OVERDUE = "not_overdue"
    OVER_HELD = "over_held"
    SAME = "same"
    CLOSED = "closed"  # for good
    LOOSER = "looser"  # it would let through what is barred now
    NOT_EMPTY = "not_empty"
    SERVES = "serves"  # somebody's counter stands on it
    IN_USE = "in_use"
    UNDER_BALANCE = "under_balance"
    NOT_DUE = "not_due"
    SOURCE_BARRED = "source_barred"
    TARGET_BARRED = "target_barred"
    TAKEN_BACK = "taken_back"  # nothing of it is left, or not the whole
    SPENT = "spent"  # it is not there any more
    TARGET_FULL = "target_full"


@dataclass(frozen=True, slots=True)
class Objected:
    """The order is not carried out: nothing moved. `values` say what stands in its way."""

    objection: Objection
    values: Mapping[str, Scalar]

    @property
    def outcome(self) -> Outcome:
        return Outcome(self.objection.value, self.values)


@dataclass(frozen=True, slots=True)
class By:
    """Who of the staff orders something, and why. `key` is new for each order: the same one
    come twice is carried out once."""

    name: str
    why: str
    key: str

    @property
    def told(self) -> Mapping[str, Scalar]:
        return {"by": self.name, "why": self.why}


@dataclass(frozen=True, slots=True)
class Desk:
    """What orders are carried out with."""

    records: Records
    ledger: Ledger
    numbers: Numbers
    clock: Clock
    market: Market

    def now_ms(self) -> int:
        return int(self.clock.now().timestamp() * 1000)

    def overdue(self, what: str) -> By:
        """The scheduler, where nobody else did it in time. A new key each minute: what could
        not be done a minute ago, or was not due on a clock that was set back, may be so now."""
        return By(SCHEDULER, "", f"{what}:{self.now_ms() // 60_000}")

    def commit(
        self,
        by: By,
        asked: Iterable[object],
        *,
        subject: str,
        subscribers: Iterable[int] = (),
        accounts: Iterable[int] = (),
        holds: Iterable[int] = (),
        journals: Iterable[int] = (),
        vouchers: Iterable[int] = (),
        decide: Callable[[Book], Decision | Objected],
    ) -> Outcome:
        """`subject` is what the order is about, by which its commands are found again."""

        def judged(book: Book) -> Decision:
            found = decide(book)
            if isinstance(found, Objected):
                return Decision(found.objection.value, {**found.values, **by.told})
            return found

        return self.ledger.run(
            Work(
                key=by.key,
                content=content((by.name, by.why, *asked)),
                event_at_ms=self.now_ms(),
                subscriber_ids=tuple(subscribers),
                account_ids=tuple(accounts),
                decide=judged,
                route=ROUTE,
                session_id=subject,
                hold_ids=tuple(holds),
                journal_ids=tuple(journals),
                voucher_ids=tuple(vouchers),
            ),
            within_s=WITHIN_S,
        )


def objected(objection: Objection, **values: Scalar) -> Objected:
    return Objected(objection, values)


def tell(holder: Holder, template: str, **params: Scalar) -> tuple[Message, ...]:
    """An SMS to whoever an account belongs to, if that is anybody."""
    if holder.msisdn is None:
        return ()
    return (Message(holder.msisdn, template, holder.language, params),)
