"""Books as the gateway itself writes them: the demo cast, and what they did."""

from collections.abc import Iterator
from contextlib import closing, contextmanager

from sqlalchemy import Engine

from tests.store.conftest import SetClock
from ussd_gateway.app import database, seed_demo, upgrade
from ussd_gateway.app.chance import SystemRandom
from ussd_gateway.app.services import services
from ussd_gateway.app.wiring import writer
from ussd_gateway.domain.money import Money
from ussd_gateway.domain.msisdn import Msisdn
from ussd_gateway.ports import Action, Answer, Call, Ledger, Origin, Secret, SessionId, Value
from ussd_gateway.settings import Settings
from ussd_gateway.store.price_books import SqlPriceBooks
from ussd_gateway.store.reads import SqlReads

AMINA, JUMA, GRACE = (Msisdn(f"+25471100000{n}") for n in (1, 2, 3))

_PINS = {AMINA: "4826", JUMA: "7391", GRACE: "5937"}
_IDS = {AMINA: "1", JUMA: "2", GRACE: "3"}


@contextmanager
def ledger(
    settings: Settings, clock: SetClock | None = None
) -> Iterator[tuple[Ledger, Engine]]:
    """The gateway's own writer on its database, for a while."""
    engine = database(settings)
    running = writer(settings, engine, clock or SetClock())
    running.start()
    yield running, engine
    running.stop()
    engine.dispose()


def write_books(settings: Settings, clock: SetClock | None = None) -> None:
    """The demo cast, three payments, and four refusals, of which the last locks Juma's PIN.

    Then Amina has KES 4,843.00, Juma 593.00 and Grace 119,793.00."""
    clock = clock or SetClock()
    upgrade(settings)
    seed_demo(settings, clock=clock, random=SystemRandom(clock))
    with (
        ledger(settings, clock) as (running, engine),
        closing(SqlReads(settings.database_url)) as reads,
    ):
        served_by = services(
            settings,
            engine=engine,
            reads=reads,
            ledger=running,
            clock=clock,
            random=SystemRandom(clock),
        )
        SqlPriceBooks(engine, clock).keep(served_by.prices)
        send = served_by.actions["send_money"]
        assert _pay(send, AMINA, JUMA, 500_00, fee=7_00).outcome == "ok"
        assert _pay(send, JUMA, AMINA, 150_00, fee=7_00).outcome == "ok"
        assert _pay(send, GRACE, AMINA, 200_00, fee=7_00).outcome == "ok"
        assert _pay(send, JUMA, GRACE, 900_00, fee=13_00).outcome == "low_balance"
        wrong = [
            _pay(send, JUMA, AMINA, minor, fee=7_00, pin="1111")
            for minor in (110_00, 120_00, 130_00)
        ]
        assert [answer.values["tries_left"] for answer in wrong] == [2, 1, 0]


def _pay(
    send: Action, sender: Msisdn, payee: Msisdn, minor: int, *, fee: int, pin: str | None = None
) -> Answer:
    key = f"{sender}:{minor}:4"
    origin = Origin("africastalking", SessionId(key), sender)
    args: dict[str, Value] = {
        "to": str(payee),
        "amount": Money(minor, "KES"),
        "fee": Money(fee, "KES"),
        "payee": _IDS[payee],
    }
    return send.run(Call(key, origin, args, Secret(pin or _PINS[sender]), within_s=5.0))
