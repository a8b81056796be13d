"""Books in which everything has happened that the ledger knows: holds of every end, a refund
and a whole reversal, orders of the staff, two days that are closed, seals and an exported head.

They go on where `true_books` ends, on 2026-11-21, and end on 2026-11-23.
"""

from collections.abc import Iterable
from datetime import UTC, date, datetime

from sqlalchemy import Engine, select

from tests.store.conftest import MARKET, SetClock
from tests.store.true_books import AMINA, GRACE, JUMA, write_books
from ussd_gateway.app import database
from ussd_gateway.app.wiring import writer
from ussd_gateway.domain.book import (
    Book,
    CapSet,
    Change,
    Decision,
    HoldDecided,
    HoldPlaced,
    Message,
    Spent,
    Status,
    StatusSet,
    Work,
)
from ussd_gateway.domain.journal import Hold, HoldState, Leg, Posting, reverse
from ussd_gateway.domain.money import Money
from ussd_gateway.settings import Settings
from ussd_gateway.store.database import reading
from ussd_gateway.store.days.end_of_day import EndOfDay
from ussd_gateway.store.ledger.writer import Writer
from ussd_gateway.store.schema import journal, subscriber
from ussd_gateway.store.seals.heads import FOLDER, export
from ussd_gateway.store.seals.sealer import head, seal_all

# Holds, by their ends.
PENDING, POSTED, PART, VOIDED, EXPIRED, REFUND, REVERSAL = range(9001, 9008)
_SOON_MS, _LATER_MS = 2_000, 10 * 24 * 3_600_000


class _Doing:
    """Commands of nobody's phone, each under a key of its own, and each of them done."""

    def __init__(self, running: Writer, clock: SetClock, engine: Engine) -> None:
        self._running = running
        self._clock = clock
        with reading(engine) as connection:
            wallets = select(subscriber.c.msisdn, subscriber.c.wallet_id)
            ids = {row.msisdn: row.wallet_id for row in connection.execute(wallets)}
            found = select(journal.c.id, journal.c.kind).order_by(journal.c.id)
            paid = [row.id for row in connection.execute(found) if row.kind == "send_money"]
        self.amina, self.juma, self.grace = (ids[who] for who in (AMINA, JUMA, GRACE))
        _, self.by_juma, self.by_grace = paid

    @property
    def now_ms(self) -> int:
        return int(self._clock.now().timestamp() * 1000)

    def do(
        self,
        key: str,
        *changes: Change,
        posting: Posting | None = None,
        messages: Iterable[Message] = (),
        back: int | None = None,
        spent: Spent | None = None,
        subject: int | None = None,
        values: dict[str, object] | None = None,
    ) -> None:
        """`back`: the journal to take back whole. `subject`: the account that staff order
        something for."""

        def decide(book: Book) -> Decision:
            legs = reverse(book.journals[back]).legs if back else ()
            hold = REVERSAL if back else None
            moved = (
                Posting("reversal", legs, reverses_id=back, hold_id=hold) if back else posting
            )
            return Decision("ok", values or {}, moved, tuple(messages), None, changes, spent)

        of = back or (posting and posting.reverses_id)
        decided = tuple(one.hold_id for one in changes if isinstance(one, HoldDecided))
        everybody = {self.amina, self.juma, self.grace}
        fees = (1_000_004_041_320, 1_000_004_042_310, 1_000_004_042_440, 1_000_004_044_010)
        work = Work(
            key=key,
            content=key,
            event_at_ms=self.now_ms,
            subscriber_ids=(),
            account_ids=tuple(sorted({*everybody, *(fees if back else ())})),
            decide=decide,
            route="desk" if subject else None,
            session_id=f"account:{subject}" if subject else None,
            hold_ids=decided,
            journal_ids=(of,) if of else (),
        )
        outcome = self._running.run(work, within_s=10)
        assert outcome.name == "ok", f"{key}: {outcome.name}"

    def pay(self, key: str, source: int, target: int, minor: int) -> None:
        self.do(key, posting=Posting("moved", (Leg(source, minor), Leg(target, -minor))))

    def hold(
        self,
        number: int,
        source: int,
        target: int,
        minor: int,
        *,
        for_ms: int = _LATER_MS,
        of: int | None = None,
    ) -> None:
        at_ms = self.now_ms + for_ms
        one = Hold(
            number, "parked", source, target, minor, 0, HoldState.PENDING, at_ms, journal_id=of
        )
        self.do(f"hold-{number}", HoldPlaced(one))

    def post(self, number: int, source: int, target: int, minor: int, state: HoldState) -> None:
        legs = (Leg(source, minor), Leg(target, -minor))
        posting = Posting("moved", legs, hold_id=number)
        self.do(f"post-{number}", HoldDecided(number, state, minor), posting=posting)


