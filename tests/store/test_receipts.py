"""A receipt looked up in the books, through the real services and writer, on both databases."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass, field
from datetime import date, timedelta
from itertools import count
from pathlib import Path

import pytest
from sqlalchemy import Engine, select

from tests.store.conftest import SetClock
from ussd_gateway.app import database, seed_demo, upgrade
from ussd_gateway.app.chance import SystemRandom
from ussd_gateway.app.services import Services, services
from ussd_gateway.app.wiring import desk, writer
from ussd_gateway.domain.money import Money
from ussd_gateway.domain.msisdn import Msisdn
from ussd_gateway.embedded.postgres import Postgres
from ussd_gateway.ports import Answer, BooksLost, Call, Origin, Party, Secret, SessionId, Value
from ussd_gateway.services.check_receipt import ASKS_A_DAY_MAX
from ussd_gateway.services.orders.desk import By
from ussd_gateway.services.orders.reverse import ReverseService
from ussd_gateway.settings import Settings
from ussd_gateway.store.database import connect, reading
from ussd_gateway.store.price_books import SqlPriceBooks
from ussd_gateway.store.reads import SqlReads
from ussd_gateway.store.receipts import SqlReceipts
from ussd_gateway.store.schema import outbox

AMINA, JUMA, GRACE, WANJIRU = (
    Msisdn("+254711000001"),
    Msisdn("+254711000002"),
    Msisdn("+254711000003"),
    Msisdn("+254722000001"),
)
HARDWARE, NOBODY = Msisdn("+254733000001"), Msisdn("+254711000009")
PINS = {AMINA: "4826", JUMA: "7391", GRACE: "5937", WANJIRU: "6174"}
AT = "21/11/26 09:00"
UNHEARD = "UDPX4YWUVW"


@dataclass(slots=True)
class Counter:
    """The demo cast, who pay and ask."""

    engine: Engine
    clock: SetClock
    services: Services
    reversals: ReverseService
    receipts: SqlReceipts
    keys: Iterator[int] = field(default_factory=count)

    def asks(self, action: str, who: Msisdn, **args: Value) -> Answer:
        return self._asks(action, who, args)

    def _asks(self, action: str, who: Msisdn, args: dict[str, Value], key: str = "") -> Answer:
        key = key or f"test:{action}:{next(self.keys)}"
        origin = Origin("africastalking", SessionId(key), who)
        found = self.services.actions[action]
        secret = Secret(PINS[who]) if found.takes_secret else None
        return found.run(Call(key, origin, args, secret, within_s=5.0))

    def pays(self, action: str, who: Msisdn, **args: Value) -> str:
        """Its receipt."""
        done = self.asks(action, who, **args)
        assert done.outcome == "ok", done
        return str(done.values["receipt"])

    def sends(self, shillings: int = 500, *, fee: int = 7) -> str:
        """Amina to Grace."""
        quote = self.asks("send_money.quote", AMINA, to=GRACE, amount=kes(shillings))
        payee = quote.values["payee"]
        return self.pays(
            "send_money", AMINA, to=GRACE, amount=kes(shillings), fee=kes(fee), payee=payee
        )

    def checks(self, receipt: str, who: Msisdn) -> Answer:
        return self.asks("receipt.check", who, receipt=receipt)

    def confirms(self, receipt: str, who: Msisdn, amount: Money, key: str = "") -> str:
        args: dict[str, Value] = {"receipt": receipt, "amount": amount}
        return self._asks("receipt.confirm", who, args, key).outcome


@pytest.fixture(params=["sqlite", "postgres"])
def counter(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Counter]:
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
        running = writer(settings, engine, clock)
        running.start()
        ends.callback(running.stop)
        reads = SqlReads(url)
        ends.callback(reads.close)
        made = services(
            settings,
            engine=engine,
            reads=reads,
            ledger=running,
            clock=clock,
            random=SystemRandom(clock),
        )
        SqlPriceBooks(engine, clock).keep(made.prices)
        at = desk(settings, engine, running, clock)
        yield Counter(engine, clock, made, ReverseService(at), SqlReceipts(engine))


def kes(shillings: int) -> Money:
    return Money(shillings * 100, "KES")


def test_each_party_reads_its_own_side(counter: Counter) -> None:
    receipt = counter.sends()
    seen = {"receipt": receipt, "at": AT, "amount": kes(500)}

    paid, got = counter.checks(receipt, AMINA), counter.checks(receipt, GRACE)
    assert (paid.outcome, paid.values) == (
        "paid_to",
        seen | {"name": "Grace Njoki", "known_by": "0711***003", "cost": kes(7)},
    )
    assert (got.outcome, got.values) == (
        "got_from",
        seen | {"name": "Amina Wafula", "known_by": "0711***001"},
    )


def test_it_is_read_while_not_one_sms_has_left(counter: Counter) -> None:
    receipt = counter.sends()
    with reading(counter.engine) as connection:
        assert set(connection.execute(select(outbox.c.state)).scalars()) == {"due"}

    assert counter.checks(receipt, GRACE).outcome == "got_from"


def test_who_serves_at_a_store_reads_what_the_store_did(counter: Counter) -> None:
    receipt = counter.pays("withdraw", AMINA, till="100200", amount=kes(1_000), fee=kes(29))

    out, cash = counter.checks(receipt, AMINA), counter.checks(receipt, WANJIRU)
    assert (out.outcome, out.values["name"], out.values["known_by"], out.values["cost"]) == (
        "paid_to",
        "Jirani Agencies",
        "100200",
        kes(29),
    )
    assert (cash.outcome, cash.values["name"], cash.values["amount"]) == (
        "got_from",
        "Amina Wafula",
        kes(1_000),
    )


def test_what_was_paid_to_the_house_names_nobody(counter: Counter) -> None:
    receipt = counter.pays("voucher.send", AMINA, to=NOBODY, amount=kes(500), fee=kes(60))
    found = counter.checks(receipt, AMINA)

    assert (found.outcome, found.values["amount"], found.values["cost"]) == (
        "paid",
        kes(500),
        kes(60),
    )
    # The code went to that number: it may know what it is of.
    assert counter.checks(receipt, NOBODY).outcome == "ok"


def test_a_business_reads_what_came_in(counter: Counter) -> None:
    receipt = counter.pays("buy_goods", AMINA, business="500500", amount=kes(350), fee=kes(0))

    assert counter.checks(receipt, HARDWARE).outcome == "got_from"


def test_a_strangers_receipt_and_one_that_never_was_are_answered_alike(
    counter: Counter,
) -> None:
    receipt = counter.sends()

    assert counter.checks(receipt, JUMA) == counter.checks(UNHEARD, JUMA)
    assert counter.checks(receipt, JUMA).outcome == "amount_needed"
    assert counter.confirms(receipt, JUMA, kes(500)) == "ok"
    assert counter.confirms(receipt, JUMA, kes(507)) == "no_such_payment"
    assert counter.confirms(UNHEARD, JUMA, kes(500)) == "no_such_payment"


def test_a_stranger_is_answered_a_few_times_a_day(counter: Counter) -> None:
    receipt = counter.sends()
    for _ in range(ASKS_A_DAY_MAX):
        assert counter.confirms(receipt, JUMA, kes(500)) == "ok"
    assert counter.confirms(receipt, JUMA, kes(500)) == "asked_too_often"

    assert counter.confirms(receipt, WANJIRU, kes(500)) == "ok"
    counter.clock.at += timedelta(days=1)
    assert counter.confirms(receipt, JUMA, kes(500)) == "ok"


def test_a_question_that_is_repeated_counts_once(counter: Counter) -> None:
    receipt = counter.sends()
    for _ in range(ASKS_A_DAY_MAX + 3):
        assert counter.confirms(receipt, JUMA, kes(500), key="the same") == "ok"


def test_questions_at_once_are_all_counted(counter: Counter) -> None:
    today = date(2026, 11, 21)
    with ThreadPoolExecutor(8) as pool:
        asked = pool.map(
            lambda key: counter.receipts.asked(JUMA, today, f"key {key}"), range(24)
        )
    assert sorted(asked) == list(range(1, 25))


def test_what_was_taken_back_is_told_to_everybody(counter: Counter) -> None:
    receipt = counter.sends()
    maker, checker = By("njeri", "wrong number", "o1"), By("odhiambo", "", "o2")
    asked = counter.reversals.ask(receipt, kes(200), maker, whole=False)
    counter.reversals.approve(asked.values["hold"], None, checker)

    for who in (AMINA, GRACE):
        found = counter.checks(receipt, who)
        assert (found.outcome, found.values["taken_back"]) == ("taken_back", kes(200))
    assert counter.confirms(receipt, JUMA, kes(500)) == "taken_back"


def test_a_receipt_that_was_never_made_is_not_there(counter: Counter) -> None:
    receipt = counter.sends()
    assert counter.receipts.find(receipt, JUMA) is not None
    assert counter.receipts.find(UNHEARD, JUMA) is None


def test_a_payee_who_is_not_the_asker_is_named_to_parties_only(counter: Counter) -> None:
    receipt = counter.sends()
    found = counter.receipts.find(receipt, JUMA)

    assert found is not None
    assert (found.moved, found.other, found.told) == (None, Party("", ""), False)


def test_a_database_that_is_away_is_told_as_such(tmp_path: Path) -> None:
    receipts = SqlReceipts(connect(f"sqlite:///{tmp_path / 'nothing'}"))

    with pytest.raises(BooksLost):
        receipts.find(UNHEARD, JUMA)
    with pytest.raises(BooksLost):
        receipts.asked(JUMA, date(2026, 11, 21), "k")
