"""The explorer finds nothing wrong with what is shipped, and finds what is wrong elsewhere."""

from collections.abc import Mapping
from dataclasses import replace

import pytest

from tests.ussd import listed_pack, small_pack
from ussd_gateway.ports import Action, Effect, Route
from ussd_gateway.ussd.menu import Call, End, Menu, Program, Secret, State
from ussd_gateway.ussd.tools.explore import Explored, explore

NARROW = Route(
    "narrow", accumulates=False, answer_within_s=15, septets_max=50, forbids=frozenset()
)


@pytest.fixture
def small() -> Program:
    program = small_pack.load(small_pack.RIGHT)
    assert isinstance(program, Program)
    return program


def explored(program: Program, **states: State) -> Explored:
    """With these states in the place of those that it has, or beside them."""
    return explore(replace(program, states={**program.states, **states}), small_pack.ACTIONS)


def troubles(found: Explored) -> list[str]:
    return [trouble.what for trouble in found.troubles]


@pytest.mark.parametrize("pack", ["customer", "agent"])
def test_every_way_through_the_shipped_packs_is_well(
    packs: Mapping[str, Program], actions: Mapping[str, Action], pack: str
) -> None:
    found = explore(packs[pack], actions)

    assert found.troubles == ()
    assert found.unreached == ()
    assert found.places > 100
    assert found.dropped > 100


def test_a_walk_is_the_same_every_time(small: Program) -> None:
    assert explore(small, small_pack.ACTIONS) == explore(small, small_pack.ACTIONS)


def test_every_kind_of_state_is_walked(small: Program) -> None:
    assert explored(small).well


def test_lists_are_walked_row_by_row_and_page_by_page() -> None:
    program = listed_pack.listed()
    assert isinstance(program, Program)

    assert explore(program, {"payees": listed_pack.PAYEES}).well


def test_a_state_that_nothing_leads_to_is_named(small: Program) -> None:
    stopped = small.states["stopped"]

    assert explored(small, lonely=stopped).unreached == ("lonely",)


def test_a_crash_is_told_with_the_way_to_it(small: Program) -> None:
    home = small.states["home"]
    assert isinstance(home, Menu)
    options = {**home.options, "2": replace(home.options["2"], go="nowhere")}
    [trouble, *_] = explored(small, home=replace(home, options=options)).troubles

    assert trouble.what == "home crashes: KeyError: 'nowhere'"
    assert trouble.way == ("dial", "2")


def test_a_screen_that_is_too_long_for_a_route_is_told(small: Program) -> None:
    found = explore(small, small_pack.ACTIONS, [NARROW])

    assert "ask_pin: 55 septets of 50 in en" in troubles(found)


def test_a_place_without_a_way_to_an_end_is_told(small: Program) -> None:
    home = small.states["home"]
    assert isinstance(home, Menu)
    here = {key: replace(option, go="home") for key, option in home.options.items()}
    found = explored(small, home=replace(home, options=here))

    assert "home comes to no END" in troubles(found)


def test_money_that_moves_without_a_pin_is_told(small: Program) -> None:
    pays = {
        name: replace(each, effect=Effect.MONEY) for name, each in small_pack.ACTIONS.items()
    }
    found = explore(small, pays)

    assert "ask_quote acts without a PIN of its own" in troubles(found)


def test_a_commit_screen_that_keeps_an_old_quote_is_told(small: Program) -> None:
    """Whoever has to confirm between the quote and the PIN would go on by the old one."""
    quote, home = small.states["ask_quote"], small.states["home"]
    assert isinstance(quote, Call)
    assert isinstance(home, Menu)
    confirm = replace(home, root=False, options={"1": replace(home.options["2"], go="ask_pin")})
    outcomes = {**quote.act.outcomes, "ok": "confirm"}
    asks = replace(quote, act=replace(quote.act, outcomes=outcomes))
    found = explored(small, ask_quote=asks, confirm=confirm)

    assert troubles(found) == ["ask_pin goes on by a quote that is not fresh"]


def test_a_pack_that_does_not_resume_is_not_asked_to(small: Program) -> None:
    found = explore(replace(small, resume_s=0), small_pack.ACTIONS)

    assert found.well
    assert found.dropped == 0


def test_no_secret_stands_in_a_way(
    packs: Mapping[str, Program], actions: Mapping[str, Action]
) -> None:
    found = explore(packs["customer"], actions)

    assert "<PIN>" in " ".join(found.longest)
    assert "7777" not in " ".join(found.longest)


def test_the_ends_of_a_pack_are_all_reached(
    packs: Mapping[str, Program], actions: Mapping[str, Action]
) -> None:
    """An END too many is told like any other state."""
    program = packs["agent"]
    ends = [name for name, state in program.states.items() if isinstance(state, End)]
    secret = next(state for state in program.states.values() if isinstance(state, Secret))
    more = {**program.states, "never": program.states[ends[0]], "nor_this": secret}
    found = explore(replace(program, states=more), actions)

    assert found.unreached == ("never", "nor_this")
