"""Two versions beside each other: what looks different, and which keys lead elsewhere."""

from collections.abc import Callable, Mapping

import pytest

from tests.ussd import small_pack
from ussd_gateway.ussd.menu import Program
from ussd_gateway.ussd.tools.side_by_side import Rerouted, pairs, rerouted

OPTION = '- {key: "2", text: {en: Stop, sw: Acha}, go: stopped}'


def load(source: str) -> Program:
    program = small_pack.load(source)
    assert isinstance(program, Program), "\n".join(map(str, program))
    return program


@pytest.fixture
def old() -> Program:
    return load(small_pack.RIGHT)


def test_a_text_that_changed_is_shown_in_its_language_only(old: Program) -> None:
    new = load(small_pack.RIGHT.replace("en: Home", "en: Welcome"))
    [pair] = pairs(old, new, small_pack.ACTIONS)

    assert (pair.state, pair.language) == ("home", "en")
    assert pair.framed[1].split() == ["│", "Home", "│", "│", "Welcome", "│"]


def test_what_looks_the_same_is_not_shown(old: Program) -> None:
    new = load(small_pack.RIGHT.replace("within: 3s", "within: 2s") + "# a comment\n")

    assert list(pairs(old, new, small_pack.ACTIONS)) == []


def test_a_notice_is_a_screen_too(old: Program) -> None:
    new = load(small_pack.RIGHT.replace("en: Too long.", "en: Much too long."))

    assert [pair.state for pair in pairs(old, new, small_pack.ACTIONS)] == [
        "notice too_many_hops"
    ]


def test_what_only_one_of_them_has_stands_alone(old: Program) -> None:
    stranger = "{en: Not registered., sw: Haijasajiliwa.}"
    new = load(
        small_pack.RIGHT.replace("go: stranger", "go: newcomer").replace(
            f"  stranger:\n    end: {{text: {stranger}}}",
            f"  newcomer:\n    end: {{text: {stranger}}}",
        )
    )
    found = {
        (pair.state, bool(pair.before), bool(pair.after))
        for pair in pairs(old, new, small_pack.ACTIONS)
    }

    assert found == {("stranger", True, False), ("newcomer", False, True)}


def test_a_key_that_leads_elsewhere_is_told(old: Program) -> None:
    new = load(small_pack.RIGHT.replace(OPTION, OPTION.replace("stopped", "ask_to")))

    assert list(rerouted(old, new)) == [Rerouted("home", "2", "stopped", "ask_to")]
    assert str(next(rerouted(old, new))) == ("home: key 2 led to stopped, and leads to ask_to")


def test_a_state_that_map_moves_is_compared_with_what_takes_its_place(old: Program) -> None:
    renamed: Callable[[str], str] = lambda text: text.replace("ask_to", "ask_whom")  # noqa: E731
    source = renamed(small_pack.RIGHT).replace("vars:\n", "map: {ask_to: ask_whom}\nvars:\n", 1)
    new = load(source.replace("en: Number,", "en: Whose number?,"))
    found: Mapping[str, str] = {
        pair.state: pair.after[0].state for pair in pairs(old, new, small_pack.ACTIONS)
    }

    assert found == {"ask_whom": "ask_whom"}
    assert list(rerouted(old, new)) == []
