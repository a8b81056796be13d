"""The tariff files in menus/: whole, wide enough, and honest about what is our own in them."""

import csv
from itertools import pairwise
from pathlib import Path

import pytest

from tests.services.cast import PRICES, TARIFFS
from ussd_gateway.domain.money import Money
from ussd_gateway.services.terms.heads import COLUMNS
from ussd_gateway.services.terms.limits import read_limits
from ussd_gateway.services.terms.priced import FREE, SERVICES
from ussd_gateway.services.terms.tariffs import read_tariffs

FILES = sorted(Path("menus/tariffs").glob("*.csv"))
OUR_OWN = "our own"

# Where the lists that we know end. What is above (or, of a deposit, below) is invented.
KNOWN_TO = {"deposit.commission": 150_000_00, "withdraw.commission": 25_000_00}


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.name)
def test_a_file_has_no_fault(path: Path) -> None:
    _, faults = read_tariffs(path.read_text(), path.name, "KES")
    assert faults == []


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.name)
def test_each_row_has_the_columns_and_nothing_more(path: Path) -> None:
    """A note with a comma in it stands in quotes."""
    for line, row in enumerate(csv.reader(path.read_text().splitlines()), 1):
        assert len(row) == len(COLUMNS), f"{path.name}:{line}: {row}"


def test_whatever_is_priced_has_one_tariff_and_no_other_is_there() -> None:
    named = [each.service for those in PRICES.tariffs.values() for each in those]
    assert sorted(named) == sorted(SERVICES)


@pytest.mark.parametrize("service", sorted(SERVICES))
def test_bands_are_complete_from_the_lowest_to_the_highest(service: str) -> None:
    tariff = TARIFFS[service]

    for lower, upper in pairwise(tariff.bands):
        assert upper.lowest == lower.highest + 1
    for band in tariff.bands:
        for edge in (band.lowest, band.highest):
            fee = tariff.fee(Money(edge, tariff.currency))
            assert fee is not None
            assert fee.total.minor == band.fee
    assert tariff.fee(tariff.lowest - Money(1, "KES")) is None
    assert tariff.fee(tariff.highest + Money(1, "KES")) is None


@pytest.mark.parametrize("service", sorted(SERVICES))
def test_a_bigger_payment_never_costs_less(service: str) -> None:
    fees = [band.fee for band in TARIFFS[service].bands]
    assert fees == sorted(fees)


@pytest.mark.parametrize("service", sorted(SERVICES))
def test_no_fee_is_more_than_its_payment(service: str) -> None:
    assert all(band.fee <= band.lowest for band in TARIFFS[service].bands)


@pytest.mark.parametrize(
    ("wide", "narrow"),
    [
        ("withdraw.commission", "withdraw"),
        ("deposit.commission", "deposit"),
        ("pay_bill.business", "pay_bill"),
    ],
)
def test_a_second_tariff_covers_every_amount_that_the_first_accepts(
    wide: str, narrow: str
) -> None:
    assert TARIFFS[wide].lowest <= TARIFFS[narrow].lowest
    assert TARIFFS[wide].highest >= TARIFFS[narrow].highest


@pytest.mark.parametrize("service", ["send", "withdraw", "deposit", "pay_bill", "buy_goods"])
def test_whatever_the_limits_allow_has_a_fee(service: str) -> None:
    limits, _ = read_limits(Path("menus/limits.yaml").read_text(), "limits.yaml", "KES")
    most = max(limit.transaction_max for limit in limits.values())

    assert TARIFFS[service].fee(most) is not None


@pytest.mark.parametrize("service", FREE)
def test_what_is_free_has_no_fee_in_any_band(service: str) -> None:
    assert {band.fee for band in TARIFFS[service].bands} == {0}


def test_commission_is_no_fee_and_has_no_tax_in_it() -> None:
    for service in ("withdraw.commission", "deposit.commission"):
        assert TARIFFS[service].tax_percent == 0


def test_a_head_office_has_a_fifth_of_a_commission_which_is_our_own_and_said_to_be() -> None:
    for service in ("withdraw.commission", "deposit.commission"):
        assert TARIFFS[service].head_office_percent == 20
        assert "20 % of it is our own" in _rows(service)[0]["note"]


@pytest.mark.parametrize("service", sorted(KNOWN_TO))
def test_bands_beyond_the_list_we_know_say_that_they_are_our_own(service: str) -> None:
    for row in _rows(service):
        invented = _minor(row["lowest"]) > KNOWN_TO[service]
        assert row["note"].startswith(OUR_OWN) == invented, row


@pytest.mark.parametrize("service", ["airtime", "deposit"])
def test_bounds_that_are_our_own_are_said_to_be(service: str) -> None:
    assert all(OUR_OWN in row["note"] for row in _rows(service))


@pytest.mark.parametrize("service", sorted(SERVICES))
def test_the_first_row_of_a_service_says_where_it_is_from(service: str) -> None:
    assert _rows(service)[0]["note"]


def _rows(service: str) -> list[dict[str, str]]:
    return [
        row
        for path in FILES
        for row in csv.DictReader(path.read_text().splitlines())
        if row["service"] == service
    ]


def _minor(amount: str) -> int:
    return int(amount.replace(".", ""))
