"""The language in which a person is spoken to, on screens and by SMS, from the next dial on."""

from ussd_gateway.domain.book import Book, Decision, LanguageChosen
from ussd_gateway.domain.refusals import Reason, Refused
from ussd_gateway.ports import TIMEOUT, UNKNOWN, Action, Answer, Call, Effect, VarType
from ussd_gateway.services.pins import refuse
from ussd_gateway.services.teller import Teller, no, text


def decide(subscriber_id: int, language: str, book: Book) -> Decision:
    """Pure."""
    if not book.subscribers[subscriber_id].active:
        return refuse(Refused(Reason.ACCOUNT_BLOCKED))
    return Decision("ok", {}, changes=(LanguageChosen(subscriber_id, language),))


class ChooseLanguageService:
    """What a menu calls `language`."""

    def __init__(self, teller: Teller) -> None:
        self._teller = teller

    def choose(self, call: Call) -> Answer:
        person, language = self._teller.caller(call), text(call.args["language"])
        if person is None:
            return no(Reason.NOT_REGISTERED)
        return self._teller.commit(
            call,
            ("language", person.msisdn, language),
            subscribers=(person.id,),
            decide=lambda book: decide(person.id, language, book),
        )

    def actions(self) -> tuple[Action, ...]:
        return (
            Action(
                "language",
                Effect.CHANGE,
                {"language": VarType("text", 2)},
                {},
                frozenset(
                    {
                        "ok",
                        TIMEOUT,
                        UNKNOWN,
                        Reason.NOT_REGISTERED.value,
                        Reason.ACCOUNT_BLOCKED.value,
                    }
                ),
                takes_secret=False,
                run=self.choose,
            ),
        )
