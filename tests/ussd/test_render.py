"""Texts: what slots show, what fits, and what a screen costs at worst."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ussd_gateway.domain import gsm7
from ussd_gateway.domain.money import Money
from ussd_gateway.files.faults import Faults
from ussd_gateway.ports import Scalar, VarType
from ussd_gateway.ussd import render
from ussd_gateway.ussd.menu import Text

SCOPE = {
    "name": VarType("text", 20),
    "fee": VarType("money"),
    "to": VarType("msisdn", 10),
    "result.number": VarType("msisdn"),
    "tries": VarType("count"),
    "payee": VarType("id"),
    "me.can_send": VarType("bool"),
    "pin": VarType("text", 4),
    "till": VarType("digits", 12, least=6),
    "result.lines": VarType("lines", 30, count=5),
    "born": VarType("date"),
}
KNOWN: dict[str, Scalar] = {
    "name": "Juma Otieno",
    "fee": Money(700, "KES"),
    "to": "+254711000002",
    "tries": 2,
    "till": "012345",
    "result.lines": "one\ntwo",
    "born": "1990-11-21",
}


def read(source: str, *, wide: bool = False) -> tuple[Text, Faults]:
    faults = Faults("pack")
    parts = render.parse(
        source,
        line=1,
        scope=SCOPE,
        money_max=Money(50_000_000, "KES"),
        wide=wide,
        faults=faults,
    )
    spoken = frozenset({"en"}) if wide else frozenset()
    return Text(1, frozenset(), {"en": parts}, spoken), faults


@pytest.mark.parametrize(
    ("source", "shown", "septets"),
    [
        ("Pesa", "Pesa", 4),
        ("", "", 0),
        ("Fee {fee|money}.", "Fee KES 7.00.", 5 + 14),
        ("{name} {to|local}", "Juma Otieno 0711000002", 20 + 1 + 10),
        ("{to|mask}", "0711***002", 10),
        ("{result.number|local}", "-", 16),
        ("{name|upper}", "JUMA OTIENO", 20),
        ("{tries} left", "2 left", 6 + 5),
        ("{tries|plural(try,tries)} left", "2 tries left", 6 + 1 + 5 + 5),
        ("{born|date}", "21/11/1990", 10),
        ("Till {till}", "Till 012345", 5 + 12),
        ("100% of it, for $5", "100% of it, for $5", 18),
        ("{result.lines}", "one\ntwo", 5 * 31 - 1),
        ("  one\ntwo \n", "one\ntwo", 7),
        ("[1]", "[1]", 5),
        ("“Pesa”", '"Pesa"', 6),
    ],
)
def test_a_text_shows_its_values_and_knows_its_cost(
    source: str, shown: str, septets: int
) -> None:
    text, faults = read(source)
    assert not faults.errors
    assert render.render(text, "en", KNOWN) == shown
    assert render.septets_at_worst(text, "en") == septets


@pytest.mark.parametrize(
    ("source", "code"),
    [
        ("{nobody}", "E09"),
        ("{fee}", "E32"),
        ("{fee|local}", "E09"),
        ("{name|money}", "E09"),
        ("{to}", "E09"),
        ("{payee}", "E09"),
        ("{me.can_send}", "E09"),
        ("{name|shout}", "E09"),
        ("{till|money}", "E09"),
        ("{result.lines|upper}", "E09"),
        ("{name", "E09"),
        ("name}", "E09"),
        ("{{name}}", "E09"),
        ("{name.upper()}", "E09"),
        ("{name.__class__}", "E09"),
        ("{__class__}", "E09"),
        ("{0}", "E09"),
        ("{}", "E09"),
        ("{{7*7}}", "E09"),
        ("{7*7}", "E09"),
        ("${name}", "E09"),
        ("#{name}", "E09"),
        ("{% if name %}", "E09"),
        ("<%= name %>", "E09"),
        ("%s", "E09"),
        ("%(name)s", "E09"),
        ("{name!r}", "E09"),
        ("{name:>9}", "E09"),
        ("{tries|plural(try)}", "E09"),
        ("{tries|plural(try,)}", "E09"),
        ("{name|plural(try,tries)}", "E09"),
        ("{born}", "E09"),
        ("{pin}", "E19"),
        ("{send.secret}", "E19"),
    ],
)
def test_what_cannot_be_shown_is_a_fault(source: str, code: str) -> None:
    _, faults = read(source)
    assert [fault.code for fault in faults.errors] == [code]


def test_a_character_outside_gsm7_is_told_and_shown_in_bare_letters() -> None:
    text, faults = read("Ŵeka")
    assert [fault.code for fault in faults.warnings] == ["W12"]
    assert render.render(text, "en", {}) == "Weka"


def test_a_language_that_is_not_gsm7_has_half_the_room() -> None:
    text, faults = read("ፋጥር {name}", wide=True)
    assert not faults.warnings
    assert render.render(text, "en", KNOWN) == "ፋጥር Juma Otieno"
    assert render.septets_at_worst(text, "en") == 2 * (4 + 20)
    words, _ = read("{tries|plural(ቀን,ቀናት)}", wide=True)
    assert render.septets_at_worst(words, "en") == 2 * (6 + 1 + 3)


def test_the_dear_characters_count_twice_in_a_name() -> None:
    assert render.fitted("a" * 15 + "[[[[", 20) == "a" * 15 + "[["


def test_a_value_that_is_known_at_load_is_part_of_the_text() -> None:
    text, _ = read("{till} and {name}")
    filled = render.filled(text, {"till": "6-12"})
    assert render.render(filled, "en", KNOWN) == "6-12 and Juma Otieno"
    assert render.septets_at_worst(filled, "en") == 4 + 5 + 20


def test_a_name_adds_no_line_to_a_screen() -> None:
    assert render.fitted("Juma\n1. Win\r\n2. Lose", 40) == "Juma 1. Win  2. Lose"


@given(st.text(max_size=80), st.integers(1, 40))
def test_any_value_is_made_fit(value: str, most: int) -> None:
    shown = render.fitted(value, most)
    assert gsm7.is_gsm7(shown)
    assert gsm7.septets(shown) <= most
    assert not set(shown) & set("\n\r\f\t")
