"""Vouchers through the real services and writer, on both databases: sent, cashed, given back,
each once, whoever races; and the checker that finds what is done to them."""

import json
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from datetime import timedelta
from itertools import count
from pathlib import Path

import pytest
from sqlalchemy import Engine, select, text, update
from sqlalchemy.exc import DBAPIError

from tests.store.conftest import SetClock
from tests.store.verify.crowbar import tamper
from tests.world import at_once
from ussd_gateway.app import database, seed_demo, upgrade
from ussd_gateway.app.chance import SystemRandom
from ussd_gateway.app.services import Services, services
from ussd_gateway.app.wiring import desk, writer
from ussd_gateway.domain.money import Money
from ussd_gateway.domain.msisdn import Msisdn
from ussd_gateway.embedded.postgres import Postgres
from ussd_gateway.ports import Answer, Call, Origin, Secret, SessionId, Value
from ussd_gateway.services.orders.desk import By
from ussd_gateway.services.orders.reverse import ReverseService
from ussd_gateway.services.vouchers.give_back_voucher import VouchersOverdue
from ussd_gateway.settings import Settings
from ussd_gateway.store.database import reading, writing
from ussd_gateway.store.price_books import SqlPriceBooks
from ussd_gateway.store.reads import SqlReads
from ussd_gateway.store.schema import account, outbox, subscriber, voucher
from ussd_gateway.store.verify import verify
from ussd_gateway.store.waiting.vouchers import SqlVouchers

AMINA, GRACE, WANJIRU = (
    Msisdn("+254711000001"),
    Msisdn("+254711000003"),
    Msisdn("+254722000001"),
)
NOBODY = Msisdn("+254711000009")
PINS = {AMINA: "4826", WANJIRU: "6174"}
WEEK = timedelta(days=7)
UNKNOWN, BARRED, EXPIRED = "unknown_voucher", "voucher_barred", "voucher_expired"


@dataclass(slots=True)
class Shop:
    """The demo cast, and two processes that serve them."""

    engine: Engine
    clock: SetClock
    processes: list[Services]
    overdue: VouchersOverdue
    reversals: ReverseService
    keys: Iterator[int] = field(default_factory=count)

    def asks(
        self,
        action: str,
        who: Msisdn,
        args: dict[str, Value],
        *,
        secret: str | None = None,
        key: str | None = None,
        by: int = 0,
    ) -> Answer:
        key = key or f"test:{action}:{next(self.keys)}"
        origin = Origin("africastalking", SessionId(key), who)
        call = Call(key, origin, args, Secret(secret or PINS[who]), within_s=5.0)
        return self.processes[by].actions[action].run(call)

    def sends(
        self,
        shillings: int = 500,
        *,
        to: Msisdn = NOBODY,
        fee: int = 60,
        key: str | None = None,
        pin: str | None = None,
    ) -> Answer:
        args: dict[str, Value] = {"to": to, "amount": kes(shillings), "fee": kes(fee)}
        return self.asks("voucher.send", AMINA, args, key=key, secret=pin)

    def finds(self, code: str, *, to: Msisdn = NOBODY) -> Answer:
        return self.asks("voucher.find", WANJIRU, {"number": to}, secret=code)

    def cashes(self, ticket: Value, *, key: str | None = None, by: int = 0) -> Answer:
        return self.asks("voucher.cash", WANJIRU, {"ticket": ticket}, key=key, by=by)

    @property
    def codes(self) -> list[str]:
        found = select(outbox.c.params).where(outbox.c.template == "voucher_code")
        with reading(self.engine) as connection:
            params = connection.execute(found.order_by(outbox.c.id)).scalars()
            return [json.loads(each)["code"] for each in params]

    @property
    def told(self) -> list[tuple[str, str]]:
        found = select(outbox.c.msisdn, outbox.c.template).order_by(outbox.c.id)
        with reading(self.engine) as connection:
            return [(row.msisdn, row.template) for row in connection.execute(found)]

    def balance(self, ref: str) -> int:
        with reading(self.engine) as connection:
            row = connection.execute(select(account).where(account.c.public_ref == ref)).one()
        return int((row.debits - row.credits) * row.side)

    def used(self) -> int:
        found = select(account.c.used_day).where(account.c.public_ref == AMINA)
        with reading(self.engine) as connection:
            return int(connection.execute(found).scalar_one())

    def vouchers(self) -> list[tuple[str, int]]:
        found = select(voucher.c.state, voucher.c.wrong_tries).order_by(voucher.c.id)
        with reading(self.engine) as connection:
            return [(row.state, row.wrong_tries) for row in connection.execute(found)]

    def wrong(self) -> list[str]:
        return [one.name for one in verify(self.engine) if not one.ok]


