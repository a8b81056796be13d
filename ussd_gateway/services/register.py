"""Somebody new registers alone, into the lowest tier: name, ID number, PIN twice, consent.

Wallet, person and what they agreed to are one commit, with the SMS that welcomes them.
"""

from dataclasses import dataclass

from ussd_gateway.domain.book import Book, Decision, Message, Registered, Subscriber
from ussd_gateway.domain.limits import LOWEST
from ussd_gateway.domain.refusals import Reason, Refused
from ussd_gateway.ports import TIMEOUT, UNKNOWN, Action, Answer, Call, Effect, VarType
from ussd_gateway.services.choose_pin import ChoosePinService, Chosen
from ussd_gateway.services.pins import refuse
from ussd_gateway.services.teller import ID, Teller, no, text

# The SMS it sends (menus/sms.yaml).
TEMPLATES = frozenset({"registered"})

NAME, ID_NUMBER = VarType("text", 20), VarType("digits", 20)
TERMS, LANGUAGE = VarType("text", 20), VarType("text", 2)


@dataclass(frozen=True, slots=True)
class Register:
    """The command. `terms` is the version that was on the screen."""

    subscriber: Subscriber
    currency: str
    balance_max: int
    id_number: str
    terms: str


def decide(command: Register, book: Book) -> Decision:
    """Pure. Whoever is in the book has the number already; somebody who took it meanwhile is
    kept out by its unique key."""
    if book.subscribers:
        return refuse(Refused(Reason.ALREADY_REGISTERED))
    person = command.subscriber
    change = Registered(
        person, command.currency, command.balance_max, command.id_number, command.terms
    )
    told = Message(person.msisdn, "registered", person.language, {"name": person.name})
    return Decision("ok", {"name": person.name}, messages=(told,), changes=(change,))


class RegisterService:
    """What a menu calls `register`."""

    def __init__(self, teller: Teller, pins: ChoosePinService) -> None:
        self._teller = teller
        self._pins = pins

    def register(self, call: Call) -> Answer:
        chosen = self._pins.repeated(call)
        if isinstance(chosen, Refused):
            return no(chosen.reason)

        limit = self._teller.limits[LOWEST]
        command = Register(
            self._newcomer(call, chosen),
            self._teller.market.currency,
            limit.balance_max.minor,
            text(call.args["id_number"]),
            text(call.args["terms"]),
        )
        # Asked of the books and not here: a repeat of this very command is told what it did.
        known = self._teller.caller(call)
        answer = self._teller.commit(
            call,
            ("register", *self._asked(call), chosen.salt.hex()),
            subscribers=(known.id,) if known else (),
            decide=lambda book: decide(command, book),
        )
        # The number's unique key says no where another session was faster.
        if answer.outcome == TIMEOUT and self._teller.caller(call) is not None:
            return no(Reason.ALREADY_REGISTERED)
        return answer

    def _asked(self, call: Call) -> tuple[str, ...]:
        names = ("name", "id_number", "language", "terms")
        return (call.origin.msisdn, *(text(call.args[name]) for name in names))

    def _newcomer(self, call: Call, chosen: Chosen) -> Subscriber:
        number = chosen.subscriber_id
        name = _written(text(call.args["name"]))
        language = text(call.args["language"])
        msisdn = call.origin.msisdn
        return Subscriber(
            id=number,
            msisdn=msisdn,
            name=name,
            language=language,
            tier=LOWEST,
            active=True,
            wallet_id=number,
            pin_kid=chosen.kid,
            pin_salt=chosen.salt,
            pin_tag=chosen.tag,
            wrong_tries=0,
        )

    def actions(self) -> tuple[Action, ...]:
        reasons = (Reason.ALREADY_REGISTERED, Reason.EXPIRED, Reason.PINS_DIFFER)
        return (
            Action(
                "register",
                Effect.CHANGE,
                {
                    "name": NAME,
                    "id_number": ID_NUMBER,
                    "language": LANGUAGE,
                    "terms": TERMS,
                    "ticket": ID,
                },
                {"name": NAME},
                frozenset({"ok", TIMEOUT, UNKNOWN} | {each.value for each in reasons}),
                takes_secret=True,
                run=self.register,
            ),
        )


def _written(name: str) -> str:
    """As names are written: keypads make capitals hard to type."""
    return " ".join(word[:1].upper() + word[1:] for word in name.split())
