"""Worlds for the tests: each has a database of its own, a copy of one that is made once."""

import shutil
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from threading import Barrier
from typing import Any, TypeVar
from urllib.parse import urlsplit

import redis
from sqlalchemy import select, text, update

from ussd_gateway.cli.stage.world import GatewayWorld, prepare
from ussd_gateway.embedded.postgres import Postgres
from ussd_gateway.ports import Secret
from ussd_gateway.settings import Purpose, Settings
from ussd_gateway.simulators.transcripts import Person
from ussd_gateway.store.database import writing
from ussd_gateway.store.pins import HmacPinVerifier
from ussd_gateway.store.schema import subscriber

DATABASES = ("sqlite", "postgres")
AMINA, JUMA, GRACE = "+254711000001", "+254711000002", "+254711000003"
NOBODY = "+254711000009"

T = TypeVar("T")
# Gives the URL of a database with the demo cast that is nobody else's.
NewDatabase = Callable[[], str]


@dataclass(frozen=True, slots=True)
class Line:
    """A session as the aggregator has it: any callback can be sent, at any time and again."""

    world: GatewayWorld
    session_id: str
    msisdn: str = AMINA

    def sends(self, *inputs: str, code: str = "*384#") -> str:
        """The callback with these inputs so far; what is answered, as it is. A session that
        the phone has left open is forgotten: several of one phone stand side by side here."""
        with suppress(redis.RedisError):
            for pack in ("customer", "agent"):
                self.world.client.delete(f"ussd:left:{pack}:{self.msisdn}")
        form = {
            "sessionId": self.session_id,
            "phoneNumber": self.msisdn,
            "networkCode": "63902",
            "serviceCode": code,
            "text": "*".join(inputs),
        }
        return self.world.http().post(self.world.callback_url, form).text

    def walks(self, *inputs: str) -> str:
        """Dials, and types the inputs one by one; the last answer."""
        answer = self.sends()
        for typed in range(1, len(inputs) + 1):
            answer = self.sends(*inputs[:typed])
        return answer


def at_once(*calls: Callable[[], T]) -> list[T]:
    """What each gives, all of them called at the same moment."""
    ready = Barrier(len(calls))

    def call(each: Callable[[], T]) -> T:
        ready.wait()
        return each()

    with ThreadPoolExecutor(len(calls)) as pool:
        return list(pool.map(call, calls))


def rows(world: GatewayWorld, query: str, **values: object) -> Sequence[tuple[Any, ...]]:
    with world.gateway.engine.connect() as connection:
        return [tuple(row) for row in connection.execute(text(query), values)]


class SqliteCast:
    """Copies of one file."""

    def __init__(self, folder: Path) -> None:
        self._template = folder / "cast.sqlite"
        prepare(Settings(data_dir=folder, database_url=f"sqlite:///{self._template}"))

    @contextmanager
    def databases(self, folder: Path) -> Iterator[NewDatabase]:
        numbers = count(1)

        def new() -> str:
            path = folder / f"gateway-{next(numbers)}.sqlite"
            shutil.copy(self._template, path)
            return f"sqlite:///{path}"

        yield new


class PostgresCast:
    """Copies of one database of a server, which are dropped when they are done with."""

    def __init__(self, server: Postgres) -> None:
        self._server = server
        url = server.create_database()
        prepare(Settings(database_url=url))
        self._template = _name(url)

    @contextmanager
    def databases(self, _folder: Path) -> Iterator[NewDatabase]:
        made: list[str] = []

        def new() -> str:
            made.append(self._server.create_database(template=self._template))
            return made[-1]

        yield new
        for url in made:
            self._server.drop_database(url)


def _name(url: str) -> str:
    return urlsplit(url).path.removeprefix("/")


def choose_pin(world: GatewayWorld, name: str, pin: str) -> None:
    """As if the person had chosen this PIN at the start: nothing but the tag is another."""
    keys = Settings().pin_key
    verifier = HmacPinVerifier(lambda kid: keys.subkey(Purpose.PIN, kid=kid))
    msisdn = world.people[name].msisdn
    with writing(world.gateway.engine) as connection:
        found = select(subscriber).where(subscriber.c.msisdn == msisdn)
        person = connection.execute(found).one()
        tag = verifier.tag(
            kid=person.pin_kid, subscriber_id=person.id, salt=person.pin_salt, pin=Secret(pin)
        )
        changed = update(subscriber).where(subscriber.c.id == person.id)
        connection.execute(changed.values(pin_tag=tag))
    world.people = {**world.people, name: Person(msisdn, pin)}
