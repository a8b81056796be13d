"""What lint leaves alone, what depends on the routes, and files that were made to hurt.

Each rule is broken once at least in fixtures/lint; here are the edges of some of them.
"""

import time
from collections.abc import Sequence
from dataclasses import replace

import pytest

from tests.ussd.small_pack import ACTIONS, RIGHT, changed, line_of
from tests.ussd.stand_in import AT, MONEY_MAX
from ussd_gateway.files.faults import Fault, faults_max, found_max
from ussd_gateway.ports import Route
from ussd_gateway.ussd.reading.loader import load_pack, states_max


def told(source: str, *routes: Route) -> Sequence[Fault]:
    """All faults and warnings of it."""
    found = load_pack(
        source.encode(), file="f", actions=ACTIONS, money_max=MONEY_MAX, routes=routes
    )
    return found if isinstance(found, list) else found.warnings


def codes(faults: Sequence[Fault]) -> list[str]:
    return [fault.code for fault in faults]


def home(text: str) -> str:
    return changed("{en: Home, sw: Nyumbani}", f"{{en: {text}, sw: Nyumbani}}")


def options(*labels: str) -> str:
    """The menu with these as well as its own."""
    more = "".join(
        f'        - {{key: "{key}", text: {{en: "{label}", sw: x{key}}}, go: stopped}}\n'
        for key, label in enumerate(labels, 3)
    )
    return changed("  ask_to:\n", f"{more}  ask_to:\n")


def paid(text: str) -> str:
    return changed('sw: "{amount|money} kwa', f'sw: "{text}{{amount|money}} kwa')


# --- texts


@pytest.mark.parametrize(
    "text",
    [
        "Press 2 to stop",
        "Press 0 to go back",
        "Choose 4 digits",
        "Choose a PIN of 4 digits",
        "Select 12 characters",
        "'Reply 1,500 times'",
        "Dial *384# 7 for agents",
        "6 options",
        '"Home\\n2. Stop"',
        "Bonyeza 2",
        "Appuyez sur 00",
    ],
)
def test_a_digit_that_is_an_option_or_none_at_all_is_left_alone(text: str) -> None:
    assert not told(home(text))


@pytest.mark.parametrize(
    "text", ["Press 3", "reply with 7", "Bonyeza 9", "Jibu 4", "Tapez 5", '"Home\\n3: Loans"']
)
def test_a_digit_that_is_no_option_is_told(text: str) -> None:
    assert codes(told(home(text))) == ["E25"]


@pytest.mark.parametrize(
    "labels",
    [
        ("Pay bill", "Pay till"),
        ("Data 100MB", "Data 200MB"),
        ("Borrow", "Repay"),
        ("{me.name|upper}", "{me.name}s"),
    ],
)
def test_labels_that_differ_are_left_alone(labels: tuple[str, str]) -> None:
    assert not told(options(*labels))


@pytest.mark.parametrize(
    "labels",
    [
        ("Repay loan", "repay  LOAN"),
        ("Repay loan", "Repay-loan"),
        ("Crédit", "Credit"),
        ("Repays", "Repay"),
        ("Lend money", "Lend mony"),
    ],
)
def test_labels_that_are_taken_for_each_other_are_told(labels: tuple[str, str]) -> None:
    assert codes(told(options(*labels))) == ["W31"]


@pytest.mark.parametrize(
    "text", ["", "Take ", "At least KES 10. Send ", "Kshirika ", "2 of 3: ", "Fee 5% of "]
)
def test_an_amount_stands_among_words(text: str) -> None:
    assert not told(paid(text))


@pytest.mark.parametrize(
    "text", ["KES ", "Ksh", "ksh. ", "USD 5, ", "€5, ", "$5: ", "/= ", "1"]
)
def test_an_amount_stands_beside_no_currency_and_no_digit(text: str) -> None:
    source = paid(text)
    assert [(fault.code, fault.line) for fault in told(source)] == [
        ("E32", line_of(source, "{amount|money} kwa"))
    ]


def test_a_text_is_told_at_the_line_of_its_own_language() -> None:
    source = changed('sw: "{amount|money} kwa', f'sw: "{"neno " * 30}{{amount|money}} kwa')
    (fault,) = told(source)
    assert (fault.code, fault.line) == ("E11", line_of(source, "neno"))
    assert "ask_pin in sw" in fault.found


# --- routes


