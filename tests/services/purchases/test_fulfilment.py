"""What is bought outside is asked for once, whatever happens, and settled once it is known."""

from dataclasses import replace

import pytest
from structlog.testing import capture_logs

from tests.services.cast import AMINA, JUMA, book, house, kes
from tests.services.stand_in import (
    LOOK_AGAIN_MS,
    MARKET,
    ScriptedCarrier,
    World,
    call,
    with_pin,
)
from ussd_gateway.domain.book import Outcome, Purchase, PurchaseState, Status
from ussd_gateway.domain.money import Money
from ussd_gateway.domain.msisdn import Msisdn
from ussd_gateway.ports import (
    BooksLost,
    PurchasesLost,
    Standing,
    StatusReport,
    Supplied,
)
from ussd_gateway.services.purchases.buy_airtime import KIND, Airtime, BuyAirtimeService
from ussd_gateway.services.purchases.fulfilment import (
    ABSENT_AFTER_MS,
    ASK_LEAST_S,
    KEPT_S,
    left_s,
)

DONE = Supplied(Standing.DONE, "ATQid_1", "Success")
REFUSED = Supplied(Standing.REFUSED, "ATQid_1", "Failed")
SENT = Supplied(Standing.PENDING, "ATQid_1", "Sent")
UNKNOWN = Supplied(Standing.UNKNOWN, None, "ReadTimeout")
ABSENT = Supplied(Standing.ABSENT, None, "no such transaction")

BROKEN = Purchase("broken", "broken", AMINA.id, AMINA.msisdn, kes(50), "", "", 0)
HAD, LEFT = kes(5_000), kes(4_900)


class Shop:
    """Amina buys KES 100.00 of airtime of a carrier that says `asked` first, then `found`."""

    def __init__(self, asked: Supplied, *found: Supplied) -> None:
        self.world = World(book(with_pin(AMINA, "4826")))
        self.carrier = ScriptedCarrier(asked=asked, found=found)
        self.fulfilment = self.world.fulfilment({KIND: Airtime(self.carrier, MARKET)})
        self._service = BuyAirtimeService(self.world.teller, self.fulfilment)

    def sell(self, *, within_s: float = 5.0) -> str:
        """The outcome that is on the screen."""
        bought = call({"amount": kes(100)}, pin="4826", within_s=within_s)
        return self._service.buy(bought).outcome

    def look_again(self) -> int:
        self.world.clock.wait(LOOK_AGAIN_MS / 1000)
        return self.fulfilment.follow_up()

    def reported(self, standing: Standing, supplier_id: str = "ATQid_1") -> bool:
        report = StatusReport(supplier_id, standing, AMINA.msisdn, None, standing.value)
        return self.fulfilment.reported(KIND, report)

    @property
    def state(self) -> PurchaseState:
        return self.world.purchases.state("k1")

    @property
    def wallet(self) -> Money:
        return self.world.ledger.balance(AMINA.wallet_id)

    @property
    def kinds(self) -> list[str]:
        return [posting.kind for posting in self.world.ledger.postings]


ORDERED, DELIVERED = ["airtime"], ["airtime", "airtime_delivered"]
RETURNED = ["airtime", "airtime_returned"]


@pytest.mark.parametrize("asked", [DONE, REFUSED, SENT, UNKNOWN], ids=lambda one: one.detail)
def test_a_purchase_is_asked_for_once_whatever_the_answer(asked: Supplied) -> None:
    shop = Shop(asked, *[UNKNOWN] * 5)
    shop.sell()
    shop.sell()
    for _ in range(3):
        shop.look_again()

    assert shop.carrier.heard.count("ask k1") == 1


def test_silence_is_looked_up_until_it_is_known() -> None:
    shop = Shop(UNKNOWN, UNKNOWN, SENT, DONE)

    assert shop.sell() == "ok"
    assert [shop.look_again() for _ in range(4)] == [1, 1, 1, 0]
    assert shop.carrier.heard == ["ask k1", "find k1", "find k1", "find k1"]
    assert shop.kinds == DELIVERED
    assert shop.state is PurchaseState.DONE


def test_a_refusal_that_is_found_later_gives_the_money_back() -> None:
    shop = Shop(UNKNOWN, REFUSED)
    shop.sell()
    shop.look_again()

    assert shop.kinds == RETURNED
    assert shop.wallet == HAD
    assert shop.world.ledger.templates == ["airtime_bought", "airtime_returned"]


