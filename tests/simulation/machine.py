"""A Hypothesis machine: commands of all kinds, alone and several in a batch, on the real writer
and on the model. After each batch both say the same, word for word, and the tables do too.

Accounts of wallets and of the trust bank are inside the ring; the others may have any floor.
"""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, precondition, rule
from sqlalchemy import Connection, RowMapping, Table, insert, select

from tests.simulation.asked import (
    KIND,
    RIGHT,
    Asked,
    ChoosePin,
    LetGo,
    Pay,
    Place,
    Post,
    Refund,
    Reverse,
    SetStatus,
    command,
)
from tests.simulation.databases import Databases
from tests.simulation.model import Model, Said, day_of
from tests.store.conftest import NUMBERING, SetClock, books_of
from ussd_gateway.domain.book import Outcome
from ussd_gateway.store.database import reading, writing
from ussd_gateway.store.ledger.writer import Writer
from ussd_gateway.store.schema import account, entry, hold, journal, subscriber
from ussd_gateway.store.verify import verify
from ussd_gateway.store.verify.usage import RULE as USED

# 23:30 in Nairobi, on the last day of a month.
STARTS = datetime(2026, 11, 30, 20, 30, tzinfo=UTC)
# So that holds expire one by one, and days and months end now and then.
WAITS_S = (1, 60, 900, 3_600, 86_400, 31 * 86_400)
STATUSES = ("active", "active", "frozen_in", "frozen_both", "dormant", "closed")
# Code, side, floors: None is without bounds.
SORTS = {
    "wallet": (2010, -1, (0,)),
    "bank": (1010, 1, (None,)),
    "equity": (3010, -1, (None, 0, -100)),
    "stock": (1210, 1, (None, 0, -100)),
}
INSIDE = ("wallet", "bank")
CURRENCIES = ("KES", "KES", "UGX")
people_max, accounts_max = 3, 12
minor_max = 400

begins_with = 1_000

AMOUNTS = st.integers(1, minor_max)
CHOICES = st.integers(0, 9_999)
RARELY = st.sampled_from((False, False, False, True))
MOSTLY = st.sampled_from((True, True, False))


@dataclass(frozen=True, slots=True)
class _Waiting:
    key: str
    content: str
    asked: Asked
    at_ms: int


