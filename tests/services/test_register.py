"""Somebody new: an empty wallet in the lowest tier, a PIN typed twice, and a welcome."""

import pytest

from tests.services.cast import AMINA, kes
from tests.services.choosing import NEW, STRANGER, Choosing
from tests.services.stand_in import VERIFIER, Args
from ussd_gateway.domain.book import Outcome
from ussd_gateway.domain.msisdn import Msisdn
from ussd_gateway.ports import Answer, Secret
from ussd_gateway.services.choose_pin import TICKET_MS
from ussd_gateway.services.register import RegisterService


@pytest.fixture
def choosing() -> Choosing:
    return Choosing()


def test_somebody_new_gets_an_empty_wallet_in_the_lowest_tier(choosing: Choosing) -> None:
    answer = _registers(choosing, choosing.first())

    assert (answer.outcome, answer.values) == ("ok", {"name": "Otieno Ouma"})
    (new,) = choosing.world.ledger.registered
    person = new.subscriber
    assert (person.msisdn, person.name, person.language) == (STRANGER, "Otieno Ouma", "sw")
    assert (person.tier, person.active, person.wrong_tries) == ("minimum", True, 0)
    assert (new.currency, new.cap) == ("KES", kes(50_000).minor)
    assert (new.id_number, new.terms) == ("12345678", "2026-11")
    assert [(told.to, told.template) for told in choosing.world.ledger.messages] == [
        (STRANGER, "registered")
    ]


def test_the_pin_that_was_chosen_is_the_one_that_is_kept(choosing: Choosing) -> None:
    _registers(choosing, choosing.first())

    person = choosing.world.ledger.registered[0].subscriber
    tag = VERIFIER.tag(
        kid=person.pin_kid, subscriber_id=person.id, salt=person.pin_salt, pin=Secret(NEW)
    )
    assert person.pin_tag == tag


def test_who_is_registered_already_is_told_so(choosing: Choosing) -> None:
    answer = _registers(choosing, choosing.ticket(), by=AMINA.msisdn)

    assert answer.outcome == "already_registered"
    assert choosing.world.ledger.registered == []
    assert choosing.world.ledger.messages == []


def test_a_registration_that_the_books_did_not_take_can_be_tried_again(
    choosing: Choosing,
) -> None:
    last = choosing.call(NEW, _args(choosing.first()), by=STRANGER)
    choosing.world.ledger.trouble_at[last.key] = Outcome("timeout", {})
    service = RegisterService(choosing.world.teller, choosing.service)

    assert service.register(last).outcome == "timeout"
    assert service.register(last).outcome == "ok"


def test_a_pin_that_is_not_repeated_registers_nobody(choosing: Choosing) -> None:
    answer = _registers(choosing, choosing.first(), pin="9154")

    assert answer.outcome == "pins_differ"
    assert choosing.world.ledger.registered == []


def test_an_expired_ticket_registers_nobody(choosing: Choosing) -> None:
    ticket = choosing.first()
    choosing.world.clock.wait(TICKET_MS / 1000)

    assert _registers(choosing, ticket).outcome == "expired"


@pytest.mark.parametrize("sort", ["another phone's", "a proof", "tampered"])
def test_a_ticket_that_is_not_for_this_registers_nobody(choosing: Choosing, sort: str) -> None:
    ticket = {
        "another phone's": choosing.first(by=Msisdn("+254711000008")),
        "a proof": choosing.proof(),
        "tampered": choosing.first().replace("%2B254", "%2B255"),
    }[sort]

    assert _registers(choosing, ticket).outcome == "expired"
    assert choosing.world.ledger.registered == []


def test_two_who_register_have_wallets_of_their_own(choosing: Choosing) -> None:
    other = Msisdn("+254711000008")
    _registers(choosing, choosing.first())
    _registers(choosing, choosing.first(by=other), by=other)

    first, second = (new.subscriber for new in choosing.world.ledger.registered)
    assert len({first.wallet_id, second.wallet_id}) == 2
    assert first.pin_tag != second.pin_tag


def test_a_repeat_of_the_last_hop_gets_its_answer_again(choosing: Choosing) -> None:
    args = _args(choosing.first())
    last = choosing.call(NEW, args, by=STRANGER)
    service = RegisterService(choosing.world.teller, choosing.service)

    assert service.register(last).outcome == "ok"
    assert service.register(last).outcome == "ok"
    assert len(choosing.world.ledger.registered) == 1


def _registers(
    choosing: Choosing, ticket: str, *, pin: str = NEW, by: Msisdn = STRANGER
) -> Answer:
    service = RegisterService(choosing.world.teller, choosing.service)
    return service.register(choosing.call(pin, _args(ticket), by=by))


def _args(ticket: str) -> Args:
    return {
        "name": "otieno  ouma",
        "id_number": "12345678",
        "language": "sw",
        "terms": "2026-11",
        "ticket": ticket,
    }
