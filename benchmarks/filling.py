"""Books that are full already, on PostgreSQL: as they would stand after many payments.

Generated are journals, entries, keys, batches of 200 and two SMS each, delivered. All are like
one payment that the ledger has made: everybody pays in turn, each the same other, so that each
row follows from its number alone, and all invariants hold. They are loaded by COPY into tables
with all of their indexes. Receipts, digests and texts in JSON are the ledger's own code's.

    payment number = round * people + payer     in a round everybody pays once, and is paid once
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

import psycopg

from benchmarks import people
from ussd_gateway.domain import receipt
from ussd_gateway.domain.money import Money
from ussd_gateway.domain.msisdn import masked
from ussd_gateway.settings import Purpose, Settings
from ussd_gateway.store.codec import (
    decode_outcome,
    decode_values,
    encode_outcome,
    encode_values,
)
from ussd_gateway.store.ledger.sealing import batch_digest, command_digest

COLUMNS = {
    "journal": "id, kind, receipt, tariff, business_date, event_at_ms, created_at_ms",
    "entry": "journal_id, leg, account_id, minor, balance_after, account_seq",
    "idempotency": (
        "key, content, outcome, journal_id, route, session_id, msisdn, at_ms, digest, batch_id"
    ),
    "outbox": (
        "key, msisdn, template, language, params, event_at_ms, state, attempt, next_at_ms, "
        "text, segments, provider, provider_id, cost"
    ),
    "batch": "id, digest, at_ms",
    "unsealed": "batch_id",
}
batch_size = 200
at_once = 20_000  # payments in a COPY
HALF = people.count // 2

# Of an SMS: as long as receipts are, and what its provider says.
_TEXT = (
    "UDPLQ28DNK Sent KES 500.00 to Amina Wafula 0711***001. Fee KES 7.00. Balance KES 4,493.00."
)
_COST = "KES 0.8000"

Row = tuple[Any, ...]


@dataclass(slots=True)
class Stands:
    """An account before the first of them, on its own side."""

    balance: int
    seq: int
    side: int


@dataclass(frozen=True, slots=True)
class Model:
    """A payment that the ledger has made, and the books as they stood behind it."""

    kind: str
    tariff: str
    day: date
    at_ms: int
    legs: list[tuple[int, int]]  # account, minor; the payer's first, then the payee's
    content: str
    outcome: str
    messages: list[tuple[str, str]]  # template, params
    accounts: Mapping[int, Stands]
    journal_id: int  # the day's newest
    issued: int
    batch_id: int
    receipt_key: bytes

    @property
    def total(self) -> int:
        return self.legs[0][1]

    @property
    def amount(self) -> int:
        return -self.legs[1][1]


def fill(settings: Settings, payments: int) -> None:
    """So many more payments, in whole rounds. Somebody has paid before, and nobody does now."""
    assert payments % people.count == 0, "everybody pays as often as all others"
    with psycopg.connect(settings.database_url) as connection:
        model = _model(connection, settings)
        # As SMS stand once they were sent: they have grown, and their pages are full.
        connection.execute("ALTER TABLE outbox SET (fillfactor = 100)")
        for first in range(0, payments, at_once):
            rows: dict[str, list[Row]] = {table: [] for table in COLUMNS}
            _make(model, range(first, min(first + at_once, payments)), rows)
            for table, made in rows.items():
                _copy(connection, table, made)
        connection.execute("ALTER TABLE outbox SET (fillfactor = 50)")
        _count(connection, model, payments)
    with psycopg.connect(settings.database_url, autocommit=True) as connection:
        connection.execute("VACUUM (ANALYZE)")
        connection.execute("CHECKPOINT")


def _copy(connection: psycopg.Connection[Row], table: str, rows: Iterable[Row]) -> None:
    with connection.cursor().copy(f"COPY {table} ({COLUMNS[table]}) FROM STDIN") as copy:
        for row in rows:
            copy.write_row(row)


def _make(model: Model, numbers: range, rows: dict[str, list[Row]]) -> None:
    commands: list[tuple[str, bytes]] = []
    for number in numbers:
        batch_id = model.batch_id + 1 + number // batch_size
        commands.append(_pay(model, number, batch_id, rows))
        if len(commands) == batch_size:
            rows["batch"].append((batch_id, batch_digest(commands), model.at_ms))
            rows["unsealed"].append((batch_id,))
            commands.clear()


def _pay(
    model: Model, number: int, batch_id: int, rows: dict[str, list[Row]]
) -> tuple[str, bytes]:
    """Its key and digest."""
    payer, payee = number % people.count, (number + HALF) % people.count
    journal_id = model.journal_id + 1 + number
    printed = receipt.make(model.day, model.issued + number, model.receipt_key)
    entries = _entries(model, number)
    known = (journal_id, model.kind, printed, model.tariff)
    key = f"01996000-0000-7000-8000-{number:012x}:{model.kind}:filled"
    phones = [people.msisdn(payer), people.msisdn(payee)]
    balances = [Money(entry[3], "KES") for entry in entries[:2]]

    decided, numbered = decode_outcome(model.outcome), {"receipt": printed}
    shown = {"number": phones[1], "balance": balances[0]}
    outcome = encode_outcome(decided.name, {**decided.values, **numbered, **shown})
    origin = ("africastalking", f"ATUid_filled_{number}", phones[0], model.at_ms)
    times = (model.at_ms, model.at_ms)
    told = (*known, model.day.isoformat(), *times, None, None)
    digest = command_digest((key, model.content, outcome, *origin), told, entries)

    rows["journal"].append((*known, model.day, *times))
    rows["entry"] += [(journal_id, *entry) for entry in entries]
    rows["idempotency"].append(
        (key, model.content, outcome, journal_id, *origin, digest, batch_id)
    )
    for side, (template, params) in enumerate(model.messages):
        other = masked(phones[1 - side])
        said = decode_values(params) | numbered | {"number": other, "balance": balances[side]}
        message = (key, phones[side], template, "en", encode_values(said), model.at_ms)
        named = ("africastalking", f"ATXid_{number:032x}{side}")
        report = ("delivered", 1, model.at_ms, _TEXT, 1, *named, _COST)
        rows["outbox"].append(message + report)
    return key, digest


def _entries(model: Model, number: int) -> list[tuple[int, int, int, int, int]]:
    """Leg, account, minor, balance after, and the account's own number."""
    turn, payer = divmod(number, people.count)
    # Whoever is in the second half was paid before paying, and the others afterwards.
    later = payer >= HALF
    lost = turn * (model.total - model.amount)
    accounts = [people.ID_FIRST + payer, people.ID_FIRST + (payer + HALF) % people.count]
    changes = [later * model.amount - model.total, model.amount - later * model.total]
    found = []
    for leg, (account, change) in enumerate(zip(accounts, changes, strict=True), 1):
        stood = model.accounts[account]
        after, seq = stood.balance - lost + change, stood.seq + 2 * turn + 1 + later
        found.append((leg, account, model.legs[leg - 1][1], after, seq))
    for leg, (account, minor) in enumerate(model.legs[2:], 3):
        stood = model.accounts[account]
        after = stood.balance + (number + 1) * minor * stood.side
        found.append((leg, account, minor, after, stood.seq + number + 1))
    return found


