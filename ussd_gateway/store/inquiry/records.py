"""What is looked up before money is held or taken back: a journal by its receipt, holds, and
whose an account is. Nothing here is on the way of a payment."""

from collections.abc import Iterable, Sequence
from typing import Any

from sqlalchemy import Connection, Engine, and_, func, literal, literal_column, or_, select

from ussd_gateway.domain.accounts import CHART, COMMISSION, WALLET
from ussd_gateway.domain.book import Outcome, PurchaseState, Status
from ussd_gateway.domain.money import Money
from ussd_gateway.domain.msisdn import Msisdn
from ussd_gateway.domain.voucher import VoucherState
from ussd_gateway.ports import Barred, Holder, Needed, OnHold, Recorded
from ussd_gateway.store.asked import asking
from ussd_gateway.store.codec import decode_outcome
from ussd_gateway.store.inquiry.holds import PENDING
from ussd_gateway.store.rows import hold_of
from ussd_gateway.store.schema import (
    account,
    assistant,
    business,
    entry,
    hold,
    idempotency,
    journal,
    purchase,
    voucher,
)
from ussd_gateway.store.schema import subscriber as person

# One account's columns, and its holder's: a person by the wallet, a business by its own account
# or by that of its commission.
_HOLDERS = (
    select(
        account.c.id,
        account.c.public_ref,
        account.c.code,
        account.c.currency,
        account.c.side,
        account.c.debits,
        account.c.credits,
        account.c.status,
        func.coalesce(person.c.name, business.c.name, "").label("name"),
        func.coalesce(person.c.msisdn, business.c.msisdn).label("msisdn"),
        func.coalesce(person.c.language, business.c.language, "").label("language"),
    )
    .select_from(account)
    .outerjoin(person, person.c.wallet_id == account.c.id)
    .outerjoin(
        business,
        or_(business.c.account_id == account.c.id, business.c.commission_id == account.c.id),
    )
)
_JOURNAL = select(
    journal.c.id,
    journal.c.kind,
    journal.c.receipt,
    journal.c.event_at_ms,
    idempotency.c.outcome,
).select_from(journal.join(idempotency, idempotency.c.journal_id == journal.c.id))
_LEGS = select(entry.c.account_id).order_by(entry.c.leg)
_HOLDS = (
    select(
        hold.c.id,
        hold.c.kind,
        hold.c.source_id,
        hold.c.target_id,
        hold.c.minor,
        hold.c.posted,
        hold.c.state,
        hold.c.expires_at_ms,
        hold.c.journal_id,
        hold.c.placed_at_ms,
        idempotency.c.outcome,
        journal.c.receipt,
    )
    .select_from(hold)
    .join(idempotency, idempotency.c.key == hold.c.key)
    .outerjoin(journal, journal.c.id == hold.c.journal_id)
    .order_by(hold.c.placed_at_ms, hold.c.id)
)
_Row = Any  # as SQLAlchemy gives it: a value for each column, by name
# Written out, and no parameter: or the index of those that are pending would not be used.
_OPEN = (PurchaseState.DUE.value, PurchaseState.ASKED.value)
_UNCASHED = voucher.c.state == literal_column(f"'{VoucherState.OPEN.value}'")