@pytest.fixture(params=["sqlite", "postgres"])
def shop(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Shop]:
    url = f"sqlite:///{tmp_path / 'books.sqlite'}"
    if request.param == "postgres":
        server: Postgres = request.getfixturevalue("postgres")
        url = server.create_database()
    settings = Settings(data_dir=tmp_path, database_url=url)
    clock = SetClock()
    upgrade(settings)
    seed_demo(settings, clock=clock, random=SystemRandom(clock))
    with ExitStack() as ends:
        engine = database(settings)
        ends.callback(engine.dispose)
        running = [writer(settings, engine, clock) for _ in range(2)]
        processes = []
        for each in running:
            each.start()
            ends.callback(each.stop)
            reads = SqlReads(url)
            ends.callback(reads.close)
            processes.append(
                services(
                    settings,
                    engine=engine,
                    reads=reads,
                    ledger=each,
                    clock=clock,
                    random=SystemRandom(clock),
                )
            )
        SqlPriceBooks(engine, clock).keep(processes[0].prices)
        at = desk(settings, engine, running[1], clock)
        late = VouchersOverdue(at, SqlVouchers(engine))
        yield Shop(engine, clock, processes, late, ReverseService(at))


def kes(shillings: int) -> Money:
    return Money(shillings * 100, "KES")


def test_a_voucher_is_sent_and_cashed_and_everybody_is_told(shop: Shop) -> None:
    float_before = shop.balance("100200")
    sent = shop.sends()
    assert (sent.outcome, sent.values["balance"]) == ("ok", kes(4_440))
    assert "code" not in sent.values
    assert (shop.balance("KES-2410"), shop.used()) == (500_00, 500_00)
    assert shop.wrong() == []

    found = shop.finds(shop.codes[0])
    assert (found.outcome, found.values["amount"]) == ("ok", kes(500))
    paid = shop.cashes(found.values["ticket"])
    assert (paid.outcome, paid.values["number"]) == ("ok", NOBODY)
    assert shop.balance("100200") == float_before + 500_00
    assert (shop.balance("KES-2410"), shop.vouchers()) == (0, [("cashed", 0)])
    assert shop.told == [
        (AMINA, "voucher_sent"),
        (NOBODY, "voucher_code"),
        (NOBODY, "voucher_cashed"),
        (WANJIRU, "voucher_paid"),
    ]
    assert shop.finds(shop.codes[0]).outcome == UNKNOWN
    assert shop.cashes(found.values["ticket"]).outcome == UNKNOWN
    assert shop.wrong() == []


def test_the_code_is_kept_in_one_row_and_nowhere_else(shop: Shop) -> None:
    shop.sends()
    (code,) = shop.codes
    shop.cashes(shop.finds(code).values["ticket"])

    kept = []
    with reading(shop.engine) as connection:
        for table in ("voucher", "idempotency", "outbox", "journal"):
            rows = connection.execute(text(f"SELECT * FROM {table}")).all()
            kept += [table for row in rows if code in str(tuple(row))]
    assert kept == ["outbox"]


