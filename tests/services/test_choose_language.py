"""The language of screens and SMS from the next dial on."""

from dataclasses import replace

from tests.services.cast import AMINA, book
from tests.services.stand_in import World, call
from ussd_gateway.domain.book import LanguageChosen
from ussd_gateway.domain.msisdn import Msisdn
from ussd_gateway.services.choose_language import ChooseLanguageService, decide


def test_a_language_is_chosen_without_a_pin_and_told_to_nobody() -> None:
    decision = decide(AMINA.id, "sw", book())

    assert (decision.outcome, decision.changes) == ("ok", (LanguageChosen(AMINA.id, "sw"),))
    assert decision.messages == ()


def test_who_is_blocked_chooses_nothing() -> None:
    decision = decide(AMINA.id, "sw", book(replace(AMINA, active=False)))
    assert (decision.outcome, decision.changes) == ("account_blocked", ())


def test_it_is_the_callers_own_language() -> None:
    world = World(book())
    service = ChooseLanguageService(world.teller)

    assert service.choose(call({"language": "fr"})).outcome == "ok"
    assert [person.language for person in world.ledger.people.values()] == ["fr", "sw", "en"]
    stranger = call({"language": "fr"}, msisdn=Msisdn("+254711000009"))
    assert service.choose(stranger).outcome == "not_registered"
