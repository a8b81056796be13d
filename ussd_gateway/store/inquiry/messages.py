"""SMS on their way: what waits, how long those took that arrived, and which may be sent again.

Each look is bounded. What waits is found by the indexes of what waits; how long the others
took is read from the rows behind the place where sending is now, by their numbers, which grow
as time goes. A backlog of a million makes no figure slower.
"""

from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from math import ceil

from sqlalchemy import Connection, Engine, case, func, select, text

from ussd_gateway.domain.book import Priority
from ussd_gateway.store.database import reading
from ussd_gateway.store.schema import (
    DUE,
    IN_FLIGHT,
    OPEN,
    UNWRITTEN,
    WAITING,
    idempotency,
    journal,
    outbox,
    sms_report,
)

# In the order in which a message goes through them.
SMS_STATES = (
    "due",
    "claimed",
    "sending",
    "unknown",
    "sent",
    "delivered",
    "failed",
    "expired",
)
# Of those that wait for nothing any more: only a report changes them.
FOR_GOOD = "unknown_for_good"
QUANTILES = (0.5, 0.95, 0.99)

COUNTED_MAX = 100_000
RECENT_MAX = 5_000
RESENT_MAX = 1_000

_PROVIDER, _HANDSET = "provider", "handset"


@dataclass(frozen=True, slots=True)
class Backlog:
    """Open messages of one state and priority. `count`: COUNTED_MAX stands for more."""

    state: str
    priority: int
    count: int
    oldest_at_ms: int  # when the event was that the first of them tells of
    # How many of them no text of ours fits, by template.
    unwritten: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Lag:
    """From the event to the provider, or to the handset, of so many messages."""

    to: str
    provider: str
    template: str
    count: int
    seconds: tuple[float, ...]  # at QUANTILES


@dataclass(frozen=True, slots=True)
class Recent:
    """The newest that sending has come past, RECENT_MAX at most."""

    states: Mapping[tuple[str, str], int]  # by provider, empty where none was asked, and state
    lags: tuple[Lag, ...]


@dataclass(frozen=True, slots=True)
class Found:
    """A message that an operator asks for."""

    id: int
    msisdn: str
    template: str
    state: str
    provider: str
    detail: str
    event_at_ms: int


# The template of one that could not be put into words.
_unwritten = case((outbox.c.detail == UNWRITTEN, outbox.c.template), else_="")
_KINDS = (outbox.c.state, outbox.c.priority, _unwritten.label("unwritten"))
_SOME = select(*_KINDS, outbox.c.event_at_ms).limit(COUNTED_MAX)
# Each in the order of its index, so that nothing is sorted; where there are more than are
# counted, the first ones stand for all of them. What is due stands there by priority: one look
# for each, or many receipts would hide the notices. It is a range of one, as of `priority = 0`
# PostgreSQL knows that the rows by their numbers have the same order, and may read every SMS
# that was ever sent.
LOOKS = (
    *(
        _SOME.where(text(DUE), outbox.c.priority.between(each, each)).order_by(
            outbox.c.priority, outbox.c.id
        )
        for each in Priority
    ),
    *(_SOME.where(text(each)).order_by(outbox.c.next_at_ms) for each in (IN_FLIGHT, WAITING)),
)
_FOUND = select(
    outbox.c.id,
    outbox.c.msisdn,
    outbox.c.template,
    outbox.c.state,
    func.coalesce(outbox.c.provider, ""),
    func.coalesce(outbox.c.detail, ""),
    outbox.c.event_at_ms,
)


def waiting(engine: Engine) -> list[Backlog]:
    """What is open, the most urgent first."""
    # By state and priority: how many, and when the first event was. What is due stands in two
    # of the indexes, whether it waits for its time or not.
    found: dict[tuple[str, int], tuple[int, int]] = {}
    wordless: defaultdict[tuple[str, int], Counter[str]] = defaultdict(Counter)
    with reading(engine) as connection:
        for look in LOOKS:
            some = look.subquery()
            kinds = (some.c.state, some.c.priority, some.c.unwritten)
            counted = select(*kinds, func.count(), func.min(some.c.event_at_ms))
            for row in connection.execute(counted.group_by(*kinds)):
                state, priority, template, count, at_ms = row
                others, oldest_ms = found.get((state, priority), (0, at_ms))
                found[state, priority] = (others + count, min(oldest_ms, at_ms))
                if template:
                    wordless[state, priority][template] += count
    order = {state: place for place, state in enumerate(SMS_STATES)}
    every = (Backlog(*each, *how, wordless[each]) for each, how in found.items())
    return sorted(every, key=lambda each: (each.priority, order[each.state]))


def counted(engine: Engine, *, since_ms: int) -> dict[str, int]:
    """How many are in each state: all that are open, and those that ended of events since then.
    It reads every one of these: it is for a person who asks."""
    counts = dict.fromkeys(SMS_STATES, 0)
    for each in waiting(engine):
        counts[each.state] += each.count
    ended = (
        select(outbox.c.state, func.count())
        .where(text(f"NOT ({' OR '.join(OPEN)})"), outbox.c.event_at_ms >= since_ms)
        .group_by(outbox.c.state)
    )
    with reading(engine) as connection:
        found = ended.where(outbox.c.id >= _first_since(connection, since_ms))
        for state, count in connection.execute(found):
            counts[state] += count
    return counts


