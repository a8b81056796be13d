"""The ledger's writer in a process of its own, with callers' threads: made to be killed.

    python -m tests.chaos.clerk URL

Orders come in by stdin, one JSON list a line, and answers go out by stdout, each line in one
write: what was answered before a `kill -9` stands in the pipe. It ends where stdin does. It
seals meanwhile, as the scheduler does.
"""

import json
import os
import sys
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import structlog
from sqlalchemy import Engine
from sqlalchemy.exc import DBAPIError

from ussd_gateway.domain.book import Book, Change, Decision, Message, Work
from ussd_gateway.domain.journal import Hold, HoldState, Leg, Posting
from ussd_gateway.domain.market import Market
from ussd_gateway.domain.msisdn import Msisdn
from ussd_gateway.services.orders.desk import Objected
from ussd_gateway.services.orders.hold_money import expire, place, post, void
from ussd_gateway.store.database import connect
from ussd_gateway.store.ledger.batch import Books, Numbering
from ussd_gateway.store.ledger.postgres import PostgresBooks
from ussd_gateway.store.ledger.sqlite import SqliteBooks
from ussd_gateway.store.ledger.writer import Writer
from ussd_gateway.store.seals.sealer import seal_waiting

threads = 64
within_s = 3.0
seal_every_s = 0.1

MARKET = Market("KE", "KES", ZoneInfo("Africa/Nairobi"))
NUMBERING = Numbering(lambda kid: kid.encode() * 16, "k1", MARKET)


@dataclass(frozen=True, slots=True)
class Order:
    """What a caller asks for, under a key. `minor` of a post is what it posts of its hold; the
    accounts of a hold's orders are the hold's."""

    kind: str  # pay | place | post | void | expire
    key: str
    source: int
    target: int
    minor: int
    hold: int = 0
    expires_at_ms: int = 0

    def work(self) -> Work:
        decide = {
            "pay": self._pay,
            "place": self._place,
            "post": self._post,
            "void": self._void,
            "expire": self._expire,
        }[self.kind]
        return Work(
            key=self.key,
            content=f"{self.kind} {self.source} {self.target} {self.minor} {self.hold}",
            event_at_ms=1_000,
            subscriber_ids=(),
            account_ids=(self.source, self.target),
            decide=decide,
            hold_ids=() if self.kind in ("pay", "place") else (self.hold,),
        )

    def _pay(self, book: Book) -> Decision:
        if not self._fits(book):
            return Decision("low", {})
        messages = tuple(
            Message(Msisdn(f"+2547110{number % 100_000:05}"), template, "en", {})
            for number, template in ((self.source, "sent"), (self.target, "received"))
        )
        return Decision("ok", {}, Posting("moved", self._legs), messages)

    def _place(self, book: Book) -> Decision:
        hold = Hold(
            id=self.hold,
            kind="held",
            source_id=self.source,
            target_id=self.target,
            minor=self.minor,
            posted=0,
            state=HoldState.PENDING,
            expires_at_ms=self.expires_at_ms,
        )
        return _decision(place(hold, book))

    def _post(self, book: Book) -> Decision:
        posting = Posting("held", self._legs, hold_id=self.hold)
        return _decision(post(self.hold, self.minor, book), posting)

    def _void(self, book: Book) -> Decision:
        return _decision(void(self.hold, book))

    def _expire(self, book: Book) -> Decision:
        return _decision(expire(self.hold, book))

    def _fits(self, book: Book) -> bool:
        source, target = book.accounts[self.source], book.accounts[self.target]
        return source.takes(self.minor) and target.takes(-self.minor)

    @property
    def _legs(self) -> tuple[Leg, ...]:
        return Leg(self.source, self.minor), Leg(self.target, -self.minor)


def _decision(found: Change | Objected, posting: Posting | None = None) -> Decision:
    if isinstance(found, Objected):
        return Decision(found.objection.value, {})
    return Decision("ok", {}, posting, changes=(found,))


class SystemClock:
    def now(self) -> datetime:
        return datetime.now(UTC)


def books_of(engine: Engine) -> Books:
    return SqliteBooks(engine) if engine.dialect.name == "sqlite" else PostgresBooks(engine)


def _say(*words: object) -> None:
    os.write(1, f"{json.dumps(words)}\n".encode())


def _answering(writer: Writer) -> Callable[[str], None]:
    def answer(line: str) -> None:
        number, *asked = json.loads(line)
        outcome = writer.run(Order(*asked).work(), within_s=within_s)
        _say(number, outcome.name, outcome.values.get("receipt"))

    return answer


def _seal(engine: Engine, ended: threading.Event) -> None:
    while not ended.wait(seal_every_s):
        # Where the database is away, there is nothing to seal either.
        with suppress(DBAPIError):
            seal_waiting(engine)


def main() -> None:
    structlog.configure(logger_factory=structlog.PrintLoggerFactory(sys.stderr))
    engine = connect(sys.argv[1])
    writer = Writer(lambda: books_of(engine), NUMBERING, SystemClock())
    writer.start()
    answer = _answering(writer)
    ended = threading.Event()
    sealing = threading.Thread(target=_seal, args=(engine, ended))
    sealing.start()
    _say("ready")
    with ThreadPoolExecutor(threads) as pool:
        for line in sys.stdin:
            pool.submit(answer, line)
    ended.set()
    sealing.join()
    writer.stop()


if __name__ == "__main__":
    main()
