"""The PIN policy: which PINs are too weak, how many wrong ones lock an account, and what a try
does to the count.

Tags, not PINs, are compared, under the lock of the subscriber's row; the count is kept even
where the payment is refused.
"""

import hmac
from dataclasses import dataclass

from ussd_gateway.domain.refusals import Reason, Refused

TRIES_MAX = 3
SALT_OCTETS = 16

# Years in which people who may hold an account were born, and those that they like to recall.
_YEARS = ("19", "20")
_STEPS = ("01234567890", "09876543210")
# Straight down and up the middle of a keypad.
_COLUMNS = ("2580", "0852")


@dataclass(frozen=True, slots=True)
class Tried:
    """A try's outcome: the count to keep, and the refusal if it was wrong."""

    wrong_tries: int
    refused: Refused | None

    @property
    def tries_left(self) -> int:
        return max(0, TRIES_MAX - self.wrong_tries)


def judge(*, wrong_tries: int, tag: bytes, stored_tag: bytes) -> Tried:
    """`wrong_tries` so far. A locked PIN is not compared at all, so that nothing is learned."""
    if wrong_tries >= TRIES_MAX:
        return Tried(wrong_tries, Refused(Reason.PIN_LOCKED))
    if hmac.compare_digest(tag, stored_tag):
        return Tried(0, None)
    if wrong_tries + 1 == TRIES_MAX:
        return Tried(TRIES_MAX, Refused(Reason.PIN_LOCKED))
    return Tried(wrong_tries + 1, Refused(Reason.WRONG_PIN))


def is_weak(pin: str) -> bool:
    """Whether it is among the first that a thief would try: one digit or one pair repeated, a
    run up or down, the middle of the keypad, a birthday year."""
    repeated = len(set(pin)) == 1 or pin[: len(pin) // 2] == pin[len(pin) // 2 :]
    runs = any(pin in steps for steps in _STEPS)
    return repeated or runs or pin in _COLUMNS or pin.startswith(_YEARS)
