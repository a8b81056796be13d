"""Small real parts behind a teller: a ledger in memory, look-ups, purchases, and a carrier with
scripted answers.

The ledger decides as the writer does, once for each key, and keeps what was decided: postings
are applied to the book's accounts, changes to its people and to the purchases.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from zoneinfo import ZoneInfo

from tests.services import cast as people
from tests.store.conftest import SetClock
from ussd_gateway.domain.book import (
    Account,
    Book,
    Business,
    Decision,
    Message,
    Movement,
    Outcome,
    Purchase,
    PurchaseSettled,
    PurchaseState,
    Registered,
    Subscriber,
    Work,
)
from ussd_gateway.domain.journal import Posting
from ussd_gateway.domain.market import Market
from ussd_gateway.domain.money import Money
from ussd_gateway.domain.msisdn import Msisdn
from ussd_gateway.ports import (
    Answer,
    Call,
    OnHold,
    Origin,
    PurchasesLost,
    Recorded,
    Secret,
    SessionId,
    Standing,
    StatusReport,
    Supplied,
    Taken,
    Value,
)
from ussd_gateway.services.purchases.fulfilment import Fulfilment, Good
from ussd_gateway.services.teller import Teller
from ussd_gateway.store.ledger.batch import CLASHED, NOT_DONE
from ussd_gateway.store.ledger.changes import apply
from ussd_gateway.store.pins import HmacPinVerifier

MARKET = Market("KE", "KES", ZoneInfo("Africa/Nairobi"))
VERIFIER = HmacPinVerifier({"k1": b"key of k1", "k2": b"key of k2"}.__getitem__)
LOOK_AGAIN_MS = 10_000

Args = Mapping[str, Value]


class World:
    """The parts of one test, and what they did."""

    def __init__(self, book: Book) -> None:
        self.clock = SetClock(people.NOW)
        self.purchases = InMemoryPurchases(self.clock)
        self.ledger = InMemoryLedger(book, self.purchases, self.clock)
        self.reads = InMemoryReads(self.ledger)
        self.teller = Teller(
            self.reads,
            self.ledger,
            VERIFIER,
            self.clock,
            MARKET,
            people.PRICES,
            people.LIMITS,
        )

    def fulfilment(self, goods: Mapping[str, Good]) -> Fulfilment:
        return Fulfilment(self.teller, self.purchases, goods)


class InMemoryLedger:
    """`ports.Ledger`. A key of `trouble_at` comes to that once, without being decided."""

    def __init__(self, book: Book, purchases: "InMemoryPurchases", clock: SetClock) -> None:
        self.people: dict[int, Subscriber] = dict(book.subscribers)
        self.accounts: dict[int, Account] = dict(book.accounts)
        self.postings: list[Posting] = []
        self.messages: list[Message] = []
        self.registered: list[Registered] = []
        self.works: list[Work] = []
        self.trouble_at: dict[str, Outcome] = {}
        self._purchases = purchases
        self._clock = clock
        self._stored: dict[str, tuple[str, Outcome]] = {}

    def run(self, work: Work, *, within_s: float) -> Outcome:
        assert within_s > 0, "a command has some time"
        self.works.append(work)
        if work.key in self.trouble_at:
            return self.trouble_at.pop(work.key)
        if work.key in self._stored:
            content, outcome = self._stored[work.key]
            return outcome if content == work.content else CLASHED

        now_ms = int(self._clock.now().timestamp() * 1000)
        decision = work.decide(
            Book(
                {number: self.people[number] for number in work.subscriber_ids},
                {number: self.accounts[number] for number in work.account_ids},
                now_ms=now_ms,
                today=MARKET.business_date(now_ms),
            )
        )
        legs = decision.posting.legs if decision.posting else ()
        if not all(self.accounts[leg.account_id].takes(leg.minor) for leg in legs):
            return NOT_DONE  # as the writer says where a decision breaches floor or cap
        outcome = Outcome(decision.outcome, decision.values)
        self._keep(decision, MARKET.business_date(now_ms))
        self._stored[work.key] = (work.content, outcome)
        return outcome

    def stored(self, key: str) -> Outcome:
        return self._stored[key][1]

    def balance(self, account_id: int) -> Money:
        return self.accounts[account_id].balance

    @property
    def templates(self) -> list[str]:
        return [message.template for message in self.messages]

    def _keep(self, decision: Decision, today: date) -> None:
        for leg in decision.posting.legs if decision.posting else ():
            found = self.accounts[leg.account_id]
            found.debits += max(leg.minor, 0)
            found.credits += max(-leg.minor, 0)
        if decision.posting:
            self.postings.append(decision.posting)
        if spent := decision.spent:
            found = self.accounts[spent.account_id]
            found.used = (
                found.used.plus(spent.minor, today)
                if spent.back_of is None
                else found.used.minus(spent.minor, spent_on=spent.back_of)
            )
        self.messages += decision.messages
        if decision.pin:
            person = self.people[decision.pin.subscriber_id]
            self.people[person.id] = replace(person, wrong_tries=decision.pin.wrong_tries)
        for change in decision.changes:
            apply(change, self.people)
            match change:
                case Registered(subscriber=person):
                    self.registered.append(change)
                    self.people[person.id] = person
                case Purchase():
                    self._purchases.add(change)
                case PurchaseSettled():
                    self._purchases.settle(change)
                case _:
                    pass


@dataclass(slots=True)
class InMemoryReads:
    """`ports.Reads`, of the ledger's people and the cast's businesses."""

    ledger: InMemoryLedger
    businesses: Mapping[str, Business] = field(
        default_factory=lambda: {
            each.number: each
            for each in (people.STORE, people.HARDWARE, people.WATER, people.TAMU)
        }
    )
    workplaces: Mapping[int, Business] = field(
        default_factory=lambda: {people.WANJIRU.id: people.STORE}
    )
    moved: Sequence[Movement] = ()

    def subscribers(self, *msisdns: Msisdn) -> Mapping[Msisdn, Subscriber]:
        found = self.ledger.people.values()
        return {person.msisdn: person for person in found if person.msisdn in msisdns}

    def business(self, number: str) -> Business | None:
        return self.businesses.get(number)

    def workplace(self, subscriber_id: int) -> Business | None:
        return self.workplaces.get(subscriber_id)

    def balance(self, account_id: int) -> Money:
        return self.ledger.balance(account_id)

    def takes_in(self, account_id: int) -> bool:
        found = self.ledger.accounts.get(account_id)
        return found is not None and found.status.takes_in

    def has_room(self, account_id: int, amount: Money) -> bool:
        account = self.ledger.accounts[account_id]
        return account.status.takes_in and account.takes(-amount.minor)

    def movements(self, account_id: int, *, count_max: int) -> Sequence[Movement]:  # noqa: ARG002
        return self.moved[:count_max]

    def business_language(self, msisdn: Msisdn) -> str | None:
        found = (each for each in self.businesses.values() if each.msisdn == msisdn)
        return next((each.language for each in found), None)

    def asked_by_sms(self, msisdn: Msisdn, *, since_ms: int) -> int:
        asked = [work for work in self.ledger.works if work.event_at_ms > since_ms]
        keys = {each.key for each in asked if (each.route, each.msisdn) == ("sms", msisdn)}
        return len(keys)

    def last_answered(self, msisdn: Msisdn, outcome: str, *, since_ms: int) -> Answer | None:
        asked = [work for work in self.ledger.works if work.event_at_ms > since_ms]
        keys = [each.key for each in asked if (each.route, each.msisdn) == ("sms", msisdn)]
        for found in map(self.ledger.stored, reversed(keys)):
            if found.name == outcome:
                return Answer(found.name, found.values)
        return None


@dataclass(slots=True)
class InMemoryPayments:
    """`ports.Payments`: one journal at most, and what was to take it back."""

    recorded: Recorded | None = None
    holds: Sequence[OnHold] = ()

    def journal(self, receipt: str) -> Recorded | None:
        found = self.recorded
        return found if found and found.receipt == receipt else None

    def held(self, hold_id: int) -> OnHold | None:
        return next((each for each in self.holds if each.hold.id == hold_id), None)

    def holds_of(self, journal_id: int) -> Sequence[OnHold]:
        return [each for each in self.holds if each.hold.journal_id == journal_id]

    def held_of(self, account_id: int, kind: str, *, now_ms: int) -> OnHold | None:
        still = (each for each in self.holds if each.hold.open(now_ms))
        of_it = (
            each
            for each in still
            if (each.hold.source_id, each.hold.kind) == (account_id, kind)
        )
        return next(of_it, None)


@dataclass(slots=True)
class Row:
    purchase: Purchase
    state: PurchaseState
    next_at_ms: int
    supplier_id: str | None = None
    first_asked_ms: int | None = None
    heard: Supplied | None = None


class InMemoryPurchases:
    """`ports.Purchases`. While `lost`, nothing of it answers."""

    def __init__(self, clock: SetClock) -> None:
        self.rows: dict[str, Row] = {}
        self.lost = False
        self._clock = clock

    def add(self, bought: Purchase) -> None:
        later = self._now() + LOOK_AGAIN_MS
        self.rows[bought.key] = Row(bought, PurchaseState.DUE, later)

    def settle(self, settled: PurchaseSettled) -> None:
        row = self.rows[settled.key]
        row.state, row.supplier_id = settled.state, settled.supplier_id or row.supplier_id

    def state(self, key: str) -> PurchaseState:
        return self.rows[key].state

    def take(self, key: str) -> Purchase | None:
        self._answer()
        row = self.rows[key]
        return self._taken(row).purchase if row.state is PurchaseState.DUE else None

    def take_overdue(self, count_max: int) -> Sequence[Taken]:
        self._answer()
        overdue = [row for row in self._open() if row.next_at_ms <= self._now()]
        return [self._taken(row) for row in overdue[:count_max]]

    def note(self, key: str, supplied: Supplied) -> None:
        self._answer()
        row = self.rows[key]
        row.supplier_id = supplied.supplier_id or row.supplier_id
        if supplied.standing in (Standing.DONE, Standing.REFUSED):
            row.heard = supplied

    def reported(self, kind: str, report: StatusReport) -> Purchase | None:
        self._answer()
        for row in self.rows.values():
            bought = row.purchase
            known = (bought.kind, row.supplier_id, bought.msisdn)
            if known == (kind, report.supplier_id, report.msisdn) and (
                report.amount in (None, bought.amount)
            ):
                return bought
        return None

    def expected(self, kind: str, msisdn: Msisdn, amount: Money) -> bool:
        self._answer()
        return any(_is(row, kind, msisdn, amount) for row in self._open())

    def asked_since(
        self, kind: str, msisdn: Msisdn, amount: Money, *, since_ms: int, but: str = ""
    ) -> bool:
        self._answer()
        return any(
            _is(row, kind, msisdn, amount)
            and row.purchase.key != but
            and (
                row in self._open()
                or (
                    (row.first_asked_ms or row.purchase.asked_at_ms) > since_ms
                    and (row.state is PurchaseState.DONE or row.supplier_id is not None)
                )
            )
            for row in self.rows.values()
        )

    def _open(self) -> list[Row]:
        ends = (PurchaseState.DONE, PurchaseState.REFUSED)
        return [row for row in self.rows.values() if row.state not in ends]

    def _taken(self, row: Row) -> Taken:
        asked_before, now_ms = row.state is PurchaseState.ASKED, self._now()
        if row.first_asked_ms is None:
            row.first_asked_ms = now_ms
        row.state, row.next_at_ms = PurchaseState.ASKED, now_ms + LOOK_AGAIN_MS
        return Taken(row.purchase, asked_before, now_ms - row.first_asked_ms, row.heard)

    def _answer(self) -> None:
        if self.lost:
            raise PurchasesLost("the test says so")

    def _now(self) -> int:
        return int(self._clock.now().timestamp() * 1000)


def _is(row: Row, kind: str, msisdn: Msisdn, amount: Money) -> bool:
    bought = row.purchase
    return (bought.kind, bought.msisdn, bought.amount) == (kind, msisdn, amount)


class ScriptedCarrier:
    """`ports.Carrier`. Says what it is given to say, word for word, and notes what it heard."""

    def __init__(self, *, asked: Supplied, found: Sequence[Supplied] = ()) -> None:
        self._asked = asked
        self._found = list(found)
        self.heard: list[str] = []

    def ask(self, purchase: Purchase, *, within_s: float) -> Supplied:
        assert within_s > 0, "a carrier has some time"
        self.heard.append(f"ask {purchase.key}")
        return self._asked

    def find(self, purchase: Purchase, *, within_s: float) -> Supplied:
        assert within_s > 0, "a carrier has some time"
        self.heard.append(f"find {purchase.key}")
        return self._found.pop(0)


def call(
    args: Args | None = None,
    *,
    key: str = "k1",
    msisdn: Msisdn = people.AMINA.msisdn,
    pin: str | None = None,
    within_s: float = 5.0,
) -> Call:
    origin = Origin("africastalking", SessionId("s1"), msisdn)
    secret = None if pin is None else Secret(pin)
    return Call(key, origin, args or {}, secret, within_s)


def with_pin(person: Subscriber, pin: str) -> Subscriber:
    """As the store would keep them, had they chosen this PIN."""
    tag = VERIFIER.tag(
        kid=person.pin_kid, subscriber_id=person.id, salt=person.pin_salt, pin=Secret(pin)
    )
    return replace(person, pin_tag=tag)