def test_a_route_may_be_stricter_and_is_named() -> None:
    narrow = replace(AT, name="narrow", septets_max=40)
    faults = told(RIGHT, AT, narrow)
    assert faults
    assert all(fault.code == "E11" and "narrow" in fault.advice for fault in faults)
    assert not told(RIGHT, AT)


def test_what_filters_write_is_carried_too() -> None:
    comma = replace(AT, name="bare", forbids=frozenset(","))
    assert {fault.code for fault in told(RIGHT, comma)} == {"E12"}


def test_one_answer_waits_no_longer_than_the_strictest_route() -> None:
    hasty = replace(AT, name="hasty", answer_within_s=6)
    (fault,) = told(RIGHT, AT, hasty)
    assert fault.code == "E22"
    assert fault.found == "ask_pin, ask_quote: 7s in one hop"
    assert fault.advice == "at most 5s by hasty"


def test_ends_are_held_against_the_shortest_session() -> None:
    short = replace(AT, name="short", session_s=40)
    (fault,) = told(RIGHT, AT, short)
    assert fault.code == "W27"
    assert fault.found == "done is 4 answers away: 48 s"


# --- files that were made to hurt


def test_warnings_never_crowd_out_an_error() -> None:
    islands = "".join(
        f"  island_{number}: {{end: {{text: {{en: Island., sw: Kisiwa.}}}}}}\n"
        for number in range(2 * faults_max)
    )
    late = f"{RIGHT}{islands}  last:\n    end: {{text: {{en: '{'x' * 200}', sw: Mwisho.}}}}\n"
    assert "E11" in codes(told(late))


def test_what_was_found_is_told_on_one_line_and_not_for_ever() -> None:
    source = changed("gsm7-160", f'"gsm7\\n{"x" * 5000}"')
    (fault,) = told(source)
    assert "\n" not in str(fault)
    assert len(fault.found) == found_max + len("...")


def states(body: str, count: int) -> str:
    """A pack of as many states, each leading to the next."""
    head = RIGHT[: RIGHT.index("states:\n")].replace("entry: start", "entry: s0")
    head = head.replace('shortcuts:\n  "1*{to}*{amount}": ask_quote\n', "")
    written = "".join(
        f"  s{number}: {body.replace('NEXT', f's{number + 1}')}\n" for number in range(count)
    )
    return f"{head}states:\n{written}  s{count}: {{end: {{text: {{en: End., sw: Mwisho.}}}}}}\n"


CALL = (
    "{call: {do: send_money.quote, with: {to: to, amount: amount}, save: quote, within: 3s,"
    " outcomes: {ok: NEXT, own_number: s0, unknown_payee: s1, under_minimum: NEXT,"
    " over_limit: s2, timeout: s3}}}"
)


@pytest.mark.parametrize(
    "source",
    [
        states("{input: {text: {en: a, sw: b}, into: amount, go: NEXT}}", states_max - 1),
        states("{decide: [{when: me.can_send, go: NEXT}, {go: NEXT}]}", states_max - 1),
        states("{decide: [{when: me.can_send, go: s0}, {go: NEXT}]}", states_max - 1),
        states(CALL, 300),
        states("{input: {text: {en: a, sw: b}, into: amount, go: lost_NEXT}}", states_max - 1),
        states("{end: {text: {en: a, sw: b}}}", states_max),
        home("'" + "{me.name}" * 25_000 + "'"),
        home("'" + "{" * 200_000 + "'"),
        home("'" + "{me.name|plural(" * 15_000 + "'"),
        home("'" + "ፋ" * 60_000 + "'"),
        changed("[en, sw]", "[en" + ", xx" * 15_000 + "]"),
        changed("when: me.can_send", "when: " + "not " * 45 + "me.can_send"),
        changed("when: me.can_send", "when: '" + "(" * 190 + "'"),
        changed("when: me.can_send", "when: '" + "-" * 199 + "1'"),
    ],
    ids=lambda source: f"{len(source)} characters",
)
def test_no_file_takes_a_second_to_read(source: str) -> None:
    began = time.process_time()
    told(source)
    assert time.process_time() - began < 1


def test_a_pack_has_no_more_states_than_anybody_keeps_in_mind() -> None:
    source = states("{end: {text: {en: a, sw: b}}}", states_max)
    assert ("E00", line_of(source, f"s{states_max}:")) in [
        (fault.code, fault.line) for fault in told(source)
    ]
