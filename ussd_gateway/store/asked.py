"""How look-ups outside the posting path tell that the database is away."""

from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy import Connection, Engine
from sqlalchemy.exc import DBAPIError, SQLAlchemyError

from ussd_gateway.ports import BooksLost
from ussd_gateway.store.database import reading


@contextmanager
def asking(engine: Engine) -> Iterator[Connection]:
    """`reading`; where the database does not answer, BooksLost with its reason."""
    try:
        with reading(engine) as connection:
            yield connection
    except SQLAlchemyError as error:
        reason = error.orig if isinstance(error, DBAPIError) else error
        raise BooksLost(str(reason).strip().splitlines()[0]) from None