def test_a_repeat_of_a_key_sends_and_cashes_nothing_again(shop: Shop) -> None:
    assert shop.sends(key="a:b:1") == shop.sends(key="a:b:1")
    assert len(shop.codes) == 1
    ticket = shop.finds(shop.codes[0]).values["ticket"]
    assert shop.cashes(ticket, key="a:b:2") == shop.cashes(ticket, key="a:b:2", by=1)
    assert shop.sends(600, key="a:b:1").outcome == "conflict"
    assert (shop.balance("KES-2410"), shop.wrong()) == (0, [])


def test_what_nobody_came_for_goes_back_once_and_keeps_the_fee(shop: Shop) -> None:
    shop.sends()
    shop.clock.at += WEEK - timedelta(seconds=1)
    assert shop.overdue.give_back() == 0
    shop.clock.wait(1)
    assert [shop.overdue.give_back() for _ in range(2)] == [1, 0]

    assert (shop.balance(AMINA), shop.balance("KES-2410")) == (4_940_00, 0)
    assert shop.vouchers() == [("returned", 0)]
    assert shop.told[2:] == [(AMINA, "voucher_returned")]
    assert shop.finds(shop.codes[0]).outcome == EXPIRED
    assert shop.finds("00000000").outcome == UNKNOWN
    assert shop.wrong() == []


def test_what_is_given_back_on_its_day_does_not_count_any_more(shop: Shop) -> None:
    """The day is the sending's: a week later another one is counted."""
    shop.sends()
    shop.clock.at += WEEK
    shop.sends(700, fee=60)
    assert shop.used() == 700_00
    assert shop.overdue.give_back() == 1
    assert shop.used() == 700_00
    with reading(shop.engine) as connection:
        month = select(account.c.used_month).where(account.c.public_ref == AMINA)
        assert connection.execute(month).scalar_one() == 700_00


def test_of_those_who_cash_and_give_back_one_wins(shop: Shop) -> None:
    shop.sends()
    shop.clock.at += WEEK - timedelta(minutes=1)
    ticket = shop.finds(shop.codes[0]).values["ticket"]
    shop.clock.at += timedelta(minutes=1, milliseconds=-1)

    def strikes() -> str:
        """The week ends while the agents' commands are on their way."""
        shop.clock.wait(0.001)
        return str(shop.overdue.give_back())

    first, second, _ = at_once(
        lambda: shop.cashes(ticket, by=0).outcome,
        lambda: shop.cashes(ticket, by=1).outcome,
        strikes,
    )
    ((state, _),) = shop.vouchers()
    assert [first, second].count("ok") == (state == "cashed")
    assert state in ("cashed", "returned")
    assert shop.balance("KES-2410") == 0
    assert shop.wrong() == []


def test_of_two_agents_who_cash_it_at_once_one_wins(shop: Shop) -> None:
    shop.sends()
    ticket = shop.finds(shop.codes[0]).values["ticket"]
    answers = at_once(
        lambda: shop.cashes(ticket, by=0).outcome, lambda: shop.cashes(ticket, by=1).outcome
    )
    assert sorted(answers) == ["ok", UNKNOWN]
    assert shop.wrong() == []


def test_wrong_codes_are_counted_and_bar_it_until_it_goes_back(shop: Shop) -> None:
    shop.sends()
    (code,) = shop.codes
    wrong = f"{(int(code) + 1) % 10**8:08}"
    ticket = shop.finds(code).values["ticket"]
    answers = [shop.finds(wrong).outcome for _ in range(4)]
    assert answers == [UNKNOWN, UNKNOWN, BARRED, BARRED]
    assert shop.vouchers() == [("open", 3)]
    assert shop.finds(code).outcome == BARRED
    # Whoever had found it before is too late as well.
    assert shop.cashes(ticket).outcome == BARRED

    shop.clock.at += WEEK
    assert shop.overdue.give_back() == 1
    assert (shop.balance(AMINA), shop.wrong()) == (4_940_00, [])