def test_what_nobody_asked_for_is_asked_for_later() -> None:
    """The hop died between its commit and its question."""
    shop = Shop(DONE)
    shop.world.purchases.lost = True
    assert shop.sell() == "ok"
    assert shop.carrier.heard == []

    shop.world.purchases.lost = False
    assert shop.fulfilment.follow_up() == 0
    assert shop.look_again() == 1
    assert shop.carrier.heard == ["ask k1"]
    assert shop.kinds == DELIVERED


def test_what_is_absent_at_once_may_be_on_its_way_and_stays_on_order() -> None:
    shop = Shop(UNKNOWN, ABSENT)
    shop.sell()
    shop.world.clock.wait(ABSENT_AFTER_MS / 1000 - 0.001)
    shop.fulfilment.follow_up()

    assert shop.kinds == ORDERED
    assert shop.wallet == LEFT
    assert shop.state is PurchaseState.ASKED


def test_what_is_absent_after_two_minutes_was_never_taken() -> None:
    shop = Shop(UNKNOWN, ABSENT)
    shop.sell()
    shop.world.clock.wait(ABSENT_AFTER_MS / 1000)
    shop.fulfilment.follow_up()

    assert shop.kinds == RETURNED
    assert shop.wallet == HAD
    assert shop.state is PurchaseState.REFUSED


@pytest.mark.parametrize(
    ("standing", "kinds"),
    [
        (Standing.DONE, DELIVERED),
        (Standing.REFUSED, RETURNED),
        (Standing.PENDING, ORDERED),
    ],
)
def test_a_report_of_the_carrier_settles_what_it_knows_for_good(
    standing: Standing, kinds: list[str]
) -> None:
    shop = Shop(SENT)
    shop.sell()

    assert shop.reported(standing)
    assert shop.kinds == kinds


@pytest.mark.parametrize("standing", [Standing.DONE, Standing.REFUSED])
def test_a_report_that_comes_twice_settles_once(standing: Standing) -> None:
    shop = Shop(SENT)
    shop.sell()
    assert shop.reported(standing)
    before = (shop.wallet, shop.kinds, shop.world.ledger.templates)

    assert shop.reported(standing)
    assert (shop.wallet, shop.kinds, shop.world.ledger.templates) == before


@pytest.mark.parametrize(
    ("first", "then", "kinds"),
    [
        (Standing.DONE, Standing.REFUSED, DELIVERED),
        (Standing.REFUSED, Standing.DONE, RETURNED),
        (Standing.DONE, Standing.PENDING, DELIVERED),
    ],
)
def test_a_report_that_contradicts_the_first_is_taken_and_moves_nothing(
    first: Standing, then: Standing, kinds: list[str]
) -> None:
    """It is theirs to sort out: to have it sent again and again would change nothing."""
    shop = Shop(SENT)
    shop.sell()
    shop.reported(first)
    state = shop.state

    assert shop.reported(then)
    assert shop.kinds == kinds
    assert shop.state is state


def test_a_report_of_a_stranger_is_not_ours() -> None:
    shop = Shop(SENT)
    shop.sell()

    assert not shop.reported(Standing.DONE, "ATQid_9")
    assert shop.kinds == ORDERED


@pytest.mark.parametrize("trouble", ["timeout", "unknown"])
def test_a_last_word_that_the_books_did_not_keep_is_kept_later_without_asking_again(
    trouble: str,
) -> None:
    """A carrier that is asked for the same again may have no answer any more."""
    shop = Shop(UNKNOWN, DONE)
    shop.sell()
    shop.world.ledger.trouble_at["k1:settled"] = Outcome(trouble, {})
    shop.look_again()
    assert shop.kinds == ORDERED
    assert shop.state is PurchaseState.ASKED

    shop.look_again()
    assert shop.kinds == DELIVERED
    assert shop.carrier.heard == ["ask k1", "find k1"]


def test_a_refusal_in_the_hop_that_the_books_did_not_keep_is_kept_later() -> None:
    shop = Shop(REFUSED)
    shop.world.ledger.trouble_at["k1:settled"] = Outcome("timeout", {})
    assert shop.sell() == "ok"
    assert shop.wallet == LEFT

    shop.look_again()
    assert shop.wallet == HAD
    assert shop.carrier.heard == ["ask k1"]


@pytest.mark.parametrize("trouble", ["timeout", "unknown"])
def test_a_report_that_the_books_did_not_keep_is_to_come_again(trouble: str) -> None:
    shop = Shop(SENT)
    shop.sell()
    shop.world.ledger.trouble_at["k1:settled"] = Outcome(trouble, {})
    with pytest.raises(PurchasesLost):
        shop.reported(Standing.DONE)

    assert shop.reported(Standing.DONE)
    assert shop.kinds == DELIVERED


