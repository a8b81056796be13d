"""Whom a version is for, while it is not for everybody."""

import pytest

from ussd_gateway.store.menus.rollout import Numbers, Rollout, Share, Through, packed, unpacked

NUMBERS = [f"+2547110{number:05}" for number in range(5_000)]
ONE, TWO = "1" * 16, "2" * 16


def included(rollout: Rollout, digest: str = ONE) -> set[str]:
    return {
        msisdn
        for msisdn in NUMBERS
        if rollout.includes(digest, msisdn=msisdn, route="africastalking")
    }


@pytest.mark.parametrize("percent", [1, 10, 50, 99])
def test_a_share_is_as_large_as_it_says(percent: int) -> None:
    share = 100 * len(included(Share(percent))) / len(NUMBERS)
    assert share == pytest.approx(percent, abs=2)


def test_whoever_is_in_a_share_stays_in_when_it_is_widened() -> None:
    assert included(Share(10)) < included(Share(50)) < included(Share(99))


def test_each_version_draws_its_own_first_ones() -> None:
    both = included(Share(10), ONE) & included(Share(10), TWO)
    assert len(both) < len(included(Share(10))) / 2


def test_a_list_is_for_its_numbers_and_no_other() -> None:
    assert included(Numbers(frozenset(NUMBERS[:3]))) == set(NUMBERS[:3])


def test_a_route_is_for_whoever_comes_by_it() -> None:
    assert included(Through(frozenset({"africastalking"}))) == set(NUMBERS)
    assert included(Through(frozenset({"hubtel"}))) == set()


@pytest.mark.parametrize(
    ("rollout", "shown"),
    [
        (Share(10), "10 %"),
        (Numbers(frozenset({"+254711000001"})), "0711***001"),
        (Numbers(frozenset(NUMBERS[1:4])), "0711***001 and 2 more"),
        (Through(frozenset({"nalo", "hubtel"})), "route hubtel, nalo"),
    ],
)
def test_it_is_kept_as_it_was_and_shows_no_whole_number(rollout: Rollout, shown: str) -> None:
    assert unpacked(packed(rollout)) == rollout
    assert str(rollout) == shown


def test_everybody_is_no_rollout() -> None:
    assert packed(None) is None
    assert unpacked(None) is None