class LedgerMachine(RuleBasedStateMachine):
    """Made by `machine_on`."""

    def __init__(self, databases: Databases) -> None:
        super().__init__()
        self._engine = databases()
        self._clock = SetClock(STARTS)
        self._writer = Writer(
            lambda: self._books, NUMBERING, self._clock, rest=self._clock.wait
        )
        self._books = books_of(self._engine)
        self._model = Model()
        self._groups: dict[int, tuple[str, bool]] = {}  # currency, and whether inside the ring
        self._waiting: list[_Waiting] = []
        self._sent: list[_Waiting] = []
        self._outcomes: dict[str, Outcome] = {}
        self._sound = True
        with writing(self._engine) as connection:
            for person in range(1, people_max + 1):
                self._insert(connection, person, "wallet", "KES", floor=0)
                connection.execute(insert(subscriber).values(_person(person)))
                self._model.tries[person] = 0
            self._insert(connection, people_max + 1, "bank", "KES")

    @initialize()
    def everybody_has_something(self) -> None:
        bank = people_max + 1
        for person in range(1, bank):
            legs = ((bank, begins_with), (person, -begins_with))
            self._ask(Pay(legs, counts=True), now=person == people_max)
        for person, lasts_s in ((1, 900), (2, 86_400)):
            number, ends_ms = 1_000 + person, self._now_ms + lasts_s * 1_000
            self._ask(Place(number, person, person + 1, minor_max, ends_ms), now=person == 2)

    # --- rules: each asks for one thing, and half of them settle what waits so far ----------

    @precondition(lambda self: len(self._model.accounts) < accounts_max)
    @rule(
        sort=st.sampled_from(list(SORTS)),
        currency=st.sampled_from(CURRENCIES),
        turn=st.integers(0, 2),
        cap=st.sampled_from((None, 300, 800)),
    )
    def opens(self, sort: str, currency: str, turn: int, cap: int | None) -> None:
        number = len(self._model.accounts) + 1
        floors = SORTS[sort][2]
        with writing(self._engine) as connection:
            floor = floors[turn % len(floors)]
            self._insert(connection, number, sort, currency, floor=floor, cap=cap)

    @rule(
        choice=CHOICES,
        amounts=st.lists(AMOUNTS, min_size=1, max_size=3),
        counts=st.booleans(),
        pin=st.sampled_from((None, None, (1, True), (1, False), (2, True), (2, False))),
        careless=RARELY,
        now=MOSTLY,
    )
    def pays(
        self,
        choice: int,
        amounts: list[int],
        *,
        counts: bool,
        pin: tuple[int, bool] | None,
        careless: bool,
        now: bool,
    ) -> None:
        source, *others = self._alike(choice, len(amounts) + 1)
        if others:
            legs = tuple((other, -minor) for other, minor in zip(others, amounts, strict=False))
            total = sum(minor for _, minor in legs)
            self._ask(Pay(((source, -total), *legs), counts, pin, careless), now=now)

    @rule(choice=CHOICES, minor=AMOUNTS, now=MOSTLY)
    def pays_in(self, choice: int, minor: int, now: bool) -> None:
        """Out of what has no floor: so that there is something to move."""
        rich = [n for n, one in self._model.accounts.items() if one["floor"] is None]
        source = rich[choice % len(rich)]
        others = [n for n in self._alike_to(source) if n != source]
        if others:
            target = others[choice // len(rich) % len(others)]
            self._ask(Pay(((source, minor), (target, -minor))), now=now)

    @rule(
        choice=CHOICES,
        minor=AMOUNTS,
        lasts_s=st.sampled_from(WAITS_S),
        careless=RARELY,
        now=MOSTLY,
    )
    def holds(self, choice: int, minor: int, lasts_s: int, careless: bool, now: bool) -> None:
        source, *others = self._alike(choice, 2)
        if others:
            number = 2_000 + len(self._sent) + len(self._waiting)
            ends_ms = self._now_ms + lasts_s * 1_000
            self._ask(Place(number, source, others[0], minor, ends_ms, careless), now=now)

    @precondition(lambda self: self._model.holds)
    @rule(choice=CHOICES, part=st.sampled_from((100, 100, 50, 1)), now=MOSTLY)
    def posts(self, choice: int, part: int, now: bool) -> None:
        number, one = self._hold(choice)
        minor = max(1, one["minor"] * part // 100)
        self._ask(Post(number, one["source"], one["target"], minor), now=now)

    @precondition(lambda self: self._model.holds)
    @rule(choice=CHOICES, early=st.booleans())
    def posts_at_the_last_moment(self, choice: int, early: bool) -> None:
        """The last in which it can be, or the first in which it can not."""
        number, one = self._hold(choice)
        ends_ms = one["expires_at_ms"] - early
        self._clock.at += timedelta(milliseconds=max(0, ends_ms - self._now_ms))
        self._ask(Post(number, one["source"], one["target"], one["minor"]), now=True)

    @precondition(lambda self: self._model.holds)
    @rule(choice=CHOICES, expires=st.booleans(), careless=RARELY, now=MOSTLY)
    def lets_go(self, choice: int, expires: bool, careless: bool, now: bool) -> None:
        number, one = self._hold(choice)
        self._ask(LetGo(number, one["source"], one["target"], expires, careless), now=now)

    @rule(choice=CHOICES, minor=AMOUNTS, now=MOSTLY)
    def refunds(self, choice: int, minor: int, now: bool) -> None:
        number, legs = self._posted(choice)
        payees = [account_id for account_id, moved in legs if moved < 0]
        payers = [account_id for account_id, moved in legs if moved > 0]
        payee, payer = payees[choice % len(payees)], payers[choice % len(payers)]
        accounts = tuple(account_id for account_id, _ in legs)
        self._ask(Refund(number, accounts, payee, payer, minor), now=now)

    @rule(choice=CHOICES, careless=RARELY, now=MOSTLY)
    def reverses(self, choice: int, careless: bool, now: bool) -> None:
        number, legs = self._posted(choice)
        accounts = tuple(account_id for account_id, _ in legs)
        self._ask(Reverse(number, accounts, careless), now=now)

    @rule(choice=CHOICES, status=st.sampled_from(STATUSES), now=MOSTLY)
    def sets_a_status(self, choice: int, status: str, now: bool) -> None:
        numbers = list(self._model.accounts)
        number = numbers[choice % len(numbers)]
        # Of two orders in one commit the books do not tell which was the last.
        ordered = [
            one.asked.account_id for one in self._waiting if type(one.asked) is SetStatus
        ]
        self._settle(now=number in ordered)
        self._ask(SetStatus(number, status), now=now)

    @rule(person=st.integers(1, people_max), now=MOSTLY)
    def chooses_a_pin(self, person: int, now: bool) -> None:
        self._ask(ChoosePin(person), now=now)

    @precondition(lambda self: self._sent or self._waiting)
    @rule(choice=CHOICES, other=st.booleans(), now=MOSTLY)
    def asks_again(self, choice: int, other: bool, now: bool) -> None:
        """Under the same key: the same, or something else."""
        known = [*self._sent, *self._waiting]
        one = known[choice % len(known)]
        content = f"not {one.content}" if other else one.content
        self._waiting.append(_Waiting(one.key, content, one.asked, self._now_ms))
        self._settle(now=now)

    @rule(wait_s=st.sampled_from(WAITS_S))
    def the_clock_goes_on(self, wait_s: int) -> None:
        self._clock.at += timedelta(seconds=wait_s)

    def teardown(self) -> None:
        try:
            # What went wrong is told once.
            if self._sound:
                self._settle(now=True)
                self._compare_journals()
                # What limits count here was no kind of payment: the model says how much.
                found = [each for each in verify(self._engine) if each.name != USED]
                wrong = [each for each in found if not each.ok]
                assert not wrong, wrong
        finally:
            self._books.close()
            self._engine.dispose()

    # --- what the rules share ---------------------------------------------------------------

    @property
    def _now_ms(self) -> int:
        return int(self._clock.at.timestamp() * 1_000)

    def _ask(self, asked: Asked, *, now: bool) -> None:
        key = f"k{len(self._sent) + len(self._waiting)}"
        self._waiting.append(_Waiting(key, f"asked {key}", asked, self._now_ms))
        self._settle(now=now)

    def _settle(self, *, now: bool) -> None:
        """All that waits, in one batch. A key keeps the outcome that it got first."""
        waiting = self._waiting
        if not now or not waiting:
            return
        self._waiting, self._sound = [], False
        self._sent += waiting
        found: dict[int, Outcome] = {}
        for place, one in enumerate(waiting):
            work = command(one.key, one.content, one.asked, one.at_ms)
            self._writer.submit(work, partial(found.__setitem__, place))
        self._writer.step(self._books)

        asked = [(one.key, one.content, one.asked) for one in waiting]
        expected = self._model.batch(asked, self._now_ms)
        for place, (one, said) in enumerate(zip(waiting, expected, strict=True)):
            self._compare(one, found[place], said)
        self._compare_tables()
        self._sound = True

    def _compare(self, one: _Waiting, outcome: Outcome, said: Said) -> None:
        values = {k: v for k, v in outcome.values.items() if k != "receipt"}
        assert (outcome.name, values) == said, f"{one}: the books say {outcome}, not {said}"
        if outcome.name in ("timeout", "conflict"):
            return
        first = self._outcomes.setdefault(one.key, outcome)
        assert outcome == first, f"{one}: {outcome}, and {first} before"

    def _compare_tables(self) -> None:
        expected = {
            number: {k: v for k, v in one.items() if k not in ("currency", "side")}
            | {"used_on": None if one["used_on"] is None else day_of(one["used_on"])}
            for number, one in self._model.accounts.items()
        }
        names = next(iter(expected.values()))
        found = {row["id"]: {name: row[name] for name in names} for row in self._rows(account)}
        assert found == expected, _differences(found, expected)

        held = {row["id"]: (row["state"], row["posted"]) for row in self._rows(hold)}
        expected_held = {
            number: (one["state"], one["posted"]) for number, one in self._model.holds.items()
        }
        assert held == expected_held, _differences(held, expected_held)

        tries = {row["id"]: row["wrong_tries"] for row in self._rows(subscriber)}
        assert tries == self._model.tries, _differences(tries, self._model.tries)

    def _compare_journals(self) -> None:
        found = {row["id"]: row["kind"] for row in self._rows(journal)}
        expected = {number: one["kind"] for number, one in self._model.journals.items()}
        assert found == expected, _differences(found, expected)
        legs: dict[int, list[tuple[int, ...]]] = {}
        for row in self._rows(entry):
            one = (row["account_id"], row["minor"], row["balance_after"], row["account_seq"])
            legs.setdefault(row["journal_id"], []).append(one)
        entered = {number: one["entries"] for number, one in self._model.journals.items()}
        assert legs == entered, _differences(legs, entered)

    def _rows(self, table: Table) -> list[RowMapping]:
        with reading(self._engine) as connection:
            rows = connection.execute(select(table).order_by(*table.primary_key))
            return list(rows.mappings())

    def _insert(
        self,
        connection: Connection,
        number: int,
        sort: str,
        currency: str,
        *,
        floor: int | None = None,
        cap: int | None = None,
    ) -> None:
        code, side, _ = SORTS[sort]
        self._model.open(number, currency, side, floor, cap)
        self._groups[number] = (currency, sort in INSIDE)
        totals = dict.fromkeys(("debits", "credits", "debits_pending", "credits_pending"), 0)
        row = {"id": number, "public_ref": _ref(number), "code": code, "currency": currency}
        bounds = {"floor": floor, "cap": cap, "seq": 0}
        connection.execute(insert(account).values(row | {"side": side} | totals | bounds))

    def _alike(self, choice: int, count: int) -> list[int]:
        """So many accounts that money may move between, all of them different; or one."""
        numbers = list(self._model.accounts)
        first = numbers[choice % len(numbers)]
        others = [number for number in self._alike_to(first) if number != first]
        turn = choice // len(numbers) % max(1, len(others))
        return [first, *(others[turn:] + others[:turn])[: count - 1]]

    def _alike_to(self, number: int) -> list[int]:
        group = self._groups[number]
        return [each for each, other in self._groups.items() if other == group]

    def _hold(self, choice: int) -> tuple[int, dict[str, Any]]:
        number = list(self._model.holds)[choice % len(self._model.holds)]
        return number, self._model.holds[number]

    def _posted(self, choice: int) -> tuple[int, tuple[tuple[int, int], ...]]:
        """One that takes nothing back itself; there is one from the start."""
        journals = self._model.journals
        firsts = [number for number, one in journals.items() if one["kind"] == KIND]
        number = firsts[choice % len(firsts)]
        return number, journals[number]["legs"]


def machine_on(databases: Databases) -> type[RuleBasedStateMachine]:
    """The machine, on books of these databases."""

    class OnBooks(LedgerMachine):
        def __init__(self) -> None:
            super().__init__(databases)

    return OnBooks


def runs(count: int, steps: int) -> settings:
    return settings(
        max_examples=count,
        stateful_step_count=steps,
        deadline=None,
        database=None,
        suppress_health_check=list(HealthCheck),
        report_multiple_bugs=False,
    )


def _ref(number: int) -> str:
    """A person's wallet has their number."""
    return f"+25471100000{number}" if number <= people_max else f"a{number}"


def _person(number: int) -> dict[str, Any]:
    return {
        "id": number,
        "msisdn": _ref(number),
        "name": ("Amina Wafula", "Juma Otieno", "Grace Njoki")[number - 1],
        "language": "en",
        "tier": "standard",
        "active": True,
        "wallet_id": number,
        "pin_kid": "k1",
        "pin_salt": b"salt",
        "pin_tag": RIGHT,
        "wrong_tries": 0,
    }


def _differences(found: dict[Any, Any], expected: dict[Any, Any]) -> str:
    return "; ".join(
        f"{key}: the books have {found.get(key)}, and should have {expected.get(key)}"
        for key in sorted(found.keys() | expected.keys())
        if found.get(key) != expected.get(key)
    )
