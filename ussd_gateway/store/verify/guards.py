"""Invariants 15 and 16: rows of the books never change, and what was posted only grows, because
the database itself refuses all else.

Looked at twice. The triggers must be there, armed, for every row and without conditions but
their own, as the database describes them; and a real try on each table's first row, in a
transaction that is rolled back whatever comes, must be refused. TRUNCATE is not tried: the try
would wait for every payment, and every payment for it.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass

from sqlalchemy import (
    Connection,
    Delete,
    Engine,
    Select,
    Table,
    Update,
    delete,
    func,
    select,
    text,
    update,
)
from sqlalchemy.exc import DBAPIError, IntegrityError

from ussd_gateway.store.database import writing
from ussd_gateway.store.schema import (
    account,
    batch,
    closed_day,
    end_of_day,
    entry,
    hold,
    idempotency,
    journal,
    price_book,
    seal,
    voucher,
)
from ussd_gateway.store.verify.finding import Tally

# Tables whose rows never change, each with a column to try to change, and the one that finds
# its first row.
_TABLES: tuple[tuple[Table, str, str], ...] = (
    (journal, "kind", "id"),
    (entry, "minor", "journal_id"),
    (idempotency, "outcome", "key"),
    (batch, "digest", "id"),
    (seal, "chain", "seq"),
    (price_book, "content", "id"),
    (end_of_day, "debits", "business_date"),
    (closed_day, "debits", "business_date"),
)


@dataclass(frozen=True, slots=True)
class _Rule:
    """A trigger that refuses some changes of a table. `when` as SQLite keeps it, in small
    letters and without brackets; None: always."""

    table: str
    name: str
    verb: str
    when: str | None
    forbids: str


_RULES = (
    _Rule(
        "account",
        "account_only_grows",
        "UPDATE",
        "new.debits < old.debits or new.credits < old.credits or new.seq < old.seq",
        "that posted totals shrink",
    ),
    _Rule(
        "account",
        "account_barred",
        "UPDATE",
        "old.status in 'frozen_both', 'dormant', 'closed' and new.status in 'frozen_both', "
        "'dormant', 'closed' and case when old.side = 1 then new.debits <> old.debits else "
        "new.credits <> old.credits end or case when old.side = 1 then new.credits <> "
        "old.credits and new.credits + new.credits_pending > old.credits + old.credits_pending "
        "else new.debits <> old.debits and new.debits + new.debits_pending > old.debits + "
        "old.debits_pending end or old.status = 'frozen_in' and new.status = 'frozen_in' and "
        "case when old.side = 1 then new.debits <> old.debits else new.credits <> old.credits "
        "end",
        "that money moves in a barred account but what was held of it",
    ),
    _Rule(
        "hold",
        "hold_decided_once",
        "UPDATE",
        "old.state <> 'pending' or new.id <> old.id or new.minor <> old.minor or "
        "new.source_id <> old.source_id or new.target_id <> old.target_id",
        "that a hold is decided again",
    ),
    _Rule("hold", "hold_kept", "DELETE", None, "that a hold is removed"),
    _Rule(
        "voucher",
        "voucher_ends_once",
        "UPDATE",
        "old.state <> 'open' or new.wrong_tries < old.wrong_tries or new.id <> old.id or "
        "new.key <> old.key or new.subscriber_id <> old.subscriber_id or "
        "new.wallet_id <> old.wallet_id or new.msisdn <> old.msisdn or "
        "new.currency <> old.currency or new.minor <> old.minor or "
        "new.code_kid <> old.code_kid or new.code_salt <> old.code_salt or "
        "new.code_tag <> old.code_tag or new.sent_at_ms <> old.sent_at_ms or "
        "new.expires_at_ms <> old.expires_at_ms",
        "that a voucher ends again",
    ),
    _Rule("voucher", "voucher_kept", "DELETE", None, "that a voucher is removed"),
    _Rule("account", "account_kept", "DELETE", None, "that an account is removed"),
    _Rule(
        "day_counter",
        "day_kept_closed",
        "UPDATE",
        "old.closed is not null and new.closed is null or new.closed <> old.closed",
        "that a closed day is opened again",
    ),
)

_SQLITE_TRIGGERS = text("SELECT name, tbl_name, sql FROM sqlite_master WHERE type = 'trigger'")
_SQLITE_GUARD = re.compile(
    r"CREATE TRIGGER \w+ BEFORE (?P<verb>UPDATE|DELETE) ON \w+ (FOR EACH ROW )?"
    r"(WHEN (?P<when>.+) )?BEGIN SELECT RAISE ?\(ABORT, '[^']*'\); END",
    re.IGNORECASE,
)

_POSTGRES_TRIGGERS = text(
    "SELECT t.tgname, c.relname, t.tgtype, p.prosrc, pg_get_triggerdef(t.oid, true) "
    "FROM pg_trigger t "
    "JOIN pg_class c ON c.oid = t.tgrelid JOIN pg_proc p ON p.oid = t.tgfoid "
    # Armed for every session but replicas', on all columns, and not on another schema's.
    "WHERE t.tgenabled IN ('O', 'A') AND t.tgattr::text = '' AND pg_table_is_visible(c.oid)"
)
# A month of entries is a table of its own, to which its own triggers apply.
_POSTGRES_PARTS = text(
    "SELECT parent.relname, part.relname FROM pg_inherits "
    "JOIN pg_class parent ON parent.oid = inhparent JOIN pg_class part ON part.oid = inhrelid "
    "WHERE parent.relkind = 'p' AND pg_table_is_visible(parent.oid) ORDER BY part.relname"
)
_POSTGRES_BEFORE = 2
_POSTGRES_VERBS = {"DELETE": 8, "UPDATE": 16, "TRUNCATE": 32}
_POSTGRES_GUARD = re.compile(r"\s*BEGIN\s+RAISE\s+EXCEPTION\b", re.IGNORECASE)
_POSTGRES_WHEN = re.compile(r" WHEN \((?P<when>.+)\) EXECUTE ", re.DOTALL)

# A trigger; on PostgreSQL a right that was revoked, or a standby; a disk that takes no writes.
_REFUSALS = frozenset(
    {"SQLITE_CONSTRAINT_TRIGGER", "SQLITE_READONLY", "P0001", "42501", "25006"}
)


@dataclass(frozen=True, slots=True)
class _Guard:
    """A trigger that is there, and refuses."""

    name: str
    table: str
    verb: str
    when: str | None


def check_guards(books: Connection, *, guarded: Tally, grown: Tally) -> None:
    on_sqlite = books.dialect.name == "sqlite"
    found = tuple(_sqlite_guards(books) if on_sqlite else _postgres_guards(books))
    whole = {(guard.table, guard.verb) for guard in found if guard.when is None}
    # SQLite has no TRUNCATE.
    verbs = ("UPDATE", "DELETE") if on_sqlite else tuple(_POSTGRES_VERBS)
    names = [table.name for table, _, _ in _TABLES]
    if not on_sqlite:
        names += [part for table, part in books.execute(_POSTGRES_PARTS) if table in names]
    for name in names:
        for verb in verbs:
            guarded.checked += 1
            if (name, verb) not in whole:
                guarded.wrong(f"{name}: no trigger forbids {verb}")
    for rule in _RULES:
        grown.checked += 1
        if _Guard(rule.name, rule.table, rule.verb, rule.when) not in found:
            grown.wrong(f"{rule.table}: no trigger forbids {rule.forbids}")


def try_to_change(engine: Engine, *, guarded: Tally, grown: Tally) -> None:
    """Leaves no trace, whether it is refused or not."""
    for table, column, key in _TABLES:
        first = select(func.min(table.c[key]))
        where = table.c[key] == first.scalar_subquery()
        for verb, statement in (
            ("UPDATE", update(table).where(where).values({column: table.c[column]})),
            ("DELETE", delete(table).where(where)),
        ):
            guarded.checked += 1
            if not _is_refused(engine, statement, first):
                guarded.wrong(f"{table.name}: {verb} of a row was not refused (it was undone)")
    for name in ("debits", "credits", "seq"):
        grown.checked += 1
        total = account.c[name]
        moved = select(func.min(account.c.id)).where(total > 0)
        this = account.c.id == moved.scalar_subquery()
        statement = update(account).where(this).values({name: total - 1})
        if not _is_refused(engine, statement, moved):
            grown.wrong(f"account: a lower {name} was not refused (it was undone)")
    _try_again(engine, hold, "pending", "a second decision", grown)
    _try_again(engine, voucher, "open", "a second end", grown)


def _try_again(engine: Engine, table: Table, begins: str, told: str, grown: Tally) -> None:
    """What is decided once, by its column `state`."""
    decided = select(func.min(table.c.id)).where(table.c.state != begins)
    this = table.c.id == decided.scalar_subquery()
    grown.checked += 2
    if not _is_refused(engine, update(table).where(this).values(state=table.c.state), decided):
        grown.wrong(f"{table.name}: {told} was not refused (it was undone)")
    if not _is_refused(engine, delete(table).where(this), decided):
        grown.wrong(f"{table.name}: DELETE of a row was not refused (it was undone)")


def _is_refused(
    engine: Engine, statement: Update | Delete, first: Select[tuple[object]]
) -> bool:
    """By a trigger, and by nothing else. True of an empty table too: there is no row that could
    be changed; and of a copy on a disk that nobody can write to."""
    with writing(engine) as connection:
        try:
            if connection.execute(first).scalar() is None:
                return True
            connection.execute(statement)
        except DBAPIError as error:
            if _reason(error) in _REFUSALS:
                return True
            # A CHECK that happened to be in the way.
            if not isinstance(error, IntegrityError):
                raise
        finally:
            connection.rollback()
    return False


def _reason(error: DBAPIError) -> str | None:
    """The database's own name or number of it."""
    return getattr(error.orig, "sqlite_errorname", None) or getattr(
        error.orig, "sqlstate", None
    )


def _sqlite_guards(books: Connection) -> Iterator[_Guard]:
    for name, table, sql in books.execute(_SQLITE_TRIGGERS):
        if found := _SQLITE_GUARD.fullmatch(" ".join(sql.split())):
            yield _Guard(name, table, found["verb"].upper(), _plain(found["when"]))


def _postgres_guards(books: Connection) -> Iterator[_Guard]:
    for name, table, kind, source, definition in books.execute(_POSTGRES_TRIGGERS):
        if not kind & _POSTGRES_BEFORE or not _POSTGRES_GUARD.match(source):
            continue
        found = _POSTGRES_WHEN.search(definition)
        for verb, bit in _POSTGRES_VERBS.items():
            if kind & bit:
                yield _Guard(name, table, verb, _plain(found["when"] if found else None))


def _plain(when: str | None) -> str | None:
    """A condition in the words of both databases: small letters, no brackets, no types."""
    if when is None:
        return None
    words = re.sub(r"::(text|character varying)(\[\])?", "", " ".join(when.split()).lower())
    bare = re.sub(r"[()\[\]]", "", words.replace("= any (array[", "in ("))
    return " ".join(bare.split())
