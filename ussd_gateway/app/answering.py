"""What people text to us over SMPP, answered as it is over HTTP.

There it comes with no id, and again where its SMSC did not hear that it was taken, be it that
this process was killed between the answer's commit and saying so. So the same words, of one
number to one short code, are the same message while they come within a minute of the first;
its name is made of them by a key, as a PIN may be among them.
"""

import hmac
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import structlog
from sqlalchemy.exc import SQLAlchemyError

from ussd_gateway.app import chance, wiring
from ussd_gateway.ports import BooksLost, Clock, IncomingSms, IncomingSmsTaker
from ussd_gateway.services.answer_sms import key_of
from ussd_gateway.settings import Purpose, Settings
from ussd_gateway.sms.plan import SMPP
from ussd_gateway.sms.smpp.incoming import Texted
from ussd_gateway.store.reads import SqlReads

log = structlog.get_logger()

# An SMSC that was not answered sends a message again sooner. Whoever asks the same once more
# waits for an answer up to twice as long, and asks a third time.
SAME_WITHIN_S = 60
_NAME_CHARACTERS = 40


@contextmanager
def answering(settings: Settings) -> Iterator[Callable[[Texted], bool]]:
    """Takes what was texted; False: not now. It has a ledger writer of its own. Raises
    Faulty."""
    clock = chance.clock(settings)
    key = settings.pin_key.subkey(Purpose.TEXTED)
    with wiring.answering(settings, clock) as (taker, reads):
        yield _Answering(taker, reads, clock, key).take


class _Answering:
    def __init__(
        self, taker: IncomingSmsTaker, reads: SqlReads, clock: Clock, key: bytes
    ) -> None:
        self._taker = taker
        self._reads = reads
        self._clock = clock
        self._key = key

    def take(self, texted: Texted) -> bool:
        try:
            self._taker.take(self._named(texted))
        except (SQLAlchemyError, BooksLost) as error:
            log.warning("sms.not_answered", error=type(error).__name__)
            return False
        return True

    def _named(self, texted: Texted) -> IncomingSms:
        """By its words and its minute: that of the first, where this is the same again."""
        now = self._clock.now()
        minute = int(now.timestamp()) // SAME_WITHIN_S
        named, before = self._in(minute, texted), self._in(minute - 1, texted)
        if self._reads.knows(key_of(SMPP, before)):
            named = before
        return IncomingSms(SMPP, named, texted.sender, texted.to, texted.text, now)

    def _in(self, minute: int, texted: Texted) -> str:
        words = hmac.digest(self._key, texted.mark, "sha256").hex()
        return f"{words[:_NAME_CHARACTERS]}:{minute}"
