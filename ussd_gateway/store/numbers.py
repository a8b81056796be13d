"""Numbers of new accounts, given out in order, each once, whichever process asks."""

from sqlalchemy import Connection, Engine, text
from sqlalchemy.exc import SQLAlchemyError

from ussd_gateway.domain.accounts import HOUSE_ID_MIN
from ussd_gateway.ports import BooksLost
from ussd_gateway.store.database import writing

# The first of all is past whatever was opened before there was a counter.
_NEXT = text(
    "INSERT INTO counter (name, value) VALUES ('account', "
    "(SELECT COALESCE(MAX(id), 0) + 1 FROM account WHERE id < :house)) "
    "ON CONFLICT (name) DO UPDATE SET value = counter.value + 1 RETURNING value"
).bindparams(house=HOUSE_ID_MIN)


class AccountNumbers:
    """`ports.Numbers`."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def next(self) -> int:
        try:
            with writing(self._engine) as connection:
                return next_account(connection)
        except SQLAlchemyError as error:
            raise BooksLost(type(error).__name__) from None


def next_account(connection: Connection) -> int:
    """In the transaction that is open: what it takes is free again where that is undone."""
    return int(connection.execute(_NEXT).scalar_one())
