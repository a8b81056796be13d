"""The house's accounts are opened by themselves; and books of any currency are kept alike."""

import pytest
from sqlalchemy import Engine, func, insert, select, text

from tests.store.conftest import SetClock
from tests.store.orders.staffed import FLOAT, JUMAS, house, opened, staffed, wrong
from tests.store.people import AMINA
from tests.world import at_once
from ussd_gateway.app import upgrade
from ussd_gateway.domain.accounts import (
    DUE_FROM_TRUST,
    DUE_TO_OPERATING,
    EXCISE,
    HOUSE,
    OPERATING_BANK,
    TRANSFER_FEES,
    TRUST_BANK,
    WALLET,
    house_id,
)
from ussd_gateway.domain.journal import Leg
from ussd_gateway.domain.money import EXPONENTS, Money
from ussd_gateway.settings import Settings
from ussd_gateway.store.database import connect, reading, writing
from ussd_gateway.store.house import open_house
from ussd_gateway.store.schema import account


def test_an_upgrade_opens_every_account_of_the_house(
    engine: Engine, tmp_path_factory: pytest.TempPathFactory
) -> None:
    settings = Settings(data_dir=tmp_path_factory.mktemp("new"))
    upgrade(settings)
    new = connect(settings.database_url)

    assert _accounts(new) == sorted(house_id(code, "KES") for code in HOUSE)
    new.dispose()
    assert _accounts(engine) == []  # the schema alone has none


def test_they_are_opened_once_whoever_starts_at_once(engine: Engine) -> None:
    at_once(*(lambda: open_house(engine, "KES"),) * 3)
    open_house(engine, "KES")

    assert _accounts(engine) == sorted(house_id(code, "KES") for code in HOUSE)


def test_one_that_a_new_version_brings_is_opened_and_the_others_are_left_alone(
    engine: Engine, clock: SetClock
) -> None:
    with staffed(engine, clock) as office:
        office.sends()
        with writing(engine) as connection:
            missing = house(OPERATING_BANK)
            on = " ON account" if engine.dialect.name == "postgresql" else ""
            connection.execute(text(f"DROP TRIGGER account_kept{on}"))
            connection.execute(text(f"DELETE FROM account WHERE id = {missing}"))
        before = office.balance(house(DUE_TO_OPERATING))
        open_house(engine, "KES")

        assert office.balance(house(OPERATING_BANK)) == 0
        assert office.balance(house(DUE_TO_OPERATING)) == before > 0


@pytest.mark.parametrize("currency", sorted(EXPONENTS))
def test_money_of_every_currency_is_paid_within_it(
    engine: Engine, clock: SetClock, currency: str
) -> None:
    with staffed(engine, clock) as office:
        open_house(engine, currency)
        with writing(engine) as connection:
            wallets = [
                opened(number, f"{currency}-{number}", WALLET, currency) for number in (51, 52)
            ]
            connection.execute(insert(account), wallets)

        paid_in = (Leg(house(TRUST_BANK, currency), 5_000), Leg(51, -5_000))
        office.does("opening", paid_in, 5_000, currency=currency)
        legs = (
            Leg(51, 1_007),
            Leg(52, -1_000),
            Leg(house(DUE_TO_OPERATING, currency), -7),
            Leg(house(DUE_FROM_TRUST, currency), 7),
            Leg(house(TRANSFER_FEES, currency), -6),
            Leg(house(EXCISE, currency), -1),
        )
        assert office.does("pay", legs, 1_000, currency=currency) != "timeout"
        assert (office.balance(51), office.balance(52)) == (3_993, 1_000)
        assert (
            str(Money(1_000, currency))
            == {
                "KES": "KES 10.00",
                "TZS": "TZS 10.00",
                "UGX": "UGX 1,000",
                "RWF": "RWF 1,000",
                "XOF": "XOF 1,000",
            }[currency]
        )
    assert wrong(engine) == []


@pytest.mark.parametrize("currency", ["UGX", "TZS"])
def test_no_journal_crosses_currencies(engine: Engine, clock: SetClock, currency: str) -> None:
    with staffed(engine, clock) as office:
        open_house(engine, currency)
        with writing(engine) as connection:
            connection.execute(insert(account), [opened(51, "x", WALLET, currency)])

        assert office.does("pay", (Leg(FLOAT, 100), Leg(51, -100)), 100) == "timeout"
        into = (Leg(FLOAT, 100), Leg(house(DUE_TO_OPERATING, currency), -100))
        assert office.does("pay", into, 100) == "timeout"
        # Nor where each of the two balances within itself.
        both = (Leg(FLOAT, 100), Leg(JUMAS, -100), Leg(51, -5), Leg(house(EXCISE, currency), 5))
        assert office.does("pay", both, 100) == "timeout"
        assert office.balance(51) == 0
        assert office.balance(FLOAT) == 1_000_00
        assert office.at.records.holder(AMINA) is not None


def _accounts(engine: Engine) -> list[int]:
    with reading(engine) as connection:
        assert connection.execute(select(func.count()).select_from(account)).scalar_one() >= 0
        return list(connection.execute(select(account.c.id).order_by(account.c.id)).scalars())