def write_deeds(settings: Settings) -> None:
    """The last commit is not sealed yet, and behind the head that was exported."""
    write_books(settings)
    clock, engine = SetClock(), database(settings)
    running = writer(settings, engine, clock)
    running.start()
    doing = _Doing(running, clock, engine)
    _on_the_first_day(doing, clock)
    days = EndOfDay(engine, clock, MARKET)
    clock.at = datetime(2026, 11, 22, 6, 0, tzinfo=UTC)
    assert days.close_next(), "2026-11-21"
    doing.pay("second-day", doing.grace, doing.amina, 40_00)
    doing.pay("second-day-again", doing.amina, doing.grace, 15_00)
    clock.at = datetime(2026, 11, 23, 6, 0, tzinfo=UTC)
    assert days.close_next(), "2026-11-22"
    doing.pay("third-day", doing.grace, doing.amina, 40_00)
    doing.do("asked-and-no-more")
    seal_all(engine)
    newest = head(engine)
    assert newest is not None
    export(newest, settings.data_dir / FOLDER, at=clock.at, market_date=clock.at.date())
    doing.pay("not-sealed", doing.grace, doing.amina, 10_00)
    running.stop()
    engine.dispose()


def _on_the_first_day(doing: _Doing, clock: SetClock) -> None:
    grace, amina, juma = doing.grace, doing.amina, doing.juma
    doing.hold(PENDING, grace, amina, 100_00)
    doing.hold(POSTED, grace, juma, 50_00)
    doing.hold(PART, grace, juma, 60_00)
    doing.hold(VOIDED, amina, juma, 70_00)
    doing.hold(EXPIRED, amina, juma, 80_00, for_ms=_SOON_MS)
    doing.post(POSTED, grace, juma, 50_00, HoldState.POSTED)
    doing.post(PART, grace, juma, 20_00, HoldState.PART_POSTED)
    doing.do("void", HoldDecided(VOIDED, HoldState.VOIDED))
    clock.wait(60)
    doing.do("expire", HoldDecided(EXPIRED, HoldState.EXPIRED))

    doing.hold(REFUND, amina, grace, 30_00, of=doing.by_grace)
    legs = (Leg(amina, 30_00), Leg(grace, -30_00))
    doing.do(
        "refund",
        HoldDecided(REFUND, HoldState.POSTED, 30_00),
        posting=Posting("refund", legs, reverses_id=doing.by_grace, hold_id=REFUND),
        messages=_told(),
        spent=Spent(grace, 30_00, back_of=date(2026, 11, 21)),
    )
    doing.hold(REVERSAL, amina, juma, 150_00, of=doing.by_juma)
    doing.do(
        "reversal",
        HoldDecided(REVERSAL, HoldState.POSTED, 150_00),
        messages=_told(),
        back=doing.by_juma,
        spent=Spent(juma, 150_00, back_of=date(2026, 11, 21)),
    )
    frozen, cap = Status.FROZEN_IN, Money(90_000_00, "KES")
    doing.do("freeze", StatusSet(juma, frozen), subject=juma, values={"status": frozen.value})
    doing.do("cap", CapSet(juma, cap.minor), subject=juma, values={"cap": cap})


def _told() -> tuple[Message, ...]:
    return (Message(GRACE, "refunded", "en", {}), Message(AMINA, "taken_back", "en", {}))
