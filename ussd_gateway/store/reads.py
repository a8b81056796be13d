"""Reads that hold no lock: what a service looks up before its command, and what screens show.

Everything read here may have changed by the time the command runs; a decision checks again what
it was told.
"""

from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy import Connection, Engine, bindparam, select
from sqlalchemy.exc import SQLAlchemyError

from ussd_gateway.domain.book import Subscriber
from ussd_gateway.domain.msisdn import Msisdn
from ussd_gateway.ports import Answer, BooksLost, Origin, Profile, Settled
from ussd_gateway.store.codec import decode_outcome
from ussd_gateway.store.database import reading
from ussd_gateway.store.rows import subscriber_of
from ussd_gateway.store.schema import idempotency, subscriber

_SUBSCRIBERS = select(subscriber).where(
    subscriber.c.msisdn.in_((bindparam("first"), bindparam("second")))
)
_SETTLED = (
    select(idempotency.c.key, idempotency.c.outcome)
    .where(
        idempotency.c.session_id == bindparam("session_id"),
        idempotency.c.route == bindparam("route"),
        idempotency.c.msisdn == bindparam("msisdn"),
    )
    # Money that moved is what must be told, whatever the clocks said of the answers around it.
    .order_by(idempotency.c.journal_id.desc().nulls_last(), idempotency.c.at_ms.desc())
    .limit(1)
)


class SqlReads:
    """The look-ups of services, and the doors `Profiles` and `Truth` of `ports`."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def subscribers(self, *msisdns: Msisdn) -> dict[Msisdn, Subscriber]:
        """Of one number or two: the most that a payment has to do with."""
        first, second = msisdns[0], msisdns[-1]
        with self._looking() as connection:
            rows = connection.execute(_SUBSCRIBERS, {"first": first, "second": second}).all()
        return {row.msisdn: subscriber_of(tuple(row)) for row in rows}

    def profile(self, msisdn: Msisdn) -> Profile:
        person = self.subscribers(msisdn).get(msisdn)
        if person is None:
            return Profile(msisdn, registered=False, name="", language=None, can_send=False)
        return Profile(
            msisdn,
            registered=True,
            name=person.name,
            language=person.language,
            can_send=person.active,
        )

    def settled(self, origin: Origin) -> Settled | None:
        known = {
            "session_id": origin.session_id,
            "route": origin.route,
            "msisdn": origin.msisdn,
        }
        with self._looking() as connection:
            row = connection.execute(_SETTLED, known).first()
        if row is None:
            return None

        _visit, state, _hop = row.key.split(":")
        outcome = decode_outcome(row.outcome)
        return Settled(state, Answer(outcome.name, outcome.values))

    @contextmanager
    def _looking(self) -> Iterator[Connection]:
        try:
            with reading(self._engine) as connection:
                yield connection
        except SQLAlchemyError as error:
            raise BooksLost(type(error).__name__) from None
