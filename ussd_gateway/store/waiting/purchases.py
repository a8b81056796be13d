"""Purchases on their way: who asks the carrier, and when one is looked at again.

    due --claim--> asked --the ledger's own commit--> done | refused
                     ^  |
                     +--+ looked at again after a wait that doubles

`asked` is committed before the carrier is called: a purchase found there later may have been
asked for, so from then on it is only ever looked up, never asked for again.
"""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import ColumnElement, Engine, RowMapping, and_, func, or_, select, update
from sqlalchemy.exc import SQLAlchemyError

from ussd_gateway.domain.book import Purchase, PurchaseState
from ussd_gateway.domain.money import Money
from ussd_gateway.domain.msisdn import Msisdn
from ussd_gateway.ports import (
    Clock,
    PurchasesLost,
    Standing,
    StatusReport,
    Supplied,
    Taken,
)
from ussd_gateway.store.database import reading, writing
from ussd_gateway.store.schema import purchase

# Longer than a hop may wait for its carrier: before this, the hop itself may still settle it.
FIRST_LOOK_MS = 10_000
LOOK_MAX_MS = 3_600_000
LAST = (Standing.DONE, Standing.REFUSED)
OPEN = (PurchaseState.DUE.value, PurchaseState.ASKED.value)


class SqlPurchases:
    """`ports.Purchases`."""

    def __init__(self, engine: Engine, clock: Clock) -> None:
        self._engine = engine
        self._clock = clock

    def take(self, key: str) -> Purchase | None:
        found = (purchase.c.key == key, purchase.c.state == PurchaseState.DUE.value)
        taken = self._move(*found)
        return taken[0].purchase if taken else None

    def take_overdue(self, count_max: int) -> Sequence[Taken]:
        now = self._now()
        overdue = (purchase.c.state.in_(OPEN), purchase.c.next_at_ms <= now)
        oldest = select(purchase.c.key).where(*overdue).order_by(purchase.c.next_at_ms)
        try:
            with reading(self._engine) as connection:
                some = list(connection.execute(oldest.limit(count_max)).scalars())
        except SQLAlchemyError as error:
            raise PurchasesLost(type(error).__name__) from None
        return self._move(purchase.c.key.in_(some), *overdue) if some else []

    def note(self, key: str, supplied: Supplied) -> None:
        """Keeps what the carrier said so far, by which its later word is recognised."""
        noted = update(purchase).where(purchase.c.key == key, purchase.c.state.in_(OPEN))
        values: dict[str, Any] = {"detail": supplied.detail}
        if supplied.supplier_id is not None:
            values["supplier_id"] = supplied.supplier_id
        if supplied.standing in LAST:
            values["heard"] = supplied.standing.value
        try:
            with writing(self._engine) as connection:
                connection.execute(noted.values(values))
        except SQLAlchemyError as error:
            raise PurchasesLost(type(error).__name__) from None

    def reported(self, kind: str, report: StatusReport) -> Purchase | None:
        known = (purchase.c.kind == kind, purchase.c.supplier_id == report.supplier_id)
        if found := self._look(*known):
            ours = [one for one in found if _is_of(report, one)]
            return ours[0] if len(ours) == 1 else None
        if report.amount is None:
            return None
        # A report may overtake the answer that names it, or the one who was told it died.
        unnamed = (
            *_just_this(kind, report.msisdn, report.amount),
            purchase.c.supplier_id.is_(None),
            purchase.c.state == PurchaseState.ASKED.value,
        )
        found = self._look(*unnamed)
        return found[0] if len(found) == 1 else None

    def expected(self, kind: str, msisdn: Msisdn, amount: Money) -> bool:
        return bool(self._look(*_just_this(kind, msisdn, amount), purchase.c.state.in_(OPEN)))

    def asked_since(
        self, kind: str, msisdn: Msisdn, amount: Money, *, since_ms: int, but: str = ""
    ) -> bool:
        # What is open still, however old: of two like it nobody could tell a report's. And what
        # the carrier took lately, though it failed it later: such a one has a name of theirs.
        lately = func.coalesce(purchase.c.first_asked_ms, purchase.c.asked_at_ms) > since_ms
        taken = or_(
            purchase.c.state == PurchaseState.DONE.value, purchase.c.supplier_id.is_not(None)
        )
        return bool(
            self._look(
                *_just_this(kind, msisdn, amount),
                purchase.c.key != but,
                or_(purchase.c.state.in_(OPEN), and_(lately, taken)),
            )
        )

    def backlog(self) -> dict[str, int]:
        """How many purchases are in each state."""
        counts = select(purchase.c.state, func.count().label("rows")).group_by(purchase.c.state)
        with reading(self._engine) as connection:
            return {row.state: row.rows for row in connection.execute(counts)}

    def _move(self, *where: ColumnElement[bool]) -> list[Taken]:
        """Those rows as they were, theirs now to ask for or to look up until the next look."""
        rows = select(purchase).where(*where).order_by(purchase.c.key).with_for_update()
        taken = []
        try:
            with writing(self._engine) as connection:
                for row in connection.execute(rows).mappings().all():
                    wait_ms = min(FIRST_LOOK_MS * 2 ** row["tries"], LOOK_MAX_MS)
                    connection.execute(
                        update(purchase)
                        .where(purchase.c.key == row["key"])
                        .values(
                            state=PurchaseState.ASKED.value,
                            tries=min(row["tries"] + 1, 20),
                            first_asked_ms=row["first_asked_ms"] or self._now(),
                            next_at_ms=self._now() + wait_ms,
                        )
                    )
                    asked = row["state"] == PurchaseState.ASKED.value
                    taken.append(
                        Taken(
                            _purchase(row),
                            asked_before=asked,
                            waited_ms=self._now() - (row["first_asked_ms"] or self._now()),
                            heard=_heard(row),
                        )
                    )
        except SQLAlchemyError as error:
            raise PurchasesLost(type(error).__name__) from None
        return taken

    def _look(self, *where: ColumnElement[bool]) -> list[Purchase]:
        """Two at most."""
        try:
            with reading(self._engine) as connection:
                rows = connection.execute(select(purchase).where(*where).limit(2))
                return [_purchase(row) for row in rows.mappings()]
        except SQLAlchemyError as error:
            raise PurchasesLost(type(error).__name__) from None

    def _now(self) -> int:
        return int(self._clock.now().timestamp() * 1000)


def _just_this(kind: str, msisdn: Msisdn, amount: Money) -> tuple[ColumnElement[bool], ...]:
    return (
        purchase.c.msisdn == msisdn,
        purchase.c.kind == kind,
        purchase.c.currency == amount.currency,
        purchase.c.minor == amount.minor,
    )


def _is_of(report: StatusReport, bought: Purchase) -> bool:
    return report.msisdn == bought.msisdn and report.amount in (None, bought.amount)


def _heard(row: RowMapping) -> Supplied | None:
    if row["heard"] is None:
        return None
    return Supplied(Standing(row["heard"]), row["supplier_id"], row["detail"])


def _purchase(row: RowMapping) -> Purchase:
    return Purchase(
        row["key"],
        row["kind"],
        row["subscriber_id"],
        Msisdn(row["msisdn"]),
        Money(row["minor"], row["currency"]),
        row["merchant"],
        row["item"],
        row["asked_at_ms"],
    )
