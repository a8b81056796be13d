"""The house's own accounts: one of each of its codes, for each currency that books are kept
in."""

from sqlalchemy import Engine, select, text

from ussd_gateway.domain.accounts import HOUSE, house_id, house_ref
from ussd_gateway.store.database import reading, writing
from ussd_gateway.store.schema import account

_OPEN = text(
    "INSERT INTO account (id, public_ref, code, currency, side, debits, credits, "
    "debits_pending, credits_pending, seq) "
    "VALUES (:id, :public_ref, :code, :currency, :side, 0, 0, 0, 0, 0) ON CONFLICT DO NOTHING"
)


def open_house(engine: Engine, currency: str) -> None:
    """Opens those that are missing. Safe to run at every start, of several processes at once:
    nothing is locked where nothing is missing."""
    wanted = {house_id(code, currency): code for code in HOUSE}
    found = select(account.c.id).where(account.c.id.in_(wanted))
    with reading(engine) as connection:
        missing = wanted.keys() - set(connection.execute(found).scalars())
    if not missing:
        return
    rows = [
        {
            "id": number,
            "public_ref": house_ref(wanted[number], currency),
            "code": wanted[number].number,
            "currency": currency,
            "side": wanted[number].side.value,
        }
        for number in sorted(missing)
    ]
    with writing(engine) as connection:
        connection.execute(_OPEN, rows)
