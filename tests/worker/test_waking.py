"""How often those are woken that a provider would not take."""

import pytest

from ussd_gateway.worker.waking import PAUSE_MAX_S, PAUSE_S, TAKEN_TO_MISSED, Waking


@pytest.fixture
def waking() -> Waking:
    return Waking()


def test_what_waits_since_before_the_start_is_woken_at_once(waking: Waking) -> None:
    assert waking.took(0)


def test_a_provider_that_is_back_wakes_some_after_each_pause(waking: Waking) -> None:
    for at_s in range(100):
        waking.missed(at_s)
    woken_at_s = [at_s for at_s in range(100, 120) if _woken(waking, at_s)]

    # Half of it after twice the pause: nothing was taken before the first.
    assert woken_at_s == [100, 104, *range(106, 120, int(PAUSE_S))]


def test_where_none_is_left_nobody_is_looked_for_until_one_is_not_taken(
    waking: Waking,
) -> None:
    waking.woke(0, 0)
    assert not waking.took(1_000)

    waking.missed(1_001)
    assert not waking.took(1_001)
    assert waking.took(1_001 + PAUSE_S)


def test_those_that_it_never_takes_cost_no_more_than_their_share(waking: Waking) -> None:
    """A hundred of them, each time that they are woken, beside ten a second that it takes."""
    missed = taken = 0
    for at_s in range(48 * 3600):
        taken += 10
        if [waking.took(at_s) for _ in range(10)][-1]:
            waking.woke(100, at_s)
            missed += 100
            for _ in range(100):
                waking.missed(at_s)

    assert missed * TAKEN_TO_MISSED <= taken * 2


def test_a_pause_is_no_longer_than_they_would_wait_by_themselves(waking: Waking) -> None:
    at_s = 0.0
    for _ in range(20):
        waking.missed(at_s)
        waking.woke(1, at_s)
        at_s += PAUSE_MAX_S
        assert waking.took(at_s)


def _woken(waking: Waking, at_s: float) -> bool:
    """It takes fifty messages in this second."""
    due = [waking.took(at_s) for _ in range(50)]
    if any(due):
        waking.woke(1_000, at_s)
    return any(due)
