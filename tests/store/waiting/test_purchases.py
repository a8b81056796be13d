"""Purchases: taken once, looked at again when it is time, and found by what a carrier says."""

from concurrent.futures import ThreadPoolExecutor

import pytest
from sqlalchemy import Engine, insert

from tests.store.conftest import SetClock
from tests.store.people import AMINA, JUMA, bought, enrol
from ussd_gateway.domain.book import Purchase, PurchaseState
from ussd_gateway.domain.money import Money
from ussd_gateway.domain.msisdn import Msisdn
from ussd_gateway.ports import Standing, StatusReport, Supplied
from ussd_gateway.store.database import writing
from ussd_gateway.store.schema import purchase
from ussd_gateway.store.waiting.purchases import FIRST_LOOK_MS, LOOK_MAX_MS, SqlPurchases

FIFTY = Money(5_000, "KES")
SENT = Supplied(Standing.PENDING, "ATQid_1", "Sent")
SILENCE = Supplied(Standing.UNKNOWN, None, "ReadTimeout")


class Shelf:
    """The purchases of a database, and a way to put some there."""

    def __init__(self, engine: Engine, clock: SetClock) -> None:
        self.purchases = SqlPurchases(engine, clock)
        self.clock = clock
        self._engine = engine

    def put(
        self,
        one: Purchase,
        state: PurchaseState = PurchaseState.DUE,
        supplier_id: str | None = None,
    ) -> Purchase:
        """As the writer does: to be looked at in ten seconds."""
        row = {
            "key": one.key,
            "kind": one.kind,
            "subscriber_id": one.subscriber_id,
            "msisdn": one.msisdn,
            "currency": one.amount.currency,
            "minor": one.amount.minor,
            "merchant": one.merchant,
            "item": one.item,
            "asked_at_ms": one.asked_at_ms,
            "state": state.value,
            "tries": 0,
            "next_at_ms": int(self.clock.now().timestamp() * 1000) + FIRST_LOOK_MS,
            "supplier_id": supplier_id,
            "detail": "",
        }
        with writing(self._engine) as connection:
            connection.execute(insert(purchase).values(row))
        return one

    def overdue(self) -> list[tuple[str, bool]]:
        taken = self.purchases.take_overdue(20)
        return [(one.purchase.key, one.asked_before) for one in taken]


@pytest.fixture
def shelf(engine: Engine, clock: SetClock) -> Shelf:
    enrol(engine)
    return Shelf(engine, clock)


def report(
    supplier_id: str = "ATQid_1", minor: int | None = 5_000, msisdn: Msisdn = AMINA
) -> StatusReport:
    amount = None if minor is None else Money(minor, "KES")
    return StatusReport(supplier_id, Standing.DONE, msisdn, amount, "Success")


def test_a_purchase_is_taken_as_it_was_written(shelf: Shelf) -> None:
    one = Purchase("buy-1", "content", 1, AMINA, FIFTY, "700700", "Article", 1_234)
    shelf.put(one)
    assert shelf.purchases.take("buy-1") == one


def test_a_purchase_is_taken_once_among_threads(shelf: Shelf) -> None:
    shelf.put(bought())
    with ThreadPoolExecutor(8) as pool:
        taken = list(pool.map(shelf.purchases.take, ["buy-1"] * 8))

    assert sum(one is not None for one in taken) == 1
    assert shelf.purchases.backlog() == {"asked": 1}


def test_what_is_overdue_is_taken_once_among_threads(shelf: Shelf) -> None:
    for number in range(5):
        shelf.put(bought(f"buy-{number}"))
    shelf.clock.wait(FIRST_LOOK_MS / 1000)
    with ThreadPoolExecutor(4) as pool:
        found = [
            key for some in pool.map(lambda _: shelf.overdue(), range(4)) for key, _ in some
        ]

    assert sorted(found) == [f"buy-{number}" for number in range(5)]


def test_nobody_takes_what_is_not_there_or_is_settled(shelf: Shelf) -> None:
    shelf.put(bought("done"), PurchaseState.DONE)
    shelf.put(bought("refused"), PurchaseState.REFUSED)
    shelf.clock.wait(LOOK_MAX_MS / 1000)

    assert [shelf.purchases.take(key) for key in ("none", "done", "refused")] == [None] * 3
    assert shelf.overdue() == []


def test_what_nobody_asked_for_in_time_is_overdue_and_was_not_asked_for(shelf: Shelf) -> None:
    shelf.put(bought())
    shelf.clock.wait(FIRST_LOOK_MS / 1000 - 0.001)
    assert shelf.overdue() == []
    shelf.clock.wait(0.001)

    assert shelf.overdue() == [("buy-1", False)]
    assert shelf.overdue() == []
    assert shelf.purchases.take("buy-1") is None


