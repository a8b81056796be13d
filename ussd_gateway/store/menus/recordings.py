"""What phones do while a member of staff wants to know it, masked before it comes here.

    menu_recording (number, by whom, until when) <-- menu_recorded (one input each)

Which numbers are wanted is known in memory and looked up every few seconds: a hop costs one
look into a dict. What cannot be written is let go of: no phone waits for it, no hop fails.
"""

import threading
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta

import structlog
from sqlalchemy import Engine, delete, func, insert, select
from sqlalchemy.exc import SQLAlchemyError

from ussd_gateway.ports import BooksLost, Clock
from ussd_gateway.store.asked import asking
from ussd_gateway.store.database import writing
from ussd_gateway.store.schema import menu_recorded, menu_recording

look_every_ms = 2_000
inputs_max = 500  # of one recording
for_max = timedelta(hours=1)
# A number is kept for no longer than a test takes to be made of it.
kept_max = timedelta(days=7)

_MS = timedelta(milliseconds=1)

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Recorded:
    """One input, masked. `who` dials, as one of the demo cast; empty where nobody does."""

    at_ms: int
    who: str
    language: str
    state: str
    dials: bool
    text: str


@dataclass(frozen=True, slots=True)
class _Wanted:
    recording_id: int
    ends_at_ms: int


class SqlRecordings:
    """`ussd.recording.Recorder`; and what staff begin and read."""

    def __init__(self, engine: Engine, clock: Clock) -> None:
        self._engine = engine
        self._clock = clock
        self._wanted: Mapping[str, _Wanted] = {}
        self._looked_ms = 0
        self._looking = threading.Lock()

    def begin(self, msisdn: str, *, by: str, lasts: timedelta) -> None:
        """From now on, for so long. What is older than `kept_max` is forgotten."""
        assert timedelta(0) < lasts <= for_max, "a recording ends soon"
        now_ms = self._now_ms()
        old = select(menu_recording.c.id).where(
            menu_recording.c.ends_at_ms < now_ms - kept_max // _MS
        )
        row = insert(menu_recording).values(
            msisdn=msisdn, author=by, at_ms=now_ms, ends_at_ms=now_ms + lasts // _MS
        )
        with writing(self._engine) as connection:
            connection.execute(
                delete(menu_recorded).where(menu_recorded.c.recording_id.in_(old))
            )
            connection.execute(
                delete(menu_recording).where(
                    menu_recording.c.ends_at_ms < now_ms - kept_max // _MS
                )
            )
            connection.execute(row)

    def recorded(self, msisdn: str) -> list[Recorded] | None:
        """The newest recording of the number; None where there is none. Raises BooksLost."""
        newest = select(func.max(menu_recording.c.id)).where(menu_recording.c.msisdn == msisdn)
        with asking(self._engine) as connection:
            recording_id = connection.execute(newest).scalar()
            if recording_id is None:
                return None
            rows = connection.execute(
                select(menu_recorded)
                .where(menu_recorded.c.recording_id == recording_id)
                .order_by(menu_recorded.c.id)
            )
            return [
                Recorded(row.at_ms, row.who, row.language, row.state, row.dials, row.text)
                for row in rows
            ]

    def wants(self, msisdn: str) -> bool:
        now_ms = self._now_ms()
        if now_ms - self._looked_ms >= look_every_ms and self._looking.acquire(blocking=False):
            try:
                self._look(now_ms)
            finally:
                self._looking.release()
        wanted = self._wanted.get(msisdn)
        return wanted is not None and wanted.ends_at_ms > now_ms

    def keep(
        self, msisdn: str, *, who: str, language: str, state: str, dials: bool, text: str
    ) -> None:
        wanted = self._wanted.get(msisdn)
        if wanted is None:
            return
        kept = select(func.count()).where(menu_recorded.c.recording_id == wanted.recording_id)
        row = insert(menu_recorded).values(
            recording_id=wanted.recording_id,
            at_ms=self._now_ms(),
            who=who,
            language=language,
            state=state,
            dials=dials,
            text=text,
        )
        try:
            with writing(self._engine) as connection:
                if (connection.execute(kept).scalar() or 0) < inputs_max:
                    connection.execute(row)
        except SQLAlchemyError as error:
            log.warning("recording.not_written", error=type(error).__name__)

    def _look(self, now_ms: int) -> None:
        """One thread at a time; the others go by what was found before."""
        self._looked_ms = now_ms
        wanted = select(menu_recording).where(menu_recording.c.ends_at_ms > now_ms)
        try:
            with asking(self._engine) as connection:
                rows = connection.execute(wanted.order_by(menu_recording.c.id)).all()
        except BooksLost as lost:
            log.warning("recording.not_looked", error=str(lost))
            return
        self._wanted = {row.msisdn: _Wanted(row.id, row.ends_at_ms) for row in rows}

    def _now_ms(self) -> int:
        return int(self._clock.now().timestamp() * 1000)
