import pytest

from ussd_gateway.domain.pin import TRIES_MAX, judge
from ussd_gateway.domain.refusals import Reason

RIGHT, WRONG = b"right", b"wrong"


@pytest.mark.parametrize(
    ("wrong_tries", "tag", "reason", "kept"),
    [
        (0, RIGHT, None, 0),
        (2, RIGHT, None, 0),
        (0, WRONG, Reason.WRONG_PIN, 1),
        (1, WRONG, Reason.WRONG_PIN, 2),
        (2, WRONG, Reason.PIN_LOCKED, TRIES_MAX),
        (3, WRONG, Reason.PIN_LOCKED, TRIES_MAX),
        (3, RIGHT, Reason.PIN_LOCKED, TRIES_MAX),
    ],
)
def test_a_try_is_judged_by_the_tries_before_it(
    wrong_tries: int, tag: bytes, reason: Reason | None, kept: int
) -> None:
    tried = judge(wrong_tries=wrong_tries, tag=tag, stored_tag=RIGHT)

    assert (tried.refused.reason if tried.refused else None) is reason
    assert tried.wrong_tries == kept
    assert tried.tries_left == TRIES_MAX - kept
