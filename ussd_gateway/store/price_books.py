"""Price books as they are kept: each once, under the id that journals name, for good."""

from sqlalchemy import Engine, text
from sqlalchemy.exc import SQLAlchemyError

from ussd_gateway.domain.tariff import PriceBook
from ussd_gateway.ports import BooksLost, Clock
from ussd_gateway.store.database import writing

_KEEP = text(
    "INSERT INTO price_book (id, content, at_ms) VALUES (:id, :content, :at_ms) "
    "ON CONFLICT (id) DO NOTHING"
)


class SqlPriceBooks:
    def __init__(self, engine: Engine, clock: Clock) -> None:
        self._engine = engine
        self._clock = clock

    def keep(self, book: PriceBook) -> None:
        """Before the first payment by it. Raises BooksLost."""
        at_ms = int(self._clock.now().timestamp() * 1000)
        row = {"id": book.id, "content": book.content, "at_ms": at_ms}
        try:
            with writing(self._engine) as connection:
                connection.execute(_KEEP, row)
        except SQLAlchemyError as error:
            raise BooksLost(type(error).__name__) from None