def _model(connection: psycopg.Connection[Row], settings: Settings) -> Model:
    def rows(asked: str, *values: object) -> list[Row]:
        return connection.execute(asked, values).fetchall()

    asked = "SELECT max(id) FROM journal WHERE kind = %s"
    ((like,),) = rows(asked, people.SPREAD)
    ((kind, tariff, day, at_ms),) = rows(
        "SELECT kind, tariff, business_date, created_at_ms FROM journal WHERE id = %s", like
    )
    ((key, content, outcome),) = rows(
        "SELECT key, content, outcome FROM idempotency WHERE journal_id = %s", like
    )
    asked = "SELECT issued, kid FROM day_counter WHERE business_date = %s"
    ((issued, kid),) = rows(asked, day)
    stands = rows("SELECT id, (debits - credits) * side, seq, side FROM account")
    return Model(
        kind,
        tariff,
        day,
        at_ms,
        rows("SELECT account_id, minor FROM entry WHERE journal_id = %s ORDER BY leg", like),
        content,
        outcome,
        rows("SELECT template, params FROM outbox WHERE key = %s ORDER BY id", key),
        {number: Stands(*rest) for number, *rest in stands},
        rows("SELECT max(id) FROM journal")[0][0],
        issued,
        rows("SELECT max(id) FROM batch")[0][0],
        settings.pin_key.subkey(Purpose.RECEIPT, kid=kid),
    )


def _count(connection: psycopg.Connection[Row], model: Model, payments: int) -> None:
    """What of it stands in other rows: totals, what was used of limits, and the numbers."""
    turns = payments // people.count
    connection.execute(
        "UPDATE account SET debits = debits + %s, credits = credits + %s, seq = seq + %s, "
        "used_on = %s, used_day = used_day + %s, used_month = used_month + %s "
        "WHERE id BETWEEN %s AND %s",
        (turns * model.total, turns * model.amount, 2 * turns, model.day)
        + (turns * model.amount,) * 2
        + (people.ID_FIRST, people.ID_FIRST + people.count - 1),
    )
    for account, minor in model.legs[2:]:
        connection.execute(
            "UPDATE account SET debits = debits + %s, credits = credits + %s, seq = seq + %s "
            "WHERE id = %s",
            (max(minor, 0) * payments, max(-minor, 0) * payments, payments, account),
        )
    asked = "UPDATE day_counter SET issued = issued + %s WHERE business_date = %s"
    connection.execute(asked, (payments, model.day))
    connection.execute(
        "SELECT setval(pg_get_serial_sequence('batch', 'id'), max(id)) FROM batch"
    )
