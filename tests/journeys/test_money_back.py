"""Money that was sent to the wrong person, where the two of them ask and answer: at once, in
more than one session, and late."""

from datetime import timedelta

import pytest

from tests.journeys.missent import (
    BACK,
    DECIDED,
    GIVE,
    KEEP,
    PINS,
    answers,
    asks,
    holds,
    in_order,
    sends,
    told,
)
from tests.store.verify.crowbar import tamper
from tests.world import AMINA, GRACE, JUMA, Line, at_once, rows
from ussd_gateway.cli.stage.world import GatewayWorld
from ussd_gateway.domain.book import Outcome
from ussd_gateway.store.verify import verify


def test_one_that_is_asked_by_two_sessions_at_once_is_held_once(world: GatewayWorld) -> None:
    receipt = sends(world)
    lines = [Line(world, "one"), Line(world, "other")]
    for line in lines:
        line.walks(*BACK, receipt)

    said = at_once(*(lambda line=line: line.sends(*BACK, receipt, "4826") for line in lines))

    assert sorted(each.partition(":")[0] for each in said) == [
        "END Asked",
        "END Not asked again",
    ]
    assert holds(world) == [("asked_back", "pending", 500_00)]
    assert told(world, "asked_to_give_back") == [GRACE]
    assert in_order(world)


def test_an_answer_that_knocks_twelve_times_gives_back_once(world: GatewayWorld) -> None:
    asks(world, sends(world))
    line = Line(world, "gives", GRACE)
    line.walks(*BACK, GIVE)

    said = at_once(*[lambda: line.sends(*BACK, GIVE, "5937")] * 12)

    assert len(set(said)) == 1
    assert rows(world, "SELECT count(*) FROM journal WHERE kind = 'given_back'") == [(1,)]
    assert str(world.balances()["Grace"]) == "KES 120,000.00"
    assert in_order(world)


@pytest.mark.parametrize("answer", [GIVE, KEEP])
def test_where_nobody_knows_whether_it_was_answered_the_next_call_tells(
    world: GatewayWorld, monkeypatch: pytest.MonkeyPatch, answer: str
) -> None:
    asks(world, sends(world))
    with monkeypatch.context() as patched:
        unknown = Outcome("unknown", {})
        patched.setattr(type(world.gateway.writer), "run", lambda *_, **__: unknown)
        said = answers(world, answer)

    # No SMS comes of what was not done.
    assert "Dial again later: if it is still asked of you, nothing was done." in said
    assert "asks KES 500.00 back" in Line(world, "later", GRACE).walks(*BACK)


@pytest.mark.parametrize("language", list(DECIDED))
def test_of_two_answers_at_once_one_counts(world: GatewayWorld, language: str) -> None:
    world.speak("Grace", language)
    asks(world, sends(world))
    gives, keeps = Line(world, "gives", GRACE), Line(world, "keeps", GRACE)
    gives.walks(*BACK, GIVE)
    keeps.walks(*BACK, KEEP)

    said = at_once(
        lambda: gives.sends(*BACK, GIVE, "5937"), lambda: keeps.sends(*BACK, KEEP, "5937")
    )

    assert said.count(DECIDED[language]) == 1
    kept = ("disputed", "pending", 500_00)
    assert holds(world) in (
        [("asked_back", "posted", 500_00)],
        [("asked_back", "voided", 500_00), kept],
        [kept, ("asked_back", "voided", 500_00)],
    )
    assert in_order(world)


def test_what_is_given_back_counts_for_the_payers_limits_all_the_same(
    world: GatewayWorld,
) -> None:
    asks(world, sends(world))
    answers(world, GIVE)

    used = "SELECT used_day FROM account WHERE public_ref = :who"
    assert rows(world, used, who=AMINA) == [(500_00,)]
    assert rows(world, used, who=GRACE) == [(0,)]
    assert in_order(world)


