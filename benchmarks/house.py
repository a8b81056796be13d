"""A gateway on one of the two databases, with its customers, ready for their phones."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from benchmarks import machine, people
from benchmarks.ground import PATH, Ground, Loaded, Server
from benchmarks.load import Load
from ussd_gateway.settings import Settings, load


@dataclass(slots=True)
class House:
    """`name` of its database. `subject`: what it is measured for, as all subjects keep their
    sessions in one Valkey. `beside`: the programs that work for it, and their ids. `paid`:
    payments that were answered with a receipt."""

    subject: str
    name: str
    ground: Ground
    settings: Settings
    server: Server
    beside: Mapping[str, int]
    paid: int = field(default=0)

    def journeys(self, first: int, many: int) -> list[list[str]]:
        """Of `many` payments; each payment of a house has its own number."""
        return people.payments(f"{self.subject}_{self.name}", first, many)

    def pay(self, journeys: list[list[str]]) -> Loaded:
        """Whole payments, side by side."""
        return self.load(journeys, people.REPLIES)

    def load(self, journeys: list[list[str]], replies: list[str]) -> Loaded:
        asked = Load(self.server.port, PATH, journeys, replies)
        loaded = self.ground.load(self.server, asked, self.beside)
        if replies[-1] == people.REPLIES[-1]:
            self.paid += len(journeys)
        return loaded

    def check(self) -> str:
        return people.check_books(self.settings, {people.SPREAD: self.paid})


def houses(ground: Ground, subject: str) -> Iterator[House]:
    """One on PostgreSQL, then one on SQLite."""
    valkey = {"REDIS_URL": ground.valkey.url}
    postgres_url = ground.postgres.create_database()
    beside = {"Valkey": machine.child_named("valkey-server")}
    yield _house(
        ground,
        subject,
        "PostgreSQL",
        ground.gateway_settings(f"{subject}-pg", DATABASE_URL=postgres_url, **valkey),
        {"PostgreSQL": machine.child_named("postgres"), **beside},
    )
    # SQLite works inside the gateway's own processes.
    yield _house(
        ground,
        subject,
        "SQLite",
        ground.gateway_settings(f"{subject}-sqlite", **valkey),
        beside,
    )


def _house(
    ground: Ground,
    subject: str,
    name: str,
    environ: Mapping[str, str],
    beside: Mapping[str, int],
) -> House:
    settings = load(environ)
    people.register(settings)
    server = ground.gateway(f"{settings.data_dir.name}-web", environ)
    return House(subject, name, ground, settings, server, beside)