def test_what_was_taken_and_not_settled_is_overdue_and_was_asked_for(shelf: Shelf) -> None:
    shelf.put(bought())
    shelf.purchases.take("buy-1")
    assert shelf.overdue() == []
    shelf.clock.wait(FIRST_LOOK_MS / 1000)

    assert shelf.overdue() == [("buy-1", True)]


def test_the_waiting_begins_when_it_is_first_asked_for(shelf: Shelf) -> None:
    shelf.put(bought())
    shelf.clock.wait(3_600)
    waited_ms = []
    for _ in range(3):
        waited_ms += [one.waited_ms for one in shelf.purchases.take_overdue(20)]
        shelf.clock.wait(60)

    assert waited_ms == [0, 60_000, 120_000]


def test_what_a_hop_took_waits_since_then(shelf: Shelf) -> None:
    shelf.put(bought())
    shelf.clock.wait(1)
    shelf.purchases.take("buy-1")
    shelf.clock.wait(60)

    assert [one.waited_ms for one in shelf.purchases.take_overdue(20)] == [60_000]


@pytest.mark.parametrize(
    ("said", "heard"),
    [
        (Supplied(Standing.DONE, "ATQid_1", "Success"), True),
        (Supplied(Standing.REFUSED, None, "Failed"), True),
        (SENT, False),
        (SILENCE, False),
    ],
    ids=["done", "refused", "pending", "unknown"],
)
def test_a_last_word_is_kept_until_it_is_settled(
    shelf: Shelf, said: Supplied, heard: bool
) -> None:
    shelf.put(bought())
    shelf.purchases.take("buy-1")
    shelf.purchases.note("buy-1", said)
    shelf.clock.wait(FIRST_LOOK_MS / 1000)

    (taken,) = shelf.purchases.take_overdue(20)
    assert taken.heard == (said if heard else None)


def test_each_look_waits_twice_as_long_as_the_one_before_up_to_an_hour(shelf: Shelf) -> None:
    shelf.put(bought())
    shelf.purchases.take("buy-1")
    for look in range(25):
        wait_ms = min(FIRST_LOOK_MS * 2**look, LOOK_MAX_MS)
        shelf.clock.wait((wait_ms - 1) / 1000)
        assert shelf.overdue() == []
        shelf.clock.wait(0.001)
        assert shelf.overdue() == [("buy-1", True)]


def test_so_many_are_taken_and_no_more_the_oldest_first(shelf: Shelf) -> None:
    for key in ("c", "a", "b"):
        shelf.put(bought(key))
        shelf.clock.wait(1)
    shelf.clock.wait(FIRST_LOOK_MS / 1000)

    assert {one.purchase.key for one in shelf.purchases.take_overdue(2)} == {"a", "c"}
    assert shelf.overdue() == [("b", False)]


def test_a_name_that_the_carrier_gave_is_kept_whatever_it_says_later(shelf: Shelf) -> None:
    one = shelf.put(bought())
    shelf.purchases.take("buy-1")
    shelf.purchases.note("buy-1", SENT)
    shelf.purchases.note("buy-1", SILENCE)

    assert shelf.purchases.reported("airtime", report(minor=None)) == one


def test_what_is_settled_takes_no_more_notes(shelf: Shelf) -> None:
    shelf.put(bought(), PurchaseState.DONE)
    shelf.purchases.note("buy-1", SENT)

    assert shelf.purchases.reported("airtime", report(minor=None)) is None


def test_a_report_is_found_by_its_name_even_when_all_is_settled(shelf: Shelf) -> None:
    one = shelf.put(bought(), PurchaseState.DONE, "ATQid_1")
    shelf.put(bought("buy-2"), PurchaseState.ASKED)

    assert shelf.purchases.reported("airtime", report()) == one


@pytest.mark.parametrize(
    "other",
    [report(minor=5_001), report(msisdn=JUMA), report(minor=None, msisdn=JUMA)],
    ids=["another amount", "another phone", "no amount, another phone"],
)
def test_a_report_with_our_name_for_something_else_is_of_none(
    shelf: Shelf, other: StatusReport
) -> None:
    shelf.put(bought(), PurchaseState.ASKED, "ATQid_1")
    assert shelf.purchases.reported("airtime", other) is None


def test_a_name_that_a_carrier_gave_twice_is_told_apart_by_phone_and_amount(
    shelf: Shelf,
) -> None:
    first = shelf.put(bought("buy-1"), PurchaseState.ASKED, "ATQid_1")
    second = shelf.put(bought("buy-2", 5_001), PurchaseState.ASKED, "ATQid_1")

    assert shelf.purchases.reported("airtime", report()) == first
    assert shelf.purchases.reported("airtime", report(minor=5_001)) == second
    assert shelf.purchases.reported("airtime", report(minor=None)) is None