def test_wrong_codes_of_two_at_once_are_all_counted(shop: Shop) -> None:
    shop.sends()
    args: dict[str, Value] = {"number": NOBODY}
    at_once(
        lambda: shop.asks("voucher.find", WANJIRU, args, secret="0" * 8, by=0),
        lambda: shop.asks("voucher.find", WANJIRU, args, secret="0" * 8, by=1),
    )
    assert shop.vouchers() == [("open", 2)]


def test_of_several_for_one_number_the_code_says_which(shop: Shop) -> None:
    shop.sends(200)
    shop.sends(300)
    first, second = shop.codes
    found = shop.finds(second)
    assert found.values["amount"] == kes(300)
    assert shop.cashes(found.values["ticket"]).outcome == "ok"
    assert shop.vouchers() == [("open", 0), ("cashed", 0)]
    assert shop.finds(first).values["amount"] == kes(200)
    assert shop.wrong() == []


def test_nobody_learns_whether_there_is_a_voucher(shop: Shop) -> None:
    shop.sends()
    assert shop.finds("00000000") == shop.finds("00000000", to=Msisdn("+254711000008"))


def test_a_ticket_is_good_for_a_few_minutes_and_for_its_own_phone(shop: Shop) -> None:
    shop.sends()
    ticket = shop.finds(shop.codes[0]).values["ticket"]
    assert shop.cashes(f"{ticket}0").outcome == "expired"
    shop.clock.wait(301)
    assert shop.cashes(ticket).outcome == "expired"
    assert shop.vouchers() == [("open", 0)]


@pytest.mark.parametrize(
    ("amount", "fee", "pin", "outcome"),
    [
        (500, 60, "1111", "wrong_pin"),
        (100, 60, None, "under_minimum"),
        (35_001, 250, None, "over_limit"),
        (500, 59, None, "fee_changed"),
        (4_941, 95, None, "low_balance"),
    ],
)
def test_a_refused_one_moves_nothing_and_makes_no_voucher(
    shop: Shop, amount: int, fee: int, pin: str | None, outcome: str
) -> None:
    assert shop.sends(amount, fee=fee, pin=pin).outcome == outcome
    assert (shop.vouchers(), shop.balance(AMINA), shop.used()) == ([], 5_000_00, 0)
    assert shop.wrong() == []


def test_limits_count_it_as_they_count_any_payment(shop: Shop) -> None:
    with writing(shop.engine) as connection:
        mine = subscriber.c.msisdn == AMINA
        capped = {"cap_payment": 1_000_00, "cap_day": 1_000_00}
        connection.execute(update(subscriber).where(mine).values(capped))
    assert shop.sends(600).outcome == "ok"
    assert shop.sends(401).outcome == "over_own_cap"
    assert shop.sends(400).outcome == "ok"


def test_a_barred_number_looks_unregistered_until_the_pin_and_is_charged_nothing(
    shop: Shop,
) -> None:
    def quote(to: Msisdn) -> Answer:
        return shop.asks("voucher.quote", AMINA, {"to": to, "amount": kes(500)})

    assert quote(GRACE).outcome == "already_registered"
    assert shop.sends(to=GRACE).outcome == "already_registered"
    with writing(shop.engine) as connection:
        hers = account.c.public_ref == GRACE
        connection.execute(update(account).where(hers).values(status="frozen_both"))
    assert quote(GRACE) == quote(NOBODY)
    assert shop.sends(to=GRACE, pin="1111").outcome == "wrong_pin"
    assert shop.sends(to=GRACE).outcome == "unknown_payee"
    assert (shop.vouchers(), shop.balance(AMINA)) == ([], 5_000_00)


