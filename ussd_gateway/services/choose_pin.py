"""A PIN of one's own choice, in three hops, none of which keeps a PIN.

    prove   the PIN of today        -> proof: whose, and which verifier it was
    choose  a new one, not weak     -> ticket: its verifier, for whom, until when
            (first, of somebody who is not registered yet and goes on to `register`)
    change  the new one once more   proof + ticket + PIN -> the verifier is replaced

Proof and ticket are sealed, so that no menu and no session store can make one up.
"""

from dataclasses import dataclass

from ussd_gateway.domain import pin as policy
from ussd_gateway.domain.book import Book, Decision, PinChosen
from ussd_gateway.domain.refusals import Reason, Refused
from ussd_gateway.ports import (
    TIMEOUT,
    UNKNOWN,
    Action,
    Answer,
    Call,
    Effect,
    Numbers,
    Random,
    Secret,
    Tickets,
)
from ussd_gateway.services.pins import prove, refuse, same
from ussd_gateway.services.teller import (
    COUNT,
    ID,
    Accepted,
    Teller,
    decided,
    no,
    outcomes,
    pin_outcomes,
    tell,
    text,
)

# The SMS it sends (menus/sms.yaml).
TEMPLATES = frozenset({"pin_changed"})

TICKET_MS = 300_000
_PROOF, _CHOSEN = "proof", "chosen"


@dataclass(frozen=True, slots=True)
class Chosen:
    """A verifier in waiting, for the account numbered `subscriber_id`."""

    subscriber_id: int
    kid: str
    salt: bytes
    tag: bytes


def decide(proved_salt: str, chosen: Chosen, book: Book) -> Decision:
    """Pure. The proof is of the verifier that stands now, or it is of no use."""
    person = book.subscribers[chosen.subscriber_id]
    if not person.active:
        return refuse(Refused(Reason.ACCOUNT_BLOCKED))
    # A change must not free what wrong tries have locked meanwhile.
    if person.wrong_tries >= policy.TRIES_MAX:
        return refuse(Refused(Reason.PIN_LOCKED))
    if person.pin_salt.hex() != proved_salt:
        return refuse(Refused(Reason.EXPIRED))

    change = PinChosen(person.id, chosen.kid, chosen.salt, chosen.tag)
    return Decision("ok", {}, messages=(tell(person, "pin_changed", {}),), changes=(change,))


