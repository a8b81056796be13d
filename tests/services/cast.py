"""The cast as services see it: people, businesses, their accounts, and the tariffs they pay by.

Amina is a customer, Juma another, Wanjiru takes cash in at the store of Jirani Agencies. Otieno
Hardware is paid by its till, Maji Water under an account number, Tamu Content on a phone bill.
"""

from dataclasses import replace
from datetime import UTC, date, datetime
from pathlib import Path

from ussd_gateway.domain.accounts import HOUSE, house_id
from ussd_gateway.domain.book import Account, Book, Business, Status, Subscriber, Trade
from ussd_gateway.domain.limits import LOWEST, STANDARD, Limit, Usage
from ussd_gateway.domain.money import Money
from ussd_gateway.domain.msisdn import Msisdn
from ussd_gateway.domain.tariff import Tariff, price_book
from ussd_gateway.services.pins import Proof
from ussd_gateway.services.terms.tariffs import read_tariffs

TODAY = date(2026, 11, 21)
NOW = datetime(2026, 11, 21, 6, 0, tzinfo=UTC)
NOW_MS = int(NOW.timestamp() * 1000)
PRICES = price_book(
    tariff
    for path in sorted(Path("menus/tariffs").glob("*.csv"))
    for tariff in read_tariffs(path.read_text(), path.name, "KES")[0].values()
)
TARIFFS: dict[str, Tariff] = {service: PRICES.newest(service) for service in PRICES.tariffs}

BALANCE_MAX = 500_000
LIMIT = Limit(
    transaction_max=Money(250_000_00, "KES"),
    day_max=Money(500_000_00, "KES"),
    month_max=Money(3_000_000_00, "KES"),
    balance_max=Money(BALANCE_MAX * 100, "KES"),
)
LIMITS = {
    LOWEST: Limit(
        transaction_max=Money(10_000_00, "KES"),
        day_max=Money(20_000_00, "KES"),
        month_max=Money(100_000_00, "KES"),
        balance_max=Money(50_000_00, "KES"),
    ),
    STANDARD: LIMIT,
}

AMINA = Subscriber(
    id=1,
    msisdn=Msisdn("+254711000001"),
    name="Amina Wafula",
    language="en",
    tier=STANDARD,
    active=True,
    wallet_id=1,
    pin_kid="k1",
    pin_salt=b"salt",
    pin_tag=b"right",
    wrong_tries=0,
)
JUMA = replace(
    AMINA,
    id=2,
    msisdn=Msisdn("+254711000002"),
    name="Juma Otieno",
    language="sw",
    wallet_id=2,
)
WANJIRU = replace(AMINA, id=3, msisdn=Msisdn("+254722000001"), name="Wanjiru", wallet_id=3)

STORE = Business(
    number="100200",
    trade=Trade.STORE,
    name="Jirani Agencies",
    msisdn=Msisdn("+254722000001"),
    language="en",
    account_id=10,
    commission_id=11,
    account_digits=0,
    head_office_commission_id=15,
)
HARDWARE = Business(
    number="500500",
    trade=Trade.MERCHANT,
    name="Otieno Hardware",
    msisdn=Msisdn("+254733000001"),
    language="en",
    account_id=12,
    commission_id=None,
    account_digits=0,
    head_office_commission_id=None,
)
WATER = replace(
    HARDWARE,
    number="600600",
    trade=Trade.BILLER,
    name="Maji Water",
    msisdn=Msisdn("+254733000002"),
    account_id=13,
    account_digits=8,
)
TAMU = replace(
    HARDWARE,
    number="700700",
    trade=Trade.CONTENT,
    name="Tamu Content",
    msisdn=Msisdn("+254733000003"),
    account_id=14,
)

RIGHT, WRONG = Proof(AMINA.id, b"right"), Proof(AMINA.id, b"wrong")


def kes(shillings: int) -> Money:
    return Money(shillings * 100, "KES")


def account(number: int, shillings: int, *, cap: int | None = BALANCE_MAX) -> Account:
    """Of somebody who holds e-money, or is owed: a credit account that is never below zero."""
    return Account(
        id=number,
        currency="KES",
        sign=-1,
        debits=0,
        credits=shillings * 100,
        debits_pending=0,
        credits_pending=0,
        floor=0,
        cap=None if cap is None else cap * 100,
        seq=1,
    )


def book(*people: Subscriber, **shillings: int) -> Book:
    """What everybody has, and `full=100` for a cap of the businesses' accounts: by name, Amina
    KES 5,000, Juma 250, Wanjiru nothing, the store 50,000, the others nothing."""
    has = {"amina": 5_000, "juma": 250, "wanjiru": 0, "store": 50_000, **shillings}
    cap = has.get("full")
    persons = {person.id: person for person in (AMINA, JUMA, WANJIRU, *people)}
    held = {
        AMINA.wallet_id: account(AMINA.wallet_id, has["amina"]),
        JUMA.wallet_id: account(JUMA.wallet_id, has["juma"]),
        WANJIRU.wallet_id: account(WANJIRU.wallet_id, has["wanjiru"]),
        STORE.account_id: account(STORE.account_id, has["store"], cap=cap),
        11: account(11, 0, cap=None),
        15: account(15, 0, cap=None),
        HARDWARE.account_id: account(HARDWARE.account_id, 0, cap=cap),
        WATER.account_id: account(WATER.account_id, 0, cap=cap),
        TAMU.account_id: account(TAMU.account_id, 0, cap=cap),
    }
    house = {
        house_id(code, "KES"): replace(
            account(house_id(code, "KES"), 0, cap=None), sign=code.side.value, floor=None
        )
        for code in HOUSE
    }
    return Book(persons, held | house, now_ms=NOW_MS, today=TODAY)


def barred(number: int, *, by: Status = Status.FROZEN_BOTH) -> Book:
    """Everybody has what they have, and one account is barred."""
    rows = book()
    rows.accounts[number].status = by
    return rows


def used(*, day: int = 0, month: int = 0) -> Book:
    """Amina paid so many shillings today, and in the month so far."""
    rows = book()
    rows.accounts[AMINA.wallet_id].used = Usage(TODAY, day * 100, max(day, month) * 100)
    return rows


def house(code: int) -> int:
    """The id of the house's shilling account of a code."""
    return 1_000_004_040_000 + code