def test_a_number_that_registers_meanwhile_has_it_cashed(shop: Shop) -> None:
    shop.sends()
    with writing(shop.engine) as connection:
        hers = subscriber.c.msisdn == GRACE
        connection.execute(update(subscriber).where(hers).values(msisdn=NOBODY))
    found = shop.finds(shop.codes[0])
    assert shop.cashes(found.values["ticket"]).outcome == "ok"


def test_a_wallet_that_takes_nothing_in_gets_it_back_when_it_does(shop: Shop) -> None:
    shop.sends()
    shop.clock.at += WEEK

    def amina(**values: object) -> None:
        with writing(shop.engine) as connection:
            hers = account.c.public_ref == AMINA
            connection.execute(update(account).where(hers).values(values))

    for bar, free in (
        ({"status": "frozen_in"}, {"status": "active"}),
        ({"cap": 4_939_99}, {"cap": 4_940_00}),
    ):
        amina(**bar)
        assert shop.overdue.give_back() == 0
        amina(**free)
    assert shop.overdue.give_back() == 1
    assert shop.vouchers() == [("returned", 0)]


def test_staff_take_no_voucher_back(shop: Shop) -> None:
    receipts = [str(shop.sends().values["receipt"])]
    found = shop.finds(shop.codes[0])
    receipts.append(str(shop.cashes(found.values["ticket"]).values["receipt"]))
    for whole in (False, True):
        for receipt in receipts:
            by = By("njeri", "asked", f"desk:{next(shop.keys)}")
            assert shop.reversals.ask(receipt, None, by, whole=whole).name == "voucher"


def test_the_database_keeps_a_voucher_as_it_ended(shop: Shop) -> None:
    shop.sends()
    refused = pytest.raises(DBAPIError)
    for change in ("minor = 1", "msisdn = '+254711000008'", "expires_at_ms = 0"):
        with refused, writing(shop.engine) as connection:
            connection.execute(text(f"UPDATE voucher SET {change}"))
    shop.finds("00000000")
    with refused, writing(shop.engine) as connection:
        connection.execute(text("UPDATE voucher SET wrong_tries = 0"))
    shop.cashes(shop.finds(shop.codes[0]).values["ticket"])
    for change in (
        "UPDATE voucher SET state = 'open', ended_by = NULL",
        "UPDATE voucher SET state = 'returned'",
        "DELETE FROM voucher",
    ):
        with refused, writing(shop.engine) as connection:
            connection.execute(text(change))


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ("DELETE FROM voucher WHERE state = 'open'", "it is of no voucher"),
        ("UPDATE voucher SET minor = minor + 1", "aside"),
        (
            "UPDATE voucher SET state = 'open', ended_by = NULL WHERE state = 'cashed'",
            "unclaimed is 30000 KES; open vouchers are 50000",
        ),
        ("UPDATE voucher SET state = 'returned' WHERE state = 'cashed'", "no journal moved"),
        ("UPDATE voucher SET state = 'lost' WHERE state = 'cashed'", "nothing that a voucher"),
        ("UPDATE voucher SET wrong_tries = 4", "4 wrong codes"),
        ("UPDATE voucher SET expires_at_ms = 1 WHERE state = 'cashed'", "after its time"),
    ],
)
def test_the_checker_sees_what_is_done_to_vouchers(shop: Shop, change: str, told: str) -> None:
    shop.sends(200)
    shop.sends(300)
    shop.cashes(shop.finds(shop.codes[0]).values["ticket"])
    assert shop.wrong() == []
    tamper(shop.engine, [change])

    faults = [each for one in verify(shop.engine) if not one.ok for each in one.shown]
    assert any(told in each for each in faults), faults


def test_the_digests_cover_vouchers(shop: Shop) -> None:
    shop.sends(200)
    tamper(shop.engine, ["UPDATE voucher SET msisdn = '+254711000008'"])
    (sealed,) = [one for one in verify(shop.engine) if not one.ok]
    assert sealed.number == 14
    assert "or its voucher" in str(sealed.shown)
