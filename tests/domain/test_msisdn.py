import pytest

from ussd_gateway.domain.msisdn import Msisdn, is_e164, local, masked


@pytest.mark.parametrize("text", ["+254711000001", "+12025550123", "+25471100"])
def test_a_number_in_e164_is_one(text: str) -> None:
    assert is_e164(text)


@pytest.mark.parametrize("text", ["", "0711000001", "254711000001", "+0711000001", "+2547110x"])
def test_other_forms_are_not_e164(text: str) -> None:
    assert not is_e164(text)


def test_a_screen_shows_the_local_form_and_a_receipt_the_masked_one() -> None:
    amina = Msisdn("+254711000001")
    assert local(amina) == "0711000001"
    assert masked(amina) == "0711***001"


def test_a_number_of_no_market_of_ours_is_shown_whole() -> None:
    assert local(Msisdn("+12025550123")) == "+12025550123"
