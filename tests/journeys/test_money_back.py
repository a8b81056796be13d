"""Money that was sent to the wrong person, where several people have a hand in it: the two of
them in more than one session, the staff, and the clock."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import timedelta

import pytest

from tests.store.verify.crowbar import tamper
from tests.world import AMINA, GRACE, JUMA, Line, at_once, rows
from ussd_gateway.app import orders, wiring
from ussd_gateway.cli.stage.world import GatewayWorld
from ussd_gateway.domain.book import Book, HoldDecided, HoldPlaced, Outcome, Status
from ussd_gateway.domain.journal import Hold
from ussd_gateway.domain.money import Money
from ussd_gateway.services.money_back import answer_ask
from ussd_gateway.services.orders.ask_reversal import pass_on
from ussd_gateway.services.orders.decide_reversal import let_go
from ussd_gateway.services.orders.desk import By, Desk, Objected
from ussd_gateway.services.orders.hold_money import HoldsOverdue
from ussd_gateway.services.orders.reverse import ReverseService
from ussd_gateway.services.orders.set_status import StatusService
from ussd_gateway.services.orders.taking_back import BY_PHONE, KINDS
from ussd_gateway.settings import Settings
from ussd_gateway.store.inquiry import SqlRecords
from ussd_gateway.store.verify import verify

SEND = ("1", "0711000003", "500")
BACK = ("3", "5")
GIVE, KEEP = "1", "2"
PINS = {AMINA: "4826", JUMA: "7391", GRACE: "5937"}
WRONG = "wrong number"
DECIDED = {
    "en": "END Nothing was done: it was decided already, or its time is over. "
    "An SMS says what became of it.",
    "sw": "END Hakuna kilichofanyika: iliamuliwa tayari, au muda wake umekwisha. "
    "SMS inasema matokeo.",
    "fr": "END Rien n'est fait : c'était déjà décidé, ou le délai est passé. "
    "Un SMS dit ce qu'il en est.",
}


def sends(world: GatewayWorld, session: str = "sends") -> str:
    """Amina, KES 500.00 to Grace; the receipt."""
    said = Line(world, session).walks(*SEND, PINS[AMINA])
    return said.removeprefix("END ").partition(" ")[0]


def asks(world: GatewayWorld, receipt: str, session: str = "asks") -> str:
    return Line(world, session).walks(*BACK, receipt, PINS[AMINA])


def answers(world: GatewayWorld, answer: str, session: str = "answers") -> str:
    return Line(world, session, GRACE).walks(*BACK, answer, PINS[GRACE])


def desk(world: GatewayWorld, settings: Settings) -> Desk:
    return wiring.desk(settings, world.gateway.engine, world.gateway.writer, world.clock)


def by(name: str, key: str) -> By:
    return By(name, WRONG, f"desk:{key}")


def holds(world: GatewayWorld) -> Sequence[tuple[str, str, int]]:
    return [
        (kind, state, minor)
        for kind, state, minor in rows(
            world, "SELECT kind, state, minor FROM hold ORDER BY placed_at_ms, id"
        )
    ]


def told(world: GatewayWorld, template: str) -> list[str]:
    owed = "SELECT msisdn FROM outbox WHERE template = :template ORDER BY id"
    return [msisdn for (msisdn,) in rows(world, owed, template=template)]


def in_order(world: GatewayWorld) -> bool:
    return all(finding.ok for finding in verify(world.gateway.engine))


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


def test_what_is_kept_is_taken_on_by_one_of_the_staff_and_decided_by_another(
    world: GatewayWorld, settings: Settings
) -> None:
    receipt = sends(world)
    asks(world, receipt)
    answers(world, KEEP)
    office = ReverseService(desk(world, settings))
    [(disputed,)] = rows(world, "SELECT id FROM hold WHERE state = 'pending'")

    alone = office.approve(disputed, None, by("odhiambo", "alone"))
    assert (alone.name, alone.values["original"]) == ("by_phone", receipt)
    assert office.refuse(disputed, by("odhiambo", "no")).name == "by_phone"
    part = office.ask(receipt, Money(100, "KES"), by("njeri", "part"), whole=False)
    assert part.name == "as_asked"
    assert office.ask(receipt, None, by("njeri", "whole"), whole=True).name == "as_asked"
    taken_on = office.ask(receipt, None, by("njeri", "on"), whole=False)
    assert (taken_on.name, taken_on.values["amount"]) == ("ok", Money(500_00, "KES"))
    again = office.ask(receipt, None, by("otieno", "on too"), whole=False)
    assert (again.name, again.values["hold"]) == ("in_hand", taken_on.values["hold"])
    own = office.approve(taken_on.values["hold"], None, by("njeri", "own"))
    assert own.name == "own_order"

    done = office.approve(taken_on.values["hold"], None, by("odhiambo", "yes"))

    assert (done.name, done.values["back"]) == ("ok", Money(500_00, "KES"))
    assert [kind for kind, *_ in holds(world)].count("refund") == 1
    # Two of the staff have decided it: so the payer's limits get it back.
    assert rows(world, "SELECT used_day FROM account WHERE public_ref = :who", who=AMINA) == [
        (0,)
    ]
    assert (told(world, "refunded"), told(world, "taken_back")) == ([AMINA], [GRACE])
    assert in_order(world)


def test_staff_may_take_on_what_nobody_has_answered_and_then_the_payee_cannot(
    world: GatewayWorld, settings: Settings
) -> None:
    receipt = sends(world)
    asks(world, receipt)
    line = Line(world, "slow", GRACE)
    line.walks(*BACK, GIVE)
    office = ReverseService(desk(world, settings))
    taken_on = office.ask(receipt, None, by("njeri", "on"), whole=False)

    assert line.sends(*BACK, GIVE, "5937") == DECIDED["en"]
    refused = office.refuse(taken_on.values["hold"], by("odhiambo", "no"))
    assert refused.name == "ok"
    assert told(world, "reversal_refused") == [AMINA]
    assert told(world, "hold_released") == [GRACE]
    assert asks(world, receipt, "again").startswith("END Not asked again")
    assert in_order(world)


@pytest.mark.parametrize("answer", [GIVE, KEEP])
def test_whoever_goes_on_answers_what_they_were_asked_and_nothing_else(
    world: GatewayWorld, settings: Settings, answer: str
) -> None:
    first = sends(world)
    asks(world, first)
    said = Line(world, "sends-too", JUMA).walks("1", "0711000003", "100", PINS[JUMA])
    second = said.removeprefix("END ").partition(" ")[0]
    Line(world, "asks-too", JUMA).walks(*BACK, second, PINS[JUMA])
    phone = world.phone(GRACE)
    shown = phone.dial("*384#")
    for typed in (*BACK, answer):
        shown = phone.enter(typed)
    assert first in shown.text
    ReverseService(desk(world, settings)).ask(first, None, by("njeri", "on"), whole=False)
    phone.hang_up()

    phone.dial("*384#")
    shown = phone.enter("1")
    while not shown.ends and shown.text.endswith("Enter PIN"):
        assert second not in shown.text
        shown = phone.enter(PINS[GRACE])

    assert f"END {shown.text}" == DECIDED["en"]
    assert ("asked_back", "pending", 100_00) in holds(world)


@pytest.mark.parametrize("answer", [(), (KEEP,)], ids=["silent", "kept"])
def test_what_nobody_decides_is_free_again_after_two_days_however_often_it_changed_hands(
    world: GatewayWorld, settings: Settings, answer: tuple[str, ...]
) -> None:
    receipt = sends(world)
    asks(world, receipt)
    office = desk(world, settings)
    world.wait(timedelta(hours=30))
    for each in answer:
        answers(world, each)
    taken_on: list[Outcome] = [
        ReverseService(office).ask(receipt, None, by("njeri", "on"), whole=False)
    ]
    overdue = HoldsOverdue(office, dict.fromkeys((*KINDS, *BY_PHONE), let_go))

    overdue.expire()
    assert [one.name for one in taken_on] == ["ok"]
    assert [state for _, state, _ in holds(world)].count("pending") == 1
    world.wait(timedelta(hours=18, seconds=1))
    overdue.expire()

    assert [state for _, state, _ in holds(world)].count("expired") == 1
    assert told(world, "reversal_refused") == [AMINA]
    assert told(world, "hold_released") == [GRACE]
    assert "Held" not in Line(world, "balance", GRACE).walks("5", "1", "5937")
    assert in_order(world)


def test_what_was_asked_on_the_phone_runs_out_by_itself(
    world: GatewayWorld, settings: Settings
) -> None:
    asks(world, sends(world))
    line = Line(world, "slow", GRACE)
    world.wait(timedelta(hours=47, minutes=59))
    line.walks(*BACK, GIVE)
    world.wait(timedelta(minutes=1))

    assert line.sends(*BACK, GIVE, "5937") == DECIDED["en"]
    assert "Enter the receipt" in Line(world, "late", GRACE).walks(*BACK)
    everything = dict.fromkeys((*KINDS, *BY_PHONE), let_go)
    assert HoldsOverdue(desk(world, settings), everything).expire() == 1
    assert holds(world) == [("asked_back", "expired", 500_00)]
    assert in_order(world)


def test_of_what_the_staff_have_refunded_in_part_the_rest_is_asked_back(
    world: GatewayWorld, settings: Settings
) -> None:
    receipt = sends(world)
    office = ReverseService(desk(world, settings))
    part = office.ask(receipt, Money(200_00, "KES"), by("njeri", "part"), whole=False)
    assert office.approve(part.values["hold"], None, by("odhiambo", "yes")).name == "ok"

    line = Line(world, "rest")
    assert "Ask KES 300.00 back" in line.walks(*BACK, receipt)
    assert "Asked: KES 300.00" in line.sends(*BACK, receipt, PINS[AMINA])
    assert "Gave KES 300.00 back" in answers(world, GIVE)
    assert str(world.balances()["Grace"]) == "KES 120,000.00"
    assert in_order(world)


def test_one_whose_time_is_over_is_not_in_the_way_of_the_next(world: GatewayWorld) -> None:
    asks(world, sends(world))
    world.wait(timedelta(hours=30))
    second = sends(world, "second")
    assert asks(world, second, "asks-second").startswith("END Asked")
    world.wait(timedelta(hours=18))

    # Nobody has let go of the first one yet.
    assert "asks KES 500.00 back" in Line(world, "sees", GRACE).walks(*BACK)
    assert second in Line(world, "gives", GRACE).walks(*BACK, GIVE)


def test_staff_who_hold_it_are_not_in_the_payers_way_and_the_payer_not_in_theirs(
    world: GatewayWorld, settings: Settings
) -> None:
    receipt = sends(world)
    line = Line(world, "amina")
    line.walks(*BACK, receipt)
    office = ReverseService(desk(world, settings))
    held = office.ask(receipt, None, by("njeri", "held"), whole=False)

    said = "END Not asked again: this payment has been asked back before"
    assert line.sends(*BACK, receipt, "4826").startswith(said)
    assert Line(world, "again").walks(*BACK, receipt).startswith(said)
    world.phone(AMINA).text(f"REVERSE {receipt}")
    assert told(world, "asked_reverse_again") == [AMINA]
    office.refuse(held.values["hold"], by("odhiambo", "no"))
    # That was not her own ask: she has one.
    assert "Asked: KES 500.00" in asks(world, receipt, "then")
    assert in_order(world)


@pytest.mark.parametrize(
    ("language", "says"),
    [
        ("en", "END Not given back: the account of the other one takes nothing in now."),
        ("sw", "END Haikurudishwa: akaunti ya mwenzako haipokei sasa."),
        ("fr", "END Pas rendu : le compte de l'autre n'accepte rien en ce moment."),
    ],
)
def test_nothing_goes_back_to_an_account_that_takes_nothing_in(
    world: GatewayWorld, settings: Settings, language: str, says: str
) -> None:
    world.speak("Grace", language)
    asks(world, sends(world))
    status = StatusService(desk(world, settings))
    frozen = status.set_status((AMINA,), Status.FROZEN_IN, by("njeri", "frozen"))
    assert frozen.name == "ok"

    assert answers(world, GIVE).startswith(says)
    assert holds(world) == [("asked_back", "pending", 500_00)]
    assert in_order(world)


def test_whose_own_account_is_barred_asks_nothing_and_gives_nothing(
    world: GatewayWorld, settings: Settings
) -> None:
    receipt = sends(world)
    status = StatusService(desk(world, settings))
    status.set_status((AMINA,), Status.FROZEN_IN, by("njeri", "amina"))
    assert asks(world, receipt).startswith("END Your account is blocked.")
    status.set_status((AMINA,), Status.ACTIVE, by("odhiambo", "free"))
    assert asks(world, receipt, "then").startswith("END Asked:")
    status.set_status((GRACE,), Status.FROZEN_BOTH, by("njeri", "grace"))

    assert answers(world, GIVE).startswith("END Your account is blocked.")
    assert in_order(world)


@pytest.mark.parametrize("status", [Status.FROZEN_IN, Status.FROZEN_BOTH, Status.DORMANT])
def test_what_is_held_changes_hands_whatever_its_payer_may_take_by_now(
    world: GatewayWorld, settings: Settings, status: Status
) -> None:
    receipt = sends(world)
    asks(world, receipt)
    office = desk(world, settings)
    barred = StatusService(office).set_status((AMINA,), status, by("odhiambo", "barred"))
    assert barred.name == "ok"

    assert answers(world, KEEP).startswith("END You keep KES 500.00")
    reversing = ReverseService(office)
    taken_on = reversing.ask(receipt, None, by("njeri", "on"), whole=False)
    assert taken_on.name == "ok"
    hold = taken_on.values["hold"]
    assert reversing.approve(hold, None, by("odhiambo", "yes")).name == "target_barred"
    assert reversing.refuse(hold, by("odhiambo", "no")).name == "ok"
    assert in_order(world)


@pytest.mark.parametrize("terms", [{"expires_at_ms": 1}, {"minor": -1}], ids=["time", "sum"])
def test_what_changes_hands_does_so_for_no_longer_and_no_other_sum(
    world: GatewayWorld, monkeypatch: pytest.MonkeyPatch, terms: Mapping[str, int]
) -> None:
    def on_other_terms(
        hold: Hold, hold_id: int, kind: str, book: Book
    ) -> tuple[HoldDecided, HoldPlaced] | Objected:
        found = pass_on(hold, hold_id, kind, book)
        assert not isinstance(found, Objected)
        others = {name: getattr(hold, name) + more for name, more in terms.items()}
        return found[0], HoldPlaced(replace(found[1].hold, **others))

    asks(world, sends(world))
    monkeypatch.setattr(answer_ask, "pass_on", on_other_terms)

    assert answers(world, KEEP).startswith("END The service is busy")
    assert holds(world) == [("asked_back", "pending", 500_00)]


@pytest.mark.parametrize("name", ["expires_at_ms", "journal_id"])
def test_the_books_tell_what_changed_hands_on_other_terms(
    world: GatewayWorld, name: str
) -> None:
    asks(world, sends(world))
    answers(world, KEEP)
    tamper(world.gateway.engine, [f"UPDATE hold SET {name} = 7 WHERE kind = 'disputed'"])

    wrong = [finding for finding in verify(world.gateway.engine) if finding.number == 7]
    assert [each for finding in wrong for each in finding.shown if "passed on" in each]


def test_however_many_ask_the_staff_see_what_is_theirs_first(
    world: GatewayWorld, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked, kept, taken_on = (sends(world, name) for name in ("one", "two", "three"))
    for turn, receipt in enumerate((kept, asked, taken_on)):
        asks(world, receipt, f"asks-{turn}")
        world.wait(timedelta(minutes=1))
        if receipt == kept:
            answers(world, KEEP)
    ReverseService(desk(world, settings)).ask(taken_on, None, by("njeri", "on"), whole=False)

    records = SqlRecords(world.gateway.engine)
    for seen in range(4):
        monkeypatch.setattr(orders, "listed_max", seen)
        listed, more = orders.reversals(records)
        assert [one.original for one in listed] == [taken_on, kept, asked][:seen]
        assert more == 3 - len(listed)


def test_staff_see_whose_turn_it_is(world: GatewayWorld, settings: Settings) -> None:
    asks(world, sends(world))
    records = SqlRecords(world.gateway.engine)
    office = desk(world, settings)
    assert office.records.waiting_count(BY_PHONE) == 1
    [asked] = records.waiting(BY_PHONE, count_max=5)
    answers(world, KEEP)
    [kept] = records.waiting(BY_PHONE, count_max=5)

    assert [(one.hold.kind, one.by, one.why) for one in (asked, kept)] == [
        ("asked_back", "", ""),
        ("disputed", "", ""),
    ]
    assert asked.hold.expires_at_ms == kept.hold.expires_at_ms
    assert str(kept.paid) == "KES 500.00"
