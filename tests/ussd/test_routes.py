"""What is said of a code that nobody serves."""

from tests.ussd.stand_in import ROUTES
from ussd_gateway.ussd.routes import Routes

SPOKEN = Routes(ROUTES.service_codes, {"en": "Not in service.", "sw": "Haitumiki."}, {})


def test_a_code_that_is_not_served_is_told_in_the_language_of_the_phone() -> None:
    assert SPOKEN.says_not_served("sw") == "Haitumiki."


def test_who_never_chose_or_chose_another_language_is_told_in_the_first() -> None:
    assert SPOKEN.says_not_served(None) == SPOKEN.says_not_served("fr") == "Not in service."
