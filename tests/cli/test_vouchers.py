"""`ledger vouchers` and `ledger what-if`, where a voucher was sent."""

import json
from contextlib import closing

import pytest

from tests.cli.office import Office
from tests.store.conftest import SetClock
from tests.store.true_books import AMINA, GRACE, ledger, write_books
from ussd_gateway.app.chance import SystemRandom
from ussd_gateway.app.services import services
from ussd_gateway.domain.money import Money
from ussd_gateway.ports import Call, Origin, Secret, SessionId, Value
from ussd_gateway.settings import Settings
from ussd_gateway.store.reads import SqlReads


@pytest.fixture(scope="module")
def sent(tmp_path_factory: pytest.TempPathFactory) -> tuple[Office, str]:
    """Amina has sent KES 500 to a number that nobody has; the receipt."""
    settings = Settings(data_dir=tmp_path_factory.mktemp("sent"))
    clock = SetClock()
    write_books(settings, clock)
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
        origin = Origin("africastalking", SessionId("s"), AMINA)
        args: dict[str, Value] = {"to": "+254711000009", "amount": _kes(500), "fee": _kes(60)}
        call = Call("s:1", origin, args, Secret("4826"), within_s=5.0)
        done = served_by.actions["voucher.send"].run(call)
    return Office(settings.data_dir), str(done.values["receipt"])


def test_those_that_wait_are_listed_by_who_sent_them_or_is_sent_them(
    sent: tuple[Office, str],
) -> None:
    office, receipt = sent
    said = _ledger(office)
    assert said == [
        f"{receipt}  KES 500.00  {AMINA} Amina Wafula -> +254711000009",
        "    21/11/26 09:00 until 28/11/26 09:00",
    ]
    assert _ledger(office, "0711000001") == _ledger(office, "0711000009") == said
    assert _ledger(office, str(GRACE)) == ["None waits."]


def test_what_a_voucher_cost_is_priced_again_too(sent: tuple[Office, str]) -> None:
    office, _ = sent
    days = ("--from", "2026-11-21", "--to", "2026-11-21")
    said = office.does("ledger", "what-if", "menus/tariffs", *days, "--json", MENUS_DIR="menus")
    services = {each["service"]: each for each in json.loads(said.stdout)["services"]}
    assert services["voucher"]["now"] == services["voucher"]["then"]
    assert services["voucher"]["now"]["fee_minor"] == 60_00


def _ledger(office: Office, *words: str) -> list[str]:
    said = office.does("ledger", "vouchers", *words, MENUS_DIR="menus")
    assert said.code == 0, said.stderr
    return said.lines


def _kes(shillings: int) -> Money:
    return Money(shillings * 100, "KES")