class SqlRecords:
    """`ports.Records`."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def journal(self, receipt: str) -> Recorded | None:
        with asking(self._engine) as connection:
            found = connection.execute(_JOURNAL.where(journal.c.receipt == receipt)).first()
            if found is None:
                return None
            legs = _LEGS.where(entry.c.journal_id == found.id)
            account_ids = tuple(connection.execute(legs).scalars())
            holders = _holders(connection, account_ids)
        return Recorded(
            found.id,
            found.kind,
            found.receipt,
            holders[account_ids[0]],
            holders[account_ids[1]],
            account_ids,
            frozenset(each.account_id for each in holders.values() if _is_commission(each)),
            _money(decode_outcome(found.outcome), "amount"),
            found.event_at_ms,
        )

    def held(self, hold_id: int) -> OnHold | None:
        with asking(self._engine) as connection:
            rows = connection.execute(_HOLDS.where(hold.c.id == hold_id)).all()
            return next(iter(_held(connection, rows)), None)

    def holds_of(self, journal_id: int) -> list[OnHold]:
        with asking(self._engine) as connection:
            found = connection.execute(_HOLDS.where(hold.c.journal_id == journal_id))
            return _held(connection, found.all())

    def held_of(self, account_id: int, kind: str, *, now_ms: int) -> OnHold | None:
        of_it = (hold.c.source_id == account_id, hold.c.kind == kind)
        still = (PENDING, hold.c.expires_at_ms > now_ms)
        with asking(self._engine) as connection:
            found = connection.execute(_HOLDS.where(*of_it, *still).limit(1))
            return next(iter(_held(connection, found.all())), None)

    def waiting(self, kinds: Sequence[str], *, count_max: int) -> list[OnHold]:
        found = _HOLDS.where(PENDING, hold.c.kind.in_(kinds)).limit(count_max)
        with asking(self._engine) as connection:
            return _held(connection, connection.execute(found).all())

    def waiting_count(self, kinds: Sequence[str]) -> int:
        found = select(func.count()).select_from(hold).where(PENDING, hold.c.kind.in_(kinds))
        with asking(self._engine) as connection:
            return int(connection.execute(found).scalar_one())

    def overdue(self, now_ms: int, *, count_max: int) -> list[int]:
        found = (
            select(hold.c.id)
            .where(PENDING, hold.c.expires_at_ms <= now_ms)
            .order_by(hold.c.expires_at_ms)
            .limit(count_max)
        )
        with asking(self._engine) as connection:
            return list(connection.execute(found).scalars())

    def holder(self, *refs: str) -> Holder | None:
        with asking(self._engine) as connection:
            rows = connection.execute(_HOLDERS.where(account.c.public_ref.in_(refs)))
            found = {row.public_ref: _holder(row) for row in rows}
        return next((found[ref] for ref in refs if ref in found), None)

    def needed(self, account_id: int) -> Needed:
        # The count of its entries first: what comes after it is seen by the writer.
        entries = select(account.c.seq, account.c.code).where(account.c.id == account_id)
        its = (business.c.account_id == account_id) | (business.c.commission_id == account_id)
        trade = literal("it is of the ").concat(business.c.trade)
        own = select(trade, business.c.number, business.c.name).where(its)
        staffed = (
            select(literal("its holder serves the store"), business.c.number, business.c.name)
            .select_from(assistant.join(person).join(business))
            .where(person.c.wallet_id == account_id)
        )
        bought = (
            select(func.count())
            .select_from(purchase.join(person))
            .where(person.c.wallet_id == account_id, purchase.c.state.in_(_OPEN))
        )
        sent = select(func.count()).where(voucher.c.wallet_id == account_id, _UNCASHED)
        with asking(self._engine) as connection:
            seq, code = connection.execute(entries).one()
            served = connection.execute(own.union(staffed)).first()
            count = sum(connection.execute(each).scalar_one() for each in (bought, sent))
        # Only people come and go: a business may be paid as long as its number is out.
        other = "" if code == WALLET.number else f"it is of a {CHART[code].name}"
        return Needed(" ".join(served or ()) or other, count, seq)

    def barred(self, *, count_max: int) -> list[Barred]:
        found = (
            _HOLDERS.where(account.c.status != Status.ACTIVE.value)
            .order_by(account.c.public_ref)
            .limit(count_max)
        )
        with asking(self._engine) as connection:
            rows = connection.execute(found).all()
            return [_barred(row, _last_order(connection, row)) for row in rows]

    def barred_count(self) -> int:
        not_active = account.c.status != Status.ACTIVE.value
        found = select(func.count()).select_from(account).where(not_active)
        with asking(self._engine) as connection:
            return int(connection.execute(found).scalar_one())


def _holders(connection: Connection, account_ids: Iterable[int]) -> dict[int, Holder]:
    rows = connection.execute(_HOLDERS.where(account.c.id.in_(set(account_ids))))
    return {row.id: _holder(row) for row in rows}


def _holder(row: _Row) -> Holder:
    # Nobody is told of commission that goes: it is looked at on the phone.
    told = row.msisdn is not None and row.code != COMMISSION.number
    msisdn = Msisdn(row.msisdn) if told else None
    return Holder(
        row.id, row.public_ref, row.code, row.currency, row.name, msisdn, row.language
    )


def _is_commission(holder: Holder) -> bool:
    return holder.code == COMMISSION.number


def _held(connection: Connection, rows: Sequence[_Row]) -> list[OnHold]:
    holders = _holders(connection, (each for row in rows for each in row[2:4]))
    return [
        OnHold(
            hold_of(tuple(row[:9])),
            holders[row.source_id],
            holders[row.target_id],
            row.receipt or "",
            row.placed_at_ms,
            *_ordered(asked := decode_outcome(row.outcome)),
            _money(asked, "paid"),
        )
        for row in rows
    ]


def _last_order(connection: Connection, row: _Row) -> _Row | None:
    """The last command about its status that was carried out."""
    orders = (
        select(idempotency.c.outcome, idempotency.c.at_ms)
        .where(
            and_(
                idempotency.c.session_id == f"account:{row.id}",
                idempotency.c.outcome.like('["ok",%"status"%'),
            )
        )
        .order_by(idempotency.c.at_ms.desc(), idempotency.c.key.desc())
        .limit(1)
    )
    return connection.execute(orders).first()


def _barred(row: _Row, order: _Row | None) -> Barred:
    balance = Money((row.debits - row.credits) * row.side, row.currency)
    by, why = _ordered(decode_outcome(order.outcome)) if order else ("", "")
    at_ms = order.at_ms if order else 0
    return Barred(_holder(row), Status(row.status), balance, by, why, at_ms)


def _money(outcome: Outcome, name: str) -> Money | None:
    found = outcome.values.get(name)
    return found if isinstance(found, Money) else None


def _ordered(outcome: Outcome) -> tuple[str, str]:
    """By whom, and why."""
    return str(outcome.values.get("by", "")), str(outcome.values.get("why", ""))
