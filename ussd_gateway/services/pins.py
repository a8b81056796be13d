"""The PIN in a command: proved before the queue, judged under the lock.

The tag is computed on the caller's thread, so that neither the queue nor the writer ever sees a
PIN. Under the lock only the count is looked at and two tags are compared, and a wrong one
commits its count although the payment is refused.
"""

import hmac
from dataclasses import dataclass

from ussd_gateway.domain.book import Book, Decision, Message, PinCount, Subscriber
from ussd_gateway.domain.pin import Tried, judge
from ussd_gateway.domain.refusals import Reason, Refused
from ussd_gateway.ports import PinVerifier, Secret

# The SMS it sends (menus/sms.yaml).
TEMPLATES = frozenset({"pin_locked"})


@dataclass(frozen=True, slots=True)
class Proof:
    """What a typed PIN came to, and whose. Its tag says nothing without the verifier's key."""

    subscriber_id: int
    tag: bytes


def prove(person: Subscriber, pin: Secret, verifier: PinVerifier) -> Proof:
    tag = verifier.tag(
        kid=person.pin_kid, subscriber_id=person.id, salt=person.pin_salt, pin=pin
    )
    return Proof(person.id, tag)


def same(tag: bytes, other: bytes) -> bool:
    """Whether two tags are equal, in a time that says nothing of where they differ."""
    return hmac.compare_digest(tag, other)


def judged(proof: Proof, book: Book) -> tuple[Subscriber, Tried]:
    """The locked row, and what this try comes to."""
    person = book.subscribers[proof.subscriber_id]
    tried = judge(wrong_tries=person.wrong_tries, tag=proof.tag, stored_tag=person.pin_tag)
    return person, tried


def refuse_pin(person: Subscriber, tried: Tried) -> Decision:
    """A wrong or locked PIN: the count is kept, and the try that locks it is told by SMS."""
    assert tried.refused is not None
    locked_now = tried.refused.reason is Reason.PIN_LOCKED and (
        tried.wrong_tries != person.wrong_tries
    )
    told = Message(person.msisdn, "pin_locked", person.language, {})
    return Decision(
        tried.refused.reason.value,
        {"tries_left": tried.tries_left},
        messages=(told,) if locked_now else (),
        pin=count(person, tried),
    )


def count(person: Subscriber, tried: Tried) -> PinCount | None:
    """The count to keep, where it changed."""
    if tried.wrong_tries == person.wrong_tries:
        return None
    return PinCount(person.id, tried.wrong_tries)


def refuse(refused: Refused, pin: PinCount | None = None) -> Decision:
    """Any other refusal: nothing moves."""
    return Decision(refused.reason.value, {}, pin=pin)
