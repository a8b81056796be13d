import re
from datetime import date, timedelta
from pathlib import Path

import pytest

from ussd_gateway.domain.money import Money
from ussd_gateway.domain.tariff import (
    Band,
    Tariff,
    price_book,
    round_half_down,
    round_half_up,
)
from ussd_gateway.services.terms.tariffs import read_tariffs

FILE = Path("menus/tariffs/KE-2023-07.csv")
DAY = date(2026, 11, 21)


@pytest.fixture
def tariff() -> Tariff:
    tariffs, faults = read_tariffs(FILE.read_text(), FILE.name, "KES")
    assert not faults
    return next(each for each in tariffs.values() if each.service == "send")


def kes(text: str) -> Money:
    whole, _, cents = text.partition(".")
    return Money(int(whole) * 100 + int(cents or 0), "KES")


@pytest.mark.parametrize(
    ("amount", "fee"),
    [
        ("1", "0"),
        ("49.50", "0"),
        ("100", "0"),
        ("100.01", "7"),
        ("101", "7"),
        ("500", "7"),
        ("500.01", "13"),
        ("1000", "13"),
        ("20000.01", "108"),
        ("250000", "108"),
    ],
)
def test_each_band_has_its_fee(tariff: Tariff, amount: str, fee: str) -> None:
    found = tariff.fee(kes(amount))
    assert found is not None
    assert found.total == kes(fee)


@pytest.mark.parametrize("amount", ["0.99", "250000.01", "999999999"])
def test_an_amount_outside_the_bands_has_no_fee(tariff: Tariff, amount: str) -> None:
    assert tariff.fee(kes(amount)) is None


def test_excise_is_in_the_fee_and_the_split_loses_nothing(tariff: Tariff) -> None:
    fee = tariff.fee(kes("500"))
    assert fee is not None
    # 15 % included: 7.00 * 15 / 115 = 0.913...
    assert fee.tax == kes("0.91")
    assert fee.income == kes("6.09")


def test_halves_are_rounded_up() -> None:
    assert [round_half_up(n, 2) for n in (0, 1, 2, 3)] == [0, 1, 1, 2]
    assert round_half_up(10, 4) == 3


def test_bands_that_do_not_touch_are_a_bug() -> None:
    with pytest.raises(AssertionError):
        Tariff("T", "send", "KES", DAY, 15, 0, (Band(1, 10, 0), Band(12, 20, 5)))


def made(service: str = "send", since: date = DAY, *, fee: int = 5, share: int = 0) -> Tariff:
    return Tariff("T", service, "KES", since, 15, share, (Band(1, 10, 0), Band(11, 20, fee)))


@pytest.mark.parametrize(
    ("percent", "total", "store", "head_office"),
    [
        (20, 10_00, 8_00, 2_00),
        (20, 4, 3, 1),  # 3.2 and 0.8: the last one is the head office's
        (20, 6, 5, 1),  # 4.8 and 1.2: it is the store's
        (50, 5, 3, 2),  # 2.5 each: what could be either's is the store's
        (20, 0, 0, 0),
        (0, 7, 7, 0),
        (100, 7, 0, 7),
    ],
)
def test_a_commission_is_split_by_largest_remainder(
    percent: int, total: int, store: int, head_office: int
) -> None:
    found = made(fee=total, share=percent).commission(Money(15, "KES"), shared=True)
    assert (found.store.minor, found.head_office.minor) == (store, head_office)
    assert found.total.minor == total


def test_a_store_without_a_head_office_earns_all_of_it() -> None:
    found = made(fee=10, share=20).commission(Money(15, "KES"), shared=False)
    assert (found.store.minor, found.head_office.minor) == (10, 0)


def test_nothing_is_earned_outside_the_bands() -> None:
    assert made().commission(Money(21, "KES"), shared=True).total == Money(0, "KES")


EVE, NEXT = DAY - timedelta(days=1), DAY + timedelta(days=1)


def test_the_newest_tariff_that_has_begun_is_in_force() -> None:
    old, new = made(since=EVE, fee=5), made(since=NEXT, fee=6)
    book = price_book([new, old, made("airtime")])

    assert book.tariff("send", EVE - timedelta(days=1)) is None
    assert [book.tariff("send", day) for day in (EVE, DAY, NEXT)] == [old, old, new]
    assert book.newest("send") == new
    assert book.tariff("deposit", DAY) is None


def test_a_price_book_is_named_by_all_that_it_says_and_by_nothing_else() -> None:
    book = price_book([made(), made("airtime")])

    assert book == price_book([made("airtime"), made()])
    assert re.fullmatch("T[0-9a-f]{12}", book.id)
    others = [made(fee=6), made(since=NEXT), made(share=1), made("deposit")]
    assert len({book.id, *(price_book([one, made("airtime")]).id for one in others)}) == 5


def test_two_tariffs_of_a_service_from_one_day_are_a_bug() -> None:
    with pytest.raises(AssertionError):
        price_book([made(fee=5), made(fee=6)])


def test_halves_are_rounded_down_where_they_should_be() -> None:
    assert [round_half_down(n, 2) for n in (0, 1, 2, 3)] == [0, 0, 1, 1]
    assert round_half_down(11, 4) == 3