def test_what_is_held_cannot_be_spent_and_no_more_is_held_than_is_there(
    world: GatewayWorld,
) -> None:
    receipt = Line(world, "sends").walks("1", "0711000002", "500", "4826")[4:14]
    spent = Line(world, "spends", JUMA).walks("1", "0711000001", "400", "7391")
    assert "Umetuma" in spent

    said = asks(world, receipt)

    # Of KES 750.00 he has sent 400.00, for a fee of 7.00.
    assert "KES 343.00 of" in said
    assert "salio halitoshi" in Line(world, "again", JUMA).walks("1", AMINA[4:], "100", "7391")
    assert in_order(world)


def test_an_sms_holds_nothing_and_opens_it_for_nobody_else(world: GatewayWorld) -> None:
    receipt = sends(world)
    for sender in (AMINA, JUMA, GRACE):
        world.phone(sender).text(f"REVERSE {receipt}")

    assert holds(world) == []
    assert "Yes" in Line(world, "amina").walks(*BACK)
    for sender in (JUMA, GRACE):
        assert receipt not in Line(world, sender, sender).walks(*BACK)
    assert told(world, "asked_reverse_open") == [AMINA]


def test_an_sms_that_opened_nothing_opens_nothing(world: GatewayWorld) -> None:
    said = Line(world, "pays").walks("3", "2", "500500", "250", PINS[AMINA])
    world.phone(AMINA).text(f"REVERSE {said.removeprefix('END ').partition(' ')[0]}")

    # So was every `REVERSE` answered by the versions before.
    kept = "SELECT outcome FROM idempotency WHERE route = 'sms'"
    assert rows(world, kept) == [('["asked_reverse",{}]',)]
    assert "Enter the receipt" in Line(world, "dials").walks(*BACK)


def test_what_an_sms_opened_is_open_for_a_day_and_until_it_is_asked(
    world: GatewayWorld,
) -> None:
    first, second = sends(world, "one"), sends(world, "other")
    for receipt in (first, second):
        world.phone(AMINA).text(f"REVERSE {receipt}")
        world.wait(timedelta(minutes=1))

    offer = Line(world, "offered")
    assert second in offer.walks(*BACK)
    assert "Asked: KES 500.00" in offer.walks(*BACK, "1", "4826")
    assert "Enter the receipt" in Line(world, "asked").walks(*BACK)
    world.phone(AMINA).text(f"REVERSE {first}")
    assert first in Line(world, "opened").walks(*BACK)
    world.wait(timedelta(hours=24))
    assert "Enter the receipt" in Line(world, "too-late").walks(*BACK)


def test_who_is_asked_is_offered_what_their_own_sms_opened_all_the_same(
    world: GatewayWorld,
) -> None:
    asks(world, sends(world))
    said = Line(world, "sends-too", GRACE).walks("1", "0711000002", "300", PINS[GRACE])
    receipt = said.removeprefix("END ").partition(" ")[0]
    world.phone(GRACE).text(f"REVERSE {receipt}")

    assert receipt in Line(world, "mine", GRACE).walks(*BACK, "3")


def test_one_whose_time_is_over_is_not_in_the_way_of_the_next(world: GatewayWorld) -> None:
    asks(world, sends(world))
    world.wait(timedelta(hours=30))
    second = sends(world, "second")
    assert asks(world, second, "asks-second").startswith("END Asked")
    world.wait(timedelta(hours=18))

    # Nobody has let go of the first one yet.
    assert "asks KES 500.00 back" in Line(world, "sees", GRACE).walks(*BACK)
    assert second in Line(world, "gives", GRACE).walks(*BACK, GIVE)


@pytest.mark.parametrize("name", ["expires_at_ms", "journal_id"])
def test_the_books_tell_what_changed_hands_on_other_terms(
    world: GatewayWorld, name: str
) -> None:
    asks(world, sends(world))
    answers(world, KEEP)
    tamper(world.gateway.engine, [f"UPDATE hold SET {name} = 7 WHERE kind = 'disputed'"])

    wrong = [finding for finding in verify(world.gateway.engine) if finding.number == 7]
    assert [each for finding in wrong for each in finding.shown if "passed on" in each]