def test_a_report_while_the_purchases_are_lost_is_to_come_again() -> None:
    shop = Shop(SENT)
    shop.sell()
    shop.world.purchases.lost = True

    with pytest.raises(PurchasesLost):
        shop.reported(Standing.DONE)
    with pytest.raises(PurchasesLost):
        shop.fulfilment.follow_up()
    with pytest.raises(BooksLost):
        shop.fulfilment.repeated(KIND, AMINA.msisdn, kes(100))


def test_money_that_a_full_wallet_cannot_take_waits_until_there_is_room() -> None:
    shop = Shop(SENT, REFUSED)
    shop.sell()
    wallet = shop.world.ledger.accounts[AMINA.wallet_id]
    wallet.cap = LEFT.minor
    with pytest.raises(PurchasesLost):
        shop.reported(Standing.REFUSED)
    assert shop.state is PurchaseState.ASKED

    wallet.cap = HAD.minor
    shop.look_again()
    assert shop.wallet == HAD
    assert shop.world.ledger.balance(house(2421)) == kes(0)


def test_money_that_a_barred_wallet_cannot_take_waits_and_no_decision_breaks() -> None:
    shop = Shop(SENT, REFUSED)
    shop.sell()
    wallet = shop.world.ledger.accounts[AMINA.wallet_id]
    wallet.status = Status.FROZEN_BOTH
    with capture_logs() as logs:
        shop.look_again()
    assert shop.state is PurchaseState.ASKED
    told = [(log["event"], log.get("reason")) for log in logs if log["log_level"] == "error"]
    assert told == [("purchase.not_kept", "not settled: the wallet does not take it in now")]

    wallet.status = Status.ACTIVE
    shop.look_again()
    assert shop.wallet == HAD


def test_only_what_is_on_its_way_is_expected() -> None:
    shop = Shop(SENT)
    asked = (KIND, AMINA.msisdn, kes(100))
    assert not shop.fulfilment.expected(*asked)
    shop.sell()
    assert shop.fulfilment.expected(*asked)
    shop.reported(Standing.DONE)
    assert not shop.fulfilment.expected(*asked)


def test_a_carrier_that_breaks_harms_no_purchase_beside_it() -> None:
    """The one stays open, and is looked up again."""
    shop = Shop(UNKNOWN, DONE)
    shop.sell()
    shop.world.purchases.add(BROKEN)

    assert shop.look_again() == 2
    assert shop.kinds == DELIVERED
    assert shop.world.purchases.state("broken") is PurchaseState.ASKED
    assert shop.look_again() == 1


def test_money_goes_back_to_no_stranger_who_has_the_number_now() -> None:
    shop = Shop(SENT, REFUSED)
    shop.sell()
    people = shop.world.ledger.people
    people[AMINA.id] = replace(people[AMINA.id], msisdn=Msisdn("+254711000044"))
    people[JUMA.id] = replace(people[JUMA.id], msisdn=AMINA.msisdn)

    with pytest.raises(PurchasesLost):
        shop.reported(Standing.REFUSED)
    shop.look_again()
    assert shop.kinds == ORDERED
    assert shop.state is PurchaseState.ASKED


def test_what_was_asked_for_late_is_not_taken_for_absent_at_once() -> None:
    """The two minutes begin when it was asked for, and not when it was bought."""
    shop = Shop(UNKNOWN, ABSENT, ABSENT)
    shop.world.purchases.lost = True
    shop.sell()
    shop.world.purchases.lost = False
    shop.world.clock.wait(2 * ABSENT_AFTER_MS / 1000)
    shop.fulfilment.follow_up()
    shop.look_again()
    assert shop.carrier.heard == ["ask k1", "find k1"]
    assert shop.kinds == ORDERED

    shop.world.clock.wait(ABSENT_AFTER_MS / 1000)
    shop.fulfilment.follow_up()
    assert shop.kinds == RETURNED


def test_a_hop_with_too_little_time_left_leaves_the_asking_to_the_follow_up() -> None:
    shop = Shop(DONE)

    assert shop.sell(within_s=KEPT_S + ASK_LEAST_S - 0.001) == "ok"
    assert shop.carrier.heard == []
    shop.look_again()
    assert shop.carrier.heard == ["ask k1"]
    assert shop.kinds == DELIVERED


@pytest.mark.parametrize("since_ms", [0, 1_000, 9_000])
def test_a_carrier_has_what_is_left_of_a_hop_but_for_the_time_to_settle(since_ms: int) -> None:
    assert left_s(call(within_s=5.0), since_ms) == 5.0 - since_ms / 1000 - KEPT_S
