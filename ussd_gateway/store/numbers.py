"""Numbers of new accounts, given out in order, each once, whichever process asks."""

from sqlalchemy import Connection, Engine, func, insert, select, update
from sqlalchemy.exc import SQLAlchemyError

from ussd_gateway.domain.accounts import HOUSE_ID_MIN
from ussd_gateway.ports import BooksLost
from ussd_gateway.store.database import writing
from ussd_gateway.store.schema import account, counter

_ACCOUNTS = "account"


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
    mine = counter.c.name == _ACCOUNTS
    taken = update(counter).where(mine).values(value=counter.c.value + 1)
    number = connection.execute(taken.returning(counter.c.value)).scalar()
    if number is not None:
        return int(number)

    # The first of all: past whatever was opened before there was a counter.
    highest = select(func.max(account.c.id)).where(account.c.id < HOUSE_ID_MIN)
    number = (connection.execute(highest).scalar() or 0) + 1
    connection.execute(insert(counter).values(name=_ACCOUNTS, value=number))
    return int(number)
