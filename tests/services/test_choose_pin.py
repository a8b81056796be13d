"""A new PIN in three hops: each hop's no, and what a proof and a ticket are good for."""

from dataclasses import replace

import pytest

from tests.services.cast import AMINA, JUMA
from tests.services.choosing import NEW, OLD, STRANGER, Choosing
from tests.services.stand_in import Args, with_pin
from ussd_gateway.domain.book import Subscriber
from ussd_gateway.domain.msisdn import Msisdn
from ussd_gateway.domain.pin import TRIES_MAX
from ussd_gateway.services.choose_pin import TICKET_MS
from ussd_gateway.store.pins import HmacTickets


@pytest.fixture
def choosing() -> Choosing:
    return Choosing()


def test_the_right_pin_and_the_new_one_twice_change_it(choosing: Choosing) -> None:
    assert choosing.changed(choosing.proof(), choosing.ticket()) == "ok"

    assert choosing.amina_has(NEW)
    assert not choosing.amina_has(OLD)
    assert choosing.world.ledger.people[AMINA.id].pin_kid == "k2"
    assert choosing.world.ledger.templates == ["pin_changed"]


@pytest.mark.parametrize(
    ("person", "pin", "outcome"),
    [
        (replace(AMINA, msisdn=STRANGER), OLD, "not_registered"),
        (replace(AMINA, active=False), OLD, "account_blocked"),
        (replace(AMINA, wrong_tries=3), OLD, "pin_locked"),
        (AMINA, "1111", "wrong_pin"),
    ],
    ids=["not registered", "blocked", "locked", "wrong"],
)
def test_without_the_pin_of_today_there_is_no_proof(
    choosing: Choosing, person: Subscriber, pin: str, outcome: str
) -> None:
    choosing.world.ledger.people[AMINA.id] = with_pin(person, OLD)
    answer = choosing.service.prove(choosing.call(pin))

    assert answer.outcome == outcome
    assert "proof" not in answer.values


def test_a_wrong_pin_is_counted_as_it_is_everywhere(choosing: Choosing) -> None:
    answers = [choosing.service.prove(choosing.call("1111")) for _ in range(3)]

    assert [answer.outcome for answer in answers] == ["wrong_pin", "wrong_pin", "pin_locked"]
    assert choosing.world.ledger.templates == ["pin_locked"]


@pytest.mark.parametrize(
    ("pin", "outcome"), [("1234", "weak_pin"), (OLD, "same_pin"), (NEW, "ok")]
)
def test_a_new_pin_is_neither_weak_nor_the_old_one(
    choosing: Choosing, pin: str, outcome: str
) -> None:
    args: Args = {"proof": choosing.proof()}
    assert choosing.service.choose(choosing.call(pin, args)).outcome == outcome


@pytest.mark.parametrize("pin", [OLD, NEW])
@pytest.mark.parametrize("proof", ["", "a.b.c", "Juma's", "late", "spent"])
def test_without_a_proof_of_today_nothing_is_told_of_a_pin(
    choosing: Choosing, proof: str, pin: str
) -> None:
    if proof == "Juma's":
        choosing.world.ledger.people[JUMA.id] = with_pin(JUMA, "7391")
        proof = choosing.proof(by=JUMA.msisdn, pin="7391")
    if proof == "late":
        proof = choosing.proof()
        choosing.world.clock.wait(TICKET_MS / 1000)
    if proof == "spent":
        proof = choosing.proof()
        assert choosing.changed(proof, choosing.ticket()) == "ok"

    args: Args = {"proof": proof}
    assert choosing.service.choose(choosing.call(pin, args)).outcome == "expired"


@pytest.mark.parametrize(
    ("by", "pin", "outcome"),
    [
        (STRANGER, NEW, "ok"),
        (STRANGER, "1234", "weak_pin"),
        (AMINA.msisdn, NEW, "already_registered"),
        (AMINA.msisdn, OLD, "already_registered"),
    ],
)
def test_a_first_pin_is_not_weak_and_of_somebody_new(
    choosing: Choosing, by: Msisdn, pin: str, outcome: str
) -> None:
    assert choosing.service.first(choosing.call(pin, by=by)).outcome == outcome


def test_nothing_that_is_kept_or_handed_out_has_the_pin_in_it(choosing: Choosing) -> None:
    proof, ticket = choosing.proof(), choosing.ticket()
    choosing.changed(proof, ticket)
    fields = [choosing.tickets.open(sealed) or () for sealed in (proof, ticket)]

    assert not {OLD, NEW} & {field for each in fields for field in each}
    assert NEW not in ticket.split("&")
    assert all(OLD not in str(work) for work in choosing.world.ledger.works)


def test_the_second_time_it_must_be_the_same_pin(choosing: Choosing) -> None:
    assert choosing.changed(choosing.proof(), choosing.ticket(), pin="9154") == "pins_differ"
    assert choosing.amina_has(OLD)