def recent(engine: Engine, *, since_ms: int = 0, rows_max: int = RECENT_MAX) -> Recent:
    """How it went of late; lags of those that came where they were to come since then."""
    rows = (
        select(
            outbox.c.provider,
            outbox.c.template,
            outbox.c.state,
            outbox.c.next_at_ms,
            outbox.c.event_at_ms,
            outbox.c.sent_at_ms,
            outbox.c.delivered_at_ms,
        )
        .order_by(outbox.c.id.desc())
        .limit(rows_max)
    )
    states: Counter[tuple[str, str]] = Counter()
    took: dict[tuple[str, str, str], list[int]] = defaultdict(list)
    with reading(engine) as connection:
        front = _front(connection)
        near = rows if front is None else rows.where(outbox.c.id <= front)
        for (
            provider,
            template,
            state,
            next_at,
            event_at,
            sent_at,
            delivered_at,
        ) in connection.execute(near):
            given_up = state == "unknown" and not next_at
            states[provider or "", FOR_GOOD if given_up else state] += 1
            given = state in ("sent", "delivered", "failed")
            if given and sent_at is not None and sent_at >= since_ms:
                took[_PROVIDER, provider or "", template].append(sent_at - event_at)
            if delivered_at is not None and delivered_at >= since_ms:
                took[_HANDSET, provider or "", template].append(delivered_at - event_at)
    lags = (Lag(*names, len(each), _quantiles(each)) for names, each in sorted(took.items()))
    return Recent(states, tuple(lags))


def unmatched_reports(engine: Engine) -> int:
    """Reports of messages that we do not know, of the last day; COUNTED_MAX stands for more."""
    some = select(sms_report.c.provider).limit(COUNTED_MAX).subquery()
    with reading(engine) as connection:
        return int(connection.execute(select(func.count()).select_from(some)).scalar_one())


def of_receipt(engine: Engine, receipt: str) -> list[Found]:
    """All that was told of a journal."""
    of_journal = (
        _FOUND.join(idempotency, idempotency.c.key == outbox.c.key)
        .join(journal, journal.c.id == idempotency.c.journal_id)
        .where(journal.c.receipt == receipt)
        .order_by(outbox.c.id)
    )
    with reading(engine) as connection:
        return [Found(*row) for row in connection.execute(of_journal)]


def ended_badly(
    engine: Engine, states: Sequence[str], *, since_ms: int, template: str | None = None
) -> list[Found]:
    """Those of these states whose event was since then, RESENT_MAX at most, the oldest first.
    Those that wait for a report are left to it."""
    for_good = text(f"NOT {WAITING}")
    found = _FOUND.where(outbox.c.state.in_(states), for_good).order_by(outbox.c.id)
    if template is not None:
        found = found.where(outbox.c.template == template)
    with reading(engine) as connection:
        first = _first_since(connection, since_ms)
        rows = connection.execute(found.where(outbox.c.id >= first).limit(RESENT_MAX))
        return [Found(*row) for row in rows if row.event_at_ms >= since_ms]


def _front(connection: Connection) -> int | None:
    """The highest that is in flight: behind it stands what was sent last. None: all is; so it
    is where nothing is due, and what is in flight is an old one that was not taken before."""
    if connection.execute(select(outbox.c.id).where(text(DUE)).limit(1)).first() is None:
        return None
    in_flight = select(func.max(outbox.c.id)).where(text(IN_FLIGHT))
    front: int | None = connection.execute(in_flight).scalar()
    return front


def _first_since(connection: Connection, since_ms: int) -> int:
    """The number that messages of then begin at, about: found by halving."""
    near = select(outbox.c.event_at_ms).order_by(outbox.c.id).limit(1)
    low, high = 0, int(connection.execute(select(func.max(outbox.c.id))).scalar() or 0)
    while low < high:
        middle = (low + high) // 2
        at_ms = connection.execute(near.where(outbox.c.id >= middle)).scalar_one()
        low, high = (middle + 1, high) if at_ms < since_ms else (low, middle)
    # Two processes may number a little out of order.
    return max(low - RESENT_MAX, 0)


def _quantiles(took_ms: Sequence[int]) -> tuple[float, ...]:
    """By nearest rank: each is one that was measured."""
    ordered = sorted(took_ms)
    ranks = (max(ceil(share * len(ordered)) - 1, 0) for share in QUANTILES)
    return tuple(max(ordered[rank], 0) / 1000 for rank in ranks)


def oldest(found: Sequence[Backlog]) -> Iterator[tuple[int, int]]:
    """Of each priority: since when its oldest is owed."""
    for priority in sorted({each.priority for each in found}):
        yield (
            priority,
            min(each.oldest_at_ms for each in found if each.priority == priority),
        )


def unwritten(found: Sequence[Backlog]) -> Counter[str]:
    """How many open messages no text of ours fits, by template."""
    return sum((Counter(each.unwritten) for each in found), Counter())
