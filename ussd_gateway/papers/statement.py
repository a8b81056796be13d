"""A statement as lines of a screen, as CSV, and as values for programs."""

from collections.abc import Iterator
from hashlib import sha256

from ussd_gateway.domain.market import Market
from ussd_gateway.domain.money import Money
from ussd_gateway.domain.statement import Line, Statement
from ussd_gateway.papers.table import Cell, csv_text, decimal

_HEADER = ("time", "receipt", "what", "other_party", "in", "out", "balance", "currency")
_ROW = "{:<14} {:<10}  {:<18} {:<26} {:>14} {:>14} {:>16}"


def as_csv(statement: Statement, market: Market) -> str:
    """A row for the opening balance, one for each entry, and one for the closing balance."""
    return csv_text(_HEADER, _cells(statement, market))


def check_code(statement: Statement, market: Market) -> str:
    """SHA-256 of the CSV: whoever makes the statement again gets the same, or it differs."""
    return sha256(as_csv(statement, market).encode()).hexdigest()


def as_lines(statement: Statement, market: Market, *, account_name: str) -> Iterator[str]:
    yield f"{statement.holder or 'Our own'}  {statement.ref}  {statement.code} {account_name}"
    yield (
        f"{statement.first} to {statement.last}, {market.zone.key}, amounts in "
        f"{statement.currency}"
    )
    yield ""
    yield _ROW.format("time", "receipt", "", "", "in", "out", "balance").rstrip()
    yield _ROW.format("", "", "Opening balance", "", "", "", statement.opening.plain)
    for line in statement.lines:
        came, went = sides(line, statement.currency)
        yield _ROW.format(
            market.written(line.at_ms),
            line.receipt,
            line.words,
            line.other,
            *(side.plain if side else "" for side in (came, went)),
            Money(line.balance_minor, statement.currency).plain,
        )
    totals = (statement.paid_in.plain, statement.paid_out.plain, statement.closing.plain)
    yield _ROW.format("", "", "Closing balance", "", *totals)
    if statement.pending:
        yield ""
        yield "Waiting now, and in no balance yet:"
    for one in statement.pending:
        yield (
            f"{market.written(one.placed_at_ms)}  {one.words}  "
            f"{Money(one.minor, statement.currency)}  until {market.written(one.expires_at_ms)}"
        )


def as_values(statement: Statement, market: Market) -> dict[str, object]:
    """What `--json` prints."""
    return {
        "id": statement.ref,
        "code": statement.code,
        "holder": statement.holder,
        "currency": statement.currency,
        "from": statement.first.isoformat(),
        "to": statement.last.isoformat(),
        "opening": decimal(statement.opening),
        "closing": decimal(statement.closing),
        "in": decimal(statement.paid_in),
        "out": decimal(statement.paid_out),
        "adds_up": statement.adds_up,
        "check": check_code(statement, market),
        "entries": [
            {
                "time": market.stamped(line.at_ms),
                "receipt": line.receipt,
                "kind": line.kind,
                "other_party": line.other,
                "amount": decimal(Money(line.minor, statement.currency)),
                "balance": decimal(Money(line.balance_minor, statement.currency)),
            }
            for line in statement.lines
        ],
        "pending": [
            {
                "kind": one.kind,
                "amount": decimal(Money(one.minor, statement.currency)),
                "placed_at": market.stamped(one.placed_at_ms),
                "expires_at": market.stamped(one.expires_at_ms),
            }
            for one in statement.pending
        ],
    }


def sides(line: Line, currency: str) -> tuple[Money | None, Money | None]:
    """What came in, and what went out: one of them."""
    if line.minor < 0:
        return None, Money(-line.minor, currency)
    return Money(line.minor, currency), None


def _cells(statement: Statement, market: Market) -> Iterator[tuple[Cell, ...]]:
    currency = statement.currency
    begins, ends = statement.first.isoformat(), statement.last.isoformat()
    yield (begins, "", "Opening balance", "", None, None, statement.opening, currency)
    for line in statement.lines:
        yield (
            market.stamped(line.at_ms),
            line.receipt,
            line.words,
            line.other,
            *sides(line, currency),
            Money(line.balance_minor, currency),
            currency,
        )
    totals = (statement.paid_in, statement.paid_out, statement.closing)
    yield (ends, "", "Closing balance", "", *totals, currency)
