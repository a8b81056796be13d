"""What is remembered of a session's text, and what is told apart by it."""

from dataclasses import replace

import pytest

from tests.ussd.stand_in import AMINA, AT, JUMA
from ussd_gateway.ports import Request, SessionId
from ussd_gateway.ussd.turn import heard
from ussd_gateway.ussd.turn.heard import Span

KEY = b"k" * 32


def asked(text: str) -> Request:
    return Request(
        route="at",
        session_id=SessionId("S1"),
        msisdn=AMINA.msisdn,
        service_code="*384#",
        network="63902",
        text=text,
    )


def remembered(text: str, *hidden: Span) -> heard.Heard:
    return heard.remember(KEY, asked(text), AT, hidden)


@pytest.mark.parametrize(
    ("before", "now", "repeats", "extends", "fresh"),
    [
        ("", "", True, False, ""),
        ("", "1", False, True, "1"),
        ("", "1*2", False, True, "1*2"),
        ("1", "1", True, False, ""),
        ("1", "1*2", False, True, "2"),
        ("1", "1*", False, True, ""),
        ("1", "1*2*3", False, True, "2*3"),
        ("1", "12", False, False, ""),
        ("1", "2*2", False, False, ""),
        ("1*2", "1", False, False, ""),
        ("1*2", "1*3", False, False, ""),
    ],
)
def test_a_repeat_is_told_from_the_next_hop_and_both_from_what_does_not_follow(
    before: str,
    now: str,
    repeats: bool,
    extends: bool,
    fresh: str,
) -> None:
    kept = remembered(before)
    assert heard.repeats(KEY, asked(now), AT, kept) is repeats
    assert heard.extends(KEY, asked(now), AT, kept) is extends
    if extends:
        assert now[heard.fresh_from(kept) :] == fresh


def test_what_was_hidden_leaves_no_trace_but_its_length() -> None:
    assert remembered("1*500*4826", (6, 4)) == remembered("1*500*0000", (6, 4))
    assert remembered("1*500*4826", (6, 4)) != remembered("1*501*4826", (6, 4))


def test_a_text_goes_on_after_what_was_hidden() -> None:
    kept = remembered("1*4826", (2, 4))
    assert heard.extends(KEY, asked("1*4826*7"), AT, kept)
    assert not heard.extends(KEY, asked("2*4826*7"), AT, kept)


@pytest.mark.parametrize(
    "other",
    [
        replace(asked("1"), msisdn=JUMA.msisdn),
        replace(asked("1"), session_id=SessionId("S2")),
        replace(asked("1"), route="other"),
    ],
)
def test_the_text_of_another_is_not_ours(other: Request) -> None:
    kept = remembered("1")
    assert not heard.repeats(KEY, other, AT, kept)
    assert not heard.extends(KEY, replace(other, text="1*2"), AT, kept)


def test_without_the_key_nothing_can_be_tried_against_it() -> None:
    assert not heard.repeats(b"another", asked("1"), AT, remembered("1"))


def test_any_character_can_be_typed() -> None:
    text = "1*\ud800é\0☎"
    assert heard.repeats(KEY, asked(text), AT, remembered(text))
