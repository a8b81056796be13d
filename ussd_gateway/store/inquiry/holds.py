"""Money that waits for a decision: how much of each kind, and how soon it is let go."""

from dataclasses import dataclass

from sqlalchemy import Engine, func, literal_column, select

from ussd_gateway.domain.journal import HoldState
from ussd_gateway.store.database import reading
from ussd_gateway.store.schema import hold

# Written out, and no parameter: or the index of those that are pending would not be used.
PENDING = hold.c.state == literal_column(f"'{HoldState.PENDING.value}'")
_KINDS = (
    select(hold.c.kind, func.count(), func.min(hold.c.expires_at_ms))
    .where(PENDING)
    .group_by(hold.c.kind)
    .order_by(hold.c.kind)
)


@dataclass(frozen=True, slots=True)
class Pending:
    """Holds of one kind that nobody has decided. `first_ends_at_ms`: the first of them."""

    kind: str
    count: int
    first_ends_at_ms: int


def pending(engine: Engine) -> list[Pending]:
    with reading(engine) as connection:
        return [Pending(*row) for row in connection.execute(_KINDS)]