def test_a_name_of_any_length_is_kept(shelf: Shelf) -> None:
    one = shelf.put(bought(), PurchaseState.ASKED)
    shelf.purchases.note("buy-1", Supplied(Standing.PENDING, "p" * 500, "Sent"))

    assert shelf.purchases.reported("airtime", report("p" * 500)) == one


def test_a_report_that_overtook_its_name_is_found_by_phone_and_amount(shelf: Shelf) -> None:
    one = shelf.put(bought(), PurchaseState.ASKED)
    shelf.put(bought("another amount", 5_001), PurchaseState.ASKED)
    shelf.put(bought("another phone", by=2), PurchaseState.ASKED)
    shelf.put(bought("another kind", kind="content"), PurchaseState.ASKED)
    shelf.put(bought("another name"), PurchaseState.ASKED, "ATQid_2")
    shelf.put(bought("settled"), PurchaseState.REFUSED)
    shelf.put(bought("not asked for"))

    assert shelf.purchases.reported("airtime", report()) == one


@pytest.mark.parametrize(
    "other",
    [report(minor=None), report(minor=5_001), report(msisdn=Msisdn("+254711000009"))],
    ids=["no amount", "another amount", "another phone"],
)
def test_a_report_of_nothing_we_know_is_of_none(shelf: Shelf, other: StatusReport) -> None:
    shelf.put(bought(), PurchaseState.ASKED)
    assert shelf.purchases.reported("airtime", other) is None


def test_a_report_that_could_be_of_two_is_of_none(shelf: Shelf) -> None:
    shelf.put(bought("buy-1"), PurchaseState.ASKED)
    shelf.put(bought("buy-2"), PurchaseState.ASKED)

    assert shelf.purchases.reported("airtime", report()) is None


def test_a_name_is_of_one_kind_of_purchase(shelf: Shelf) -> None:
    shelf.put(bought(kind="content"), PurchaseState.ASKED, "ATQid_1")
    assert shelf.purchases.reported("airtime", report()) is None


def test_only_what_is_open_is_expected(shelf: Shelf) -> None:
    shelf.put(bought("done", 1_000), PurchaseState.DONE)
    shelf.put(bought("asked", 2_000), PurchaseState.ASKED)
    shelf.put(bought("due", 3_000))
    found = [
        minor
        for minor in (1_000, 2_000, 3_000, 4_000)
        if shelf.purchases.expected("airtime", AMINA, Money(minor, "KES"))
    ]

    assert found == [2_000, 3_000]
    assert not shelf.purchases.expected("airtime", JUMA, Money(2_000, "KES"))
    assert not shelf.purchases.expected("content", AMINA, Money(2_000, "KES"))
    assert not shelf.purchases.expected("airtime", AMINA, Money(2_000, "UGX"))


@pytest.mark.parametrize(
    ("state", "since_ms", "found"),
    [
        (PurchaseState.DUE, 999, True),
        (PurchaseState.ASKED, 999, True),
        (PurchaseState.DONE, 999, True),
        (PurchaseState.REFUSED, 999, False),
        (PurchaseState.DONE, 1_000, False),
        (PurchaseState.ASKED, 1_000, True),  # open still, however old
    ],
)
def test_what_is_open_or_was_bought_since_then_counts_unless_it_was_refused(
    shelf: Shelf, state: PurchaseState, since_ms: int, found: bool
) -> None:
    shelf.put(bought(asked_at_ms=1_000), state)
    asked = shelf.purchases.asked_since
    assert asked("airtime", AMINA, FIFTY, since_ms=since_ms) is found
    assert not asked("airtime", JUMA, FIFTY, since_ms=since_ms)
    assert not asked("content", AMINA, FIFTY, since_ms=since_ms)


def test_what_the_carrier_took_before_it_failed_counts_too(shelf: Shelf) -> None:
    """The carrier remembers the order, and takes another for its repeat."""
    shelf.put(bought(asked_at_ms=1_000), PurchaseState.REFUSED, "ATQid_1")
    assert shelf.purchases.asked_since("airtime", AMINA, FIFTY, since_ms=999)


def test_a_purchase_is_no_repeat_of_itself(shelf: Shelf) -> None:
    shelf.put(bought("buy-1", asked_at_ms=1_000), PurchaseState.ASKED)
    asked = shelf.purchases.asked_since
    assert not asked("airtime", AMINA, FIFTY, since_ms=999, but="buy-1")
    assert asked("airtime", AMINA, FIFTY, since_ms=999, but="buy-2")


def test_the_backlog_counts_each_state(shelf: Shelf) -> None:
    shelf.put(bought("a"))
    shelf.put(bought("b"), PurchaseState.ASKED)
    shelf.put(bought("c"), PurchaseState.ASKED)

    assert shelf.purchases.backlog() == {"due": 1, "asked": 2}