class ChoosePinService:
    """What menus call `pin.prove`, `pin.choose`, `pin.first` and `pin.change`."""

    def __init__(
        self, teller: Teller, tickets: Tickets, numbers: Numbers, random: Random, *, kid: str
    ) -> None:
        """`kid` names the key of new verifiers."""
        self._teller = teller
        self._tickets = tickets
        self._numbers = numbers
        self._random = random
        self._kid = kid

    def prove(self, call: Call) -> Answer:
        person = self._teller.caller(call)
        if person is None:
            return no(Reason.NOT_REGISTERED)

        proof = self._teller.prove(person, call)
        answer = self._teller.commit(
            call,
            ("pin.prove", person.msisdn),
            subscribers=(person.id,),
            decide=lambda book: decided(
                proof, book, lambda proved: Accepted({"salt": proved.pin_salt.hex()})
            ),
        )
        if answer.outcome != "ok":
            return answer
        # Not in the stored outcome: a proof is good for a few minutes, an outcome for ever.
        sealed = self._seal(_PROOF, call, str(person.id), str(answer.values["salt"]))
        return Answer("ok", {"proof": sealed})

    def choose(self, call: Call) -> Answer:
        """A new PIN in the place of the one that was proved. Keeps nothing itself: what was
        chosen is in the ticket."""
        assert call.secret is not None, "this action takes a PIN"
        person = self._teller.caller(call)
        proof = self._open(_PROOF, call, call.args["proof"])
        if policy.is_weak(call.secret.reveal()):
            return no(Reason.WEAK_PIN)
        if person is None or proof != (str(person.id), person.pin_salt.hex()):
            return no(Reason.EXPIRED)
        # Only who proved the PIN of today learns that this is it.
        if same(prove(person, call.secret, self._teller.verifier).tag, person.pin_tag):
            return no(Reason.SAME_PIN)
        return self._chosen(call, person.id, call.secret)

    def first(self, call: Call) -> Answer:
        """The PIN of somebody who is about to register."""
        assert call.secret is not None, "this action takes a PIN"
        if policy.is_weak(call.secret.reveal()):
            return no(Reason.WEAK_PIN)
        if self._teller.caller(call) is not None:
            return no(Reason.ALREADY_REGISTERED)
        return self._chosen(call, self._numbers.next(), call.secret)

    def change(self, call: Call) -> Answer:
        chosen, proof = self.repeated(call), self._open(_PROOF, call, call.args["proof"])
        if isinstance(chosen, Refused):
            return no(chosen.reason)
        if proof is None or proof[0] != str(chosen.subscriber_id):
            return no(Reason.EXPIRED)
        return self._teller.commit(
            call,
            ("pin.change", call.origin.msisdn, chosen.salt.hex()),
            subscribers=(chosen.subscriber_id,),
            decide=lambda book: decide(proof[1], chosen, book),
        )

    def repeated(self, call: Call) -> Chosen | Refused:
        """What was chosen, if the PIN of this call is the same again."""
        assert call.secret is not None, "this action takes a PIN"
        found = self._open(_CHOSEN, call, call.args["ticket"])
        if found is None:
            return Refused(Reason.EXPIRED)

        number, kid, salt, tag = found
        chosen = Chosen(int(number), kid, bytes.fromhex(salt), bytes.fromhex(tag))
        again = self._tag(chosen.subscriber_id, kid, chosen.salt, call.secret)
        return chosen if same(again, chosen.tag) else Refused(Reason.PINS_DIFFER)

    def _chosen(self, call: Call, number: int, pin: Secret) -> Answer:
        salt = self._random.octets(policy.SALT_OCTETS)
        tag = self._tag(number, self._kid, salt, pin)
        sealed = self._seal(_CHOSEN, call, str(number), self._kid, salt.hex(), tag.hex())
        return Answer("ok", {"ticket": sealed})

    def _tag(self, number: int, kid: str, salt: bytes, pin: Secret) -> bytes:
        return self._teller.verifier.tag(kid=kid, subscriber_id=number, salt=salt, pin=pin)

    def _seal(self, kind: str, call: Call, *fields: str) -> str:
        until_ms = self._teller.now_ms() + TICKET_MS
        return self._tickets.seal(kind, call.origin.msisdn, str(until_ms), *fields)

    def _open(self, kind: str, call: Call, ticket: object) -> tuple[str, ...] | None:
        """What a ticket of this kind, for this phone, says; None where it is over."""
        match self._tickets.open(text(ticket)):
            case (found, msisdn, until_ms, *fields) if (
                found == kind
                and msisdn == call.origin.msisdn
                and self._teller.now_ms() < int(until_ms)
            ):
                return tuple(fields)
            case _:
                return None

    def actions(self) -> tuple[Action, ...]:
        changed = frozenset(
            {
                "ok",
                TIMEOUT,
                UNKNOWN,
                Reason.ACCOUNT_BLOCKED.value,
                Reason.PIN_LOCKED.value,
                Reason.EXPIRED.value,
                Reason.PINS_DIFFER.value,
            }
        )
        return (
            Action(
                "pin.prove",
                Effect.CHANGE,
                {},
                {"proof": ID, "tries_left": COUNT},
                pin_outcomes(),
                takes_secret=True,
                run=self.prove,
            ),
            Action(
                "pin.choose",
                Effect.CHANGE,
                {"proof": ID},
                {"ticket": ID},
                outcomes(Reason.EXPIRED, Reason.WEAK_PIN, Reason.SAME_PIN),
                takes_secret=True,
                run=self.choose,
            ),
            Action(
                "pin.first",
                Effect.CHANGE,
                {},
                {"ticket": ID},
                outcomes(Reason.ALREADY_REGISTERED, Reason.WEAK_PIN),
                takes_secret=True,
                run=self.first,
            ),
            Action(
                "pin.change",
                Effect.CHANGE,
                {"proof": ID, "ticket": ID},
                {},
                changed,
                takes_secret=True,
                run=self.change,
            ),
        )