def test_tickets_are_good_until_their_time_is_over(choosing: Choosing) -> None:
    proof, ticket = choosing.proof(), choosing.ticket()
    choosing.world.clock.wait(TICKET_MS / 1000 - 0.001)
    assert choosing.changed(proof, ticket) == "ok"


@pytest.mark.parametrize("late", ["proof", "ticket"])
def test_an_expired_ticket_changes_nothing(choosing: Choosing, late: str) -> None:
    old = {"proof": choosing.proof(), "ticket": choosing.ticket()}
    choosing.world.clock.wait(TICKET_MS / 1000)
    fresh = {"proof": choosing.proof(), "ticket": choosing.ticket()}

    assert _changed(choosing, {**fresh, late: old[late]}) == "expired"
    assert choosing.amina_has(OLD)


@pytest.mark.parametrize("theirs", ["proof", "ticket"])
def test_a_ticket_of_another_phone_changes_nothing(choosing: Choosing, theirs: str) -> None:
    choosing.world.ledger.people[JUMA.id] = with_pin(JUMA, "7391")
    juma, mine = JUMA.msisdn, {"proof": choosing.proof(), "ticket": choosing.ticket()}
    his = {
        "proof": choosing.proof(by=juma, pin="7391"),
        "ticket": choosing.ticket(by=juma, old="7391"),
    }

    assert _changed(choosing, {**mine, theirs: his[theirs]}) == "expired"
    assert choosing.amina_has(OLD)


@pytest.mark.parametrize("spoilt", ["proof", "ticket"])
@pytest.mark.parametrize("place", [0, 64, 65, -1], ids=["mac", "dot", "kind", "end"])
def test_a_ticket_with_one_character_changed_is_none(
    choosing: Choosing, spoilt: str, place: int
) -> None:
    mine = {"proof": choosing.proof(), "ticket": choosing.ticket()}
    written = list(mine[spoilt])
    written[place] = "0" if written[place] != "0" else "1"
    mine[spoilt] = "".join(written)

    assert _changed(choosing, mine) == "expired"
    assert choosing.amina_has(OLD)


@pytest.mark.parametrize("wrong", ["", ".", "é.x", "proof", "a.b.c"])
def test_what_was_never_a_ticket_is_none(choosing: Choosing, wrong: str) -> None:
    assert choosing.changed(choosing.proof(), wrong) == "expired"
    assert choosing.changed(wrong, choosing.ticket()) == "expired"


def test_a_ticket_is_for_its_own_purpose_only(choosing: Choosing) -> None:
    proof, ticket = choosing.proof(), choosing.ticket()

    assert choosing.changed(ticket, ticket) == "expired"
    assert choosing.changed(proof, proof) == "expired"


def test_a_ticket_of_another_key_is_none(choosing: Choosing) -> None:
    fields = choosing.tickets.open(choosing.ticket())
    assert fields is not None
    forged = HmacTickets(b"another key").seal(*fields)

    assert choosing.changed(choosing.proof(), forged) == "expired"


def test_a_proof_is_worth_nothing_once_the_pin_is_another(choosing: Choosing) -> None:
    proof, first, second = choosing.proof(), choosing.ticket(), choosing.ticket(pin="8264")
    assert choosing.changed(proof, first) == "ok"

    assert choosing.changed(proof, first) == "expired"
    assert choosing.changed(proof, second, pin="8264") == "expired"
    assert choosing.amina_has(NEW)


def test_a_repeat_of_the_last_hop_gets_its_answer_again(choosing: Choosing) -> None:
    last = choosing.call(NEW, {"proof": choosing.proof(), "ticket": choosing.ticket()})

    assert choosing.service.change(last).outcome == "ok"
    assert choosing.service.change(last).outcome == "ok"
    assert choosing.world.ledger.templates == ["pin_changed"]


def test_who_was_blocked_meanwhile_changes_nothing(choosing: Choosing) -> None:
    proof, ticket = choosing.proof(), choosing.ticket()
    amina = choosing.world.ledger.people[AMINA.id]
    choosing.world.ledger.people[AMINA.id] = replace(amina, active=False)

    assert choosing.changed(proof, ticket) == "account_blocked"
    assert choosing.amina_has(OLD)


def test_a_pin_that_was_locked_meanwhile_is_not_freed_by_a_new_one(choosing: Choosing) -> None:
    proof, ticket = choosing.proof(), choosing.ticket()
    amina = choosing.world.ledger.people[AMINA.id]
    choosing.world.ledger.people[AMINA.id] = replace(amina, wrong_tries=TRIES_MAX)

    assert choosing.changed(proof, ticket) == "pin_locked"
    assert choosing.amina_has(OLD)


def test_a_stranger_who_chose_a_pin_changes_nobodys(choosing: Choosing) -> None:
    ticket = choosing.first()

    assert choosing.changed(choosing.proof(), ticket, by=STRANGER) == "expired"
    assert choosing.changed(ticket, ticket, by=STRANGER) == "expired"
    assert choosing.amina_has(OLD)


def _changed(choosing: Choosing, sealed: dict[str, str]) -> str:
    return choosing.changed(sealed["proof"], sealed["ticket"])
