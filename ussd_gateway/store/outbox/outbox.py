"""The outbox as its users see it: each step is one call, in a transaction of its own."""

from collections.abc import Sequence

from sqlalchemy import Engine

from ussd_gateway.ports import Clock, DeliveryReport
from ussd_gateway.store.outbox import answers, clocks, queueing, reports
from ussd_gateway.store.outbox.answers import Numbers
from ussd_gateway.store.outbox.messages import Answered, Owed


class Outbox:
    """Every method raises SQLAlchemyError where the database does not answer."""

    def __init__(self, engine: Engine, clock: Clock) -> None:
        self._engine = engine
        self._clock = clock

    # --- the relay and the queue

    def take_due(self, *, rows_max: int, in_flight_max: int) -> list[int]:
        """Ids that are to go to the queue now, the most urgent first; they are leased to it.
        No more than `in_flight_max` are with the queue and the workers at a time, and while
        there is no room for `rows_max`, none is taken."""
        return queueing.take_due(
            self._engine, self._now(), rows_max=rows_max, in_flight_max=in_flight_max
        )

    def put_back(self, ids: Sequence[int]) -> None:
        """The queue did not take them."""
        queueing.put_back(self._engine, self._now(), ids)

    # --- the workers

    def begin_sending(self, ids: Sequence[int]) -> list[Owed]:
        """Those of `ids` that nobody took before, in that order: they are ours to send, for one
        lease."""
        return queueing.begin_sending(self._engine, self._now(), ids)

    def finish(self, answered: Sequence[Answered]) -> None:
        """Keeps what became of each message. The same answer again changes nothing."""
        answers.finish(self._engine, self._now(), answered)

    def wake(self, numbers: Sequence[Numbers]) -> int:
        """Makes due those to such numbers that no provider took and that would wait long; gives
        how many, some hundreds at most: 0 where none is left."""
        return answers.wake(self._engine, self._now(), numbers)

    def wake_unwritten(self) -> int:
        """Makes due those that could not be put into words, the most urgent ones where they are
        many; gives how many."""
        return answers.wake_unwritten(self._engine, self._now())

    # --- what providers say later

    def report(self, report: DeliveryReport) -> bool:
        """Whether it is of a message that we know. One that is final is never changed."""
        return reports.report(self._engine, self._now(), report)

    # --- the clock. Each gives how many it moved on, some hundreds at most

    def release_leases(self) -> int:
        """Messages whose lease or wait is over."""
        return clocks.release(self._engine, self._now())

    def match_reports(self) -> int:
        """Messages whose report came under a name that was not theirs yet."""
        return reports.match(self._engine, self._now())

    def expire(self) -> int:
        """Messages that nobody took while they were worth sending."""
        return clocks.expire(self._engine, self._now())

    # --- operators

    def resend(self, ids: Sequence[int]) -> list[int]:
        """Makes due those of `ids` that failed, of which nobody will know or that expired, and
        that are not too old; gives which."""
        return clocks.resend(self._engine, self._now(), ids)

    def _now(self) -> int:
        return int(self._clock.now().timestamp() * 1000)
