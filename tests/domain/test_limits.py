from ussd_gateway.domain.limits import LOWEST, STANDARD, TIERS


def test_tiers_stand_in_order_and_whoever_registers_alone_begins_in_the_lowest() -> None:
    assert TIERS == (LOWEST, STANDARD)
