"""A gateway's program in the simulation: its services, its writer and its disks. It can be
killed, and begins again.

    try --Asked--> queue --step--> the real writer, on the real database --> outcome --> try
"""

from collections.abc import Callable
from dataclasses import dataclass
from random import Random

from tests.simulation.carrier import SimulatedCarrier
from tests.simulation.disk import Disk
from tests.simulation.turns import Piece
from tests.store.conftest import SetClock
from ussd_gateway.app.chance import SeededRandom
from ussd_gateway.app.files import market
from ussd_gateway.app.services import Carriers, services
from ussd_gateway.domain.book import Outcome, Work
from ussd_gateway.settings import Purpose, Settings
from ussd_gateway.store.database import connect
from ussd_gateway.store.ledger.batch import IN_DOUBT, NOT_DONE, Numbering
from ussd_gateway.store.ledger.sqlite import SqliteBooks
from ussd_gateway.store.ledger.writer import Ticket, Writer
from ussd_gateway.store.price_books import SqlPriceBooks
from ussd_gateway.store.reads import SqlReads


@dataclass(slots=True, eq=False)
class Asked:
    """A command that a try waits for."""

    server: "Server"
    piece: Piece
    work: Work
    ticket: Ticket | None = None
    outcome: Outcome | None = None

    def answered(self, outcome: Outcome) -> None:
        """By the writer; too late for one who stopped waiting."""
        if self.outcome is None:
            self.outcome = outcome

    def stops_waiting(self) -> None:
        """The deadline of who asked: abandoned, or in doubt where the writer has it by now."""
        abandoned = self.ticket is None or self.server.writer.abandon(self.ticket)
        self.answered(NOT_DONE if abandoned else IN_DOUBT)


class Server:
    """`meanwhile` is called while its writer rests after a failure. `life`: how often it was
    begun; services keep nothing from one to the next."""

    def __init__(
        self,
        name: str,
        settings: Settings,
        *,
        clock: SetClock,
        random: Random,
        carrier: SimulatedCarrier,
        meanwhile: Callable[["Server"], None],
    ) -> None:
        self.life = 0
        self._name, self._clock, self._meanwhile = name, clock, meanwhile
        self.queued: list[Asked] = []
        self.stepping = False
        self.piece: Piece | None = None  # that has the turn
        self.asked: list[Asked] = []  # in any state, until its try goes on
        self.disk, self.other_disk = Disk(random), Disk(random)
        self._engine = self.disk.serves(connect(settings.database_url))
        self._other = self.other_disk.serves(connect(settings.database_url))
        self._reads = SqlReads(settings.database_url)
        ring = settings.pin_key
        self._numbering = Numbering(
            lambda kid: ring.subkey(Purpose.RECEIPT, kid=kid),
            ring.current_kid,
            market(settings),
        )
        made = services(
            settings,
            engine=self._other,
            reads=self._reads,
            ledger=self,
            clock=clock,
            random=SeededRandom(clock, 1),
            outside=Carriers(billing=carrier, airtime=carrier),
        )
        SqlPriceBooks(self._other, clock).keep(made.prices)
        self.actions, self.fulfilment = made.actions, made.fulfilment
        self._begins()

    def __str__(self) -> str:
        return f"{self._name}.{self.life}"

    def _begins(self) -> None:
        self.life += 1
        self._books = books = SqliteBooks(self._engine)
        self.writer = Writer(lambda: books, self._numbering, self._clock, rest=self._rests)

    def run(self, work: Work, *, within_s: float) -> Outcome:
        """`ports.Ledger`: the try waits here."""
        assert within_s > 0, "a command has some time"
        assert self.piece is not None, "somebody has the turn"
        asked = Asked(self, self.piece, work)
        self.asked.append(asked)
        outcome: Outcome = self.piece.wait(asked)
        return outcome

    def submit(self, asked: Asked) -> None:
        asked.ticket = self.writer.submit(asked.work, asked.answered)
        self.queued.append(asked)

    def step(self) -> None:
        """All that is queued, in one batch or more. Raises Died."""
        self.queued.clear()
        self.stepping = True
        try:
            self.writer.step(self._books)
        finally:
            self.stepping = False

    def _rests(self, seconds: float) -> None:
        self._clock.wait(seconds)
        self._meanwhile(self)

    def dies(self) -> list[Asked]:
        """What its kernel and SQLite's journal do then, and it begins again. Gives whoever
        waited."""
        self.close()
        waiting, self.asked, self.queued = self.asked, [], []
        self._begins()
        return waiting

    def close(self) -> None:
        self._books.undo(RuntimeError("killed"))
        self._books.close()
        self._reads.close()
        self._engine.dispose()
        self._other.dispose()
