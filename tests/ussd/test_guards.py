"""Guards: what they say, what they refuse, and that they never fail."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ussd_gateway.domain.money import Money
from ussd_gateway.files.faults import Faults
from ussd_gateway.ports import Scalar, VarType
from ussd_gateway.ussd import guards
from ussd_gateway.ussd.menu import Guard

SCOPE = {
    "to": VarType("msisdn"),
    "amount": VarType("money"),
    "quote.fee": VarType("money"),
    "me.msisdn": VarType("msisdn"),
    "me.can_send": VarType("bool"),
    "me.language": VarType("text", 2),
    "tries": VarType("count"),
    "payee": VarType("id"),
    "me.till": VarType("digits", 12),
}
KNOWN: dict[str, Scalar] = {
    "to": "+254711000002",
    "amount": Money(50_000, "KES"),
    "quote.fee": Money(700, "KES"),
    "me.msisdn": "+254711000001",
    "me.can_send": True,
    "me.language": "sw",
    "tries": 2,
    "payee": "7",
    "me.till": "",
}


def read(source: str) -> Guard | str:
    faults = Faults("pack")
    guard = guards.parse(source, line=1, scope=SCOPE, faults=faults)
    return guard if guard is not None else str(faults.errors[0])


@pytest.mark.parametrize(
    ("source", "holds"),
    [
        ("me.can_send", True),
        ("not me.can_send", False),
        ("to != me.msisdn", True),
        ("to == me.msisdn", False),
        ("to == '+254711000002'", True),
        ("payee == '7'", True),
        ("me.till == ''", True),
        ("me.till != '100200'", True),
        ("amount > quote.fee", True),
        ("amount + quote.fee <= amount", False),
        ("amount - quote.fee < amount", True),
        ("tries >= 2 and tries < 3", True),
        ("tries < 2 or me.can_send", True),
        ("me.language in ('en', 'sw')", True),
        ("me.language in ['en']", False),
        ("tries in (1, 2)", True),
        ("True", True),
        ("(tries == 1) == False", True),
    ],
)
def test_a_guard_says_yes_or_no(source: str, holds: bool) -> None:
    guard = read(source)
    assert isinstance(guard, Guard), guard
    assert guard.holds(KNOWN) is holds


def test_a_guard_knows_its_names() -> None:
    guard = read("to != me.msisdn and amount > quote.fee")
    assert isinstance(guard, Guard)
    assert guard.names == {"to", "me.msisdn", "amount", "quote.fee"}


@pytest.mark.parametrize(
    "source",
    [
        "open('x')",
        "me.msisdn.upper()",
        "me.__class__",
        "to[0] == '+'",
        "(lambda: 1)() == 1",
        "[x for x in to]",
        "f'{to}' == ''",
        "amount * 2 > amount",
        "tries + 1 > 2",
        "amount > 500",
        "amount",
        "to < me.msisdn",
        "me.can_send < me.can_send",
        "tries == 'two'",
        "to == payee",
        "nobody == 1",
        "pin == '1234'",
        "me.can_send and tries",
        "1 < tries < 3",
        "tries == 1.5",
        "tries is None",
        "tries in tries",
        "tries in (tries, 1)",
        "true",
        "to := 1",
        "",
        "to !=",
        "x" * 300,
        "not " * 20 + "me.can_send",
        "(" * 150,
    ],
)
def test_what_is_no_guard_is_a_fault(source: str) -> None:
    assert "E09" in str(read(source))


@pytest.mark.parametrize(
    "source",
    ["amount > quote.fee", "to != me.msisdn", "amount - quote.fee == amount", "me.can_send"],
)
def test_a_value_that_is_not_there_makes_a_comparison_false(source: str) -> None:
    guard = read(source)
    assert isinstance(guard, Guard)
    assert guard.holds({}) is False


def test_two_currencies_do_not_compare() -> None:
    guard = read("amount > quote.fee")
    assert isinstance(guard, Guard)
    assert guard.holds({**KNOWN, "quote.fee": Money(1, "UGX")}) is False


@given(st.text(alphabet="tome.msid()!=<>andor 'x01+-[]", max_size=60))
def test_no_text_crashes_the_reader(source: str) -> None:
    guard = read(source)
    if isinstance(guard, Guard):
        assert guard.holds(KNOWN) in (True, False)
        assert guard.holds({}) in (True, False)
