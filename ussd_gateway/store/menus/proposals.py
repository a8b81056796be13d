"""Versions that were proposed, with all that their approver has to know, and who approved them.

    menu_proposal --after: the last move that its author saw--> menu_live
          ^--- menu_approval --seq: the move that it became----^

Both only grow. A proposal whose pack has moved since is overtaken: what its reports compare it
with is not what is live. The tables themselves hold author and approver apart.
"""

from dataclasses import dataclass

from sqlalchemy import Engine, RowMapping, insert, select
from sqlalchemy.exc import IntegrityError

from ussd_gateway.ports import Clock
from ussd_gateway.store.asked import asking
from ussd_gateway.store.database import writing
from ussd_gateway.store.menus.rollout import Rollout
from ussd_gateway.store.menus.versions import Move, Overtaken, Why, freeze, insert_move
from ussd_gateway.store.schema import menu_approval, menu_proposal

# More than these are kept and not listed.
listed_max = 100


@dataclass(frozen=True, slots=True)
class Proposed:
    """What is proposed. `after` is the move of the pack that was the last, `against` its
    version; None before the first. The reports are JSON, for whoever wrote them to read."""

    pack: str
    digest: str
    after: int
    against: str | None
    author: str
    note: str | None
    changes: str
    lint: str
    tests: str


@dataclass(frozen=True, slots=True)
class Proposal:
    number: int
    at_ms: int
    proposed: Proposed
    approver: str | None


_WITH_APPROVER = select(menu_proposal, menu_approval.c.approver).join(
    menu_approval, menu_approval.c.proposal_id == menu_proposal.c.id, isouter=True
)


class SqlProposals:
    """What only reads raises BooksLost where the database does not answer."""

    def __init__(self, engine: Engine, clock: Clock) -> None:
        self._engine = engine
        self._clock = clock

    def propose(self, proposed: Proposed, source: bytes) -> int:
        """Freezes the version and its reports; the number of the proposal."""
        now_ms = self._now_ms()
        values = {field: getattr(proposed, field) for field in Proposed.__slots__}
        with writing(self._engine) as connection:
            freeze(
                connection,
                proposed.pack,
                proposed.digest,
                source,
                at_ms=now_ms,
                author=proposed.author,
            )
            made = connection.execute(insert(menu_proposal).values(**values, at_ms=now_ms))
            (number,) = made.inserted_primary_key or (0,)
            return int(number)

    def find(self, number: int) -> Proposal | None:
        found = _WITH_APPROVER.where(menu_proposal.c.id == number)
        with asking(self._engine) as connection:
            row = connection.execute(found).mappings().first()
            return _proposal(row) if row else None

    def open(self) -> list[Proposal]:
        """Those that nobody has approved, the last first."""
        waiting = (
            _WITH_APPROVER.where(menu_approval.c.approver.is_(None))
            .order_by(menu_proposal.c.id.desc())
            .limit(listed_max)
        )
        with asking(self._engine) as connection:
            return [_proposal(row) for row in connection.execute(waiting).mappings()]

    def approve(self, proposal: Proposal, *, approver: str, rollout: Rollout | None) -> Move:
        """Makes it live, for all or for some. Raises Overtaken, and IsRetired."""
        one, now_ms = proposal.proposed, self._now_ms()
        assert approver != one.author, "nobody approves what they have written"
        move = Move(
            one.pack,
            one.after + 1,
            one.digest,
            Why.PUBLISH,
            now_ms,
            one.author,
            one.note,
            approver,
            rollout,
        )
        approval = insert(menu_approval).values(
            proposal_id=proposal.number,
            author=one.author,
            approver=approver,
            pack=one.pack,
            seq=move.seq,
            at_ms=now_ms,
        )
        try:
            with writing(self._engine) as connection:
                insert_move(connection, move)
                connection.execute(approval)
        except IntegrityError:
            raise Overtaken from None
        return move

    def _now_ms(self) -> int:
        return int(self._clock.now().timestamp() * 1000)


def _proposal(row: RowMapping) -> Proposal:
    proposed = Proposed(**{field: row[field] for field in Proposed.__slots__})
    return Proposal(row["id"], row["at_ms"], proposed, row["approver"])
