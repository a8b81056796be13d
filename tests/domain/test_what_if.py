"""Past payments, priced again: what they would have cost."""

from dataclasses import replace

from tests.services.cast import PRICES, TARIFFS, kes
from ussd_gateway.domain.money import Money
from ussd_gateway.domain.tariff import Band, PriceBook, price_book
from ussd_gateway.domain.what_if import KINDS, Charge, Paid, price_again
from ussd_gateway.services.terms.priced import SERVICES


def charge(fee: int, tax: int, commission: int = 0) -> Charge:
    return Charge(Money(fee, "KES"), Money(tax, "KES"), Money(commission, "KES"))


SENT = Paid("send_money", kes(500), charge(7_00, 91))
BILL = Paid("pay_bill", kes(1_200), charge(15_00, 1_95))
OUT = Paid("withdraw", kes(1_000), charge(29_00, 3_78, 10_00))
IN = Paid("deposit", kes(1_000), charge(0, 0, 9_00))


def other(service: str, *bands: Band) -> PriceBook:
    return price_book(
        replace(each, bands=bands) if each.service == service else each
        for each in TARIFFS.values()
    )


def test_by_the_tariffs_that_they_were_charged_by_nothing_changes() -> None:
    past = (SENT, BILL, OUT, IN, SENT)
    lines = price_again(past, PRICES)

    assert [(line.kind, line.payments) for line in lines] == [
        ("send_money", 2),
        ("withdraw", 1),
        ("deposit", 1),
        ("pay_bill", 1),
    ]
    for line in lines:
        assert line.then == line.now
        assert (line.difference, line.refused) == (kes(0), 0)
    assert lines[0].volume == kes(1_000)
    assert lines[0].now == charge(14_00, 1_82)


def test_other_fees_are_told_with_their_tax_and_what_is_left_of_them() -> None:
    dearer = other("send", Band(1, 250_000_00, 23_00))
    (line,) = price_again([SENT, SENT], dearer)

    assert line.then == charge(46_00, 6_00)
    assert line.difference == Money(40_00 - 12_18, "KES")


def test_what_the_business_pays_counts_too() -> None:
    (line,) = price_again([BILL], other("pay_bill.business", Band(1, 250_000_00, 0)))
    assert line.then == charge(10_00, 1_30)


def test_a_higher_commission_leaves_less() -> None:
    (line,) = price_again([IN], other("deposit.commission", Band(1, 250_000_00, 12_00)))
    assert line.then == charge(0, 0, 12_00)
    assert line.difference == kes(-3)


def test_what_other_bands_refuse_is_counted_and_costs_nothing() -> None:
    narrow = other("send", Band(1, 400_00, 23_00))
    (line,) = price_again([SENT, replace(SENT, amount=kes(400))], narrow)

    assert (line.payments, line.refused) == (2, 1)
    assert line.then == charge(23_00, 3_00)


def test_the_newest_tariff_counts_though_it_is_yet_to_come() -> None:
    new = replace(
        TARIFFS["send"], since=TARIFFS["send"].since.replace(year=2099), tax_percent=0
    )
    (line,) = price_again([SENT], price_book([*TARIFFS.values(), new]))
    assert line.then.tax == kes(0)


def test_payments_in_another_currency_stand_apart_and_have_no_price() -> None:
    nothing = Money(0, "UGX")
    abroad = Paid("send_money", Money(500, "UGX"), Charge(nothing, nothing, nothing))
    lines = price_again([SENT, abroad], PRICES)
    assert [(line.volume.currency, line.refused) for line in lines] == [("KES", 0), ("UGX", 1)]


def test_no_payments_are_no_lines() -> None:
    assert price_again([], PRICES) == ()


def test_every_service_prices_some_kind() -> None:
    def charged(prices: PriceBook) -> list[Charge]:
        every = (price_again([replace(SENT, kind=kind)], prices) for kind in sorted(KINDS))
        return [line.then for (line,) in every]

    for service in SERVICES:
        assert charged(other(service, Band(1, 250_000_00, 99_00))) != charged(PRICES), service


def test_a_voucher_costs_its_sender_a_fee_and_earns_its_agent_a_commission() -> None:
    earned = PRICES.newest("withdraw.commission").fee(kes(500))
    assert earned is not None
    sent = Paid("voucher", kes(500), charge(60_00, 7_83))
    cashed = Paid("voucher_cashed", kes(500), charge(0, 0))
    for_sending, for_cashing = price_again([sent, cashed], PRICES)
    assert (for_sending.then.fee, for_sending.then.commission) == (kes(60), kes(0))
    assert (for_cashing.then.fee, for_cashing.then.commission) == (kes(0), earned.total)


def test_every_kind_has_its_services_in_the_files() -> None:
    for kind in KINDS:
        (line,) = price_again([replace(SENT, kind=kind)], PRICES)
        assert line.payments == 1
