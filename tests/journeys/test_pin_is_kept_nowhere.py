"""What is typed as a PIN leaves no trace: in no table, queue, session, file or log, whatever
goes wrong, and nothing that is kept depends on it but the verifier's tag."""

import re
import shutil
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest
from rq import Queue
from rq.serializers import JSONSerializer
from sqlalchemy import text

from tests.journeys.golden import GOLDEN, read
from tests.world import AMINA, Line, NewDatabase, choose_pin
from ussd_gateway.cli.stage import traces
from ussd_gateway.cli.stage.world import GatewayWorld, opened
from ussd_gateway.embedded import Valkey
from ussd_gateway.embedded.postgres import Postgres
from ussd_gateway.settings import Settings
from ussd_gateway.simulators.transcripts import play
from ussd_gateway.store.database import writing
from ussd_gateway.worker import jobs
from ussd_gateway.worker.main import relay

# Eight digits that stand nowhere else: wherever they turn up, a PIN has leaked.
PINS = (
    {"Amina": "4826", "Juma": "7391", "Grace": "5937"},
    {"Amina": "1593", "Juma": "0862", "Grace": "7444"},
)
CANARY = "90817263"
PIN = "4826"
COMMIT = ("1", "0711000002", "500")
# Wherever one can come to, and types it there.
WAYS = (
    (CANARY,),
    ("1", CANARY),
    ("1", "0711000002", CANARY),
    (*COMMIT, CANARY),
    (*COMMIT, f" {CANARY} "),
    (*COMMIT, f"{CANARY}*1"),
    (*COMMIT, f"0*{CANARY}"),
    (*COMMIT, "0000", CANARY),
    (*COMMIT, "0", CANARY),
    (*COMMIT, PIN, CANARY),
    ("5", "1", CANARY),
    ("5", "1", "0", CANARY),
)


@dataclass(frozen=True, slots=True)
class Watched:
    """A world, its own Valkey, and every folder in which servers keep files."""

    world: GatewayWorld
    valkey: Valkey
    settings: Settings
    folders: tuple[Path, ...]

    def places(self, secret: str = CANARY) -> Sequence[str]:
        """Where it is found."""
        assert self.world.logs, "no logs are kept: nothing can be said of them"
        kept = [*self.world.traces()]
        for folder in self.folders:
            kept += traces.files(folder)
        return sorted({place for place, octets in kept if secret in octets})

    def sends_sms(self, form: dict[str, str]) -> int:
        """What the door says to it."""
        url = self.world.callback_url.replace("/ussd/", "/sms/")
        return self.world.http().post(f"{url}/inbound", form).status_code

    def lines(self, name: str) -> list[Line]:
        """A session for each of the ways."""
        return [Line(self.world, f"{name}-{number}") for number in range(len(WAYS))]


@pytest.fixture
def watched(
    request: pytest.FixtureRequest, database_url: str, tmp_path: Path
) -> Iterator[Watched]:
    with Valkey(tmp_path) as valkey:
        settings = Settings(data_dir=tmp_path, database_url=database_url, redis_url=valkey.url)
        folders = [tmp_path]
        if database_url.startswith("postgres"):
            server: Postgres = request.getfixturevalue("postgres")
            folders.append(server.folder)
        with opened(settings) as world:
            yield Watched(world, valkey, settings, tuple(folders))


def test_the_search_finds_what_is_there(watched: Watched) -> None:
    world, planted = watched.world, "36271809"
    Line(world, f"session-{planted}").sends()
    with writing(world.gateway.engine) as connection:
        connection.execute(text(f"UPDATE subscriber SET name = '{planted}'"))
    queue(world).enqueue(jobs.send, [int(planted)], description="")

    places = " ".join(watched.places(planted))
    for place in ("a log", "table subscriber, column name", "rq:job:", ".aof"):
        assert place in places
    assert re.search(r"file gateway.*sqlite|file 0000", places)


def test_typed_anywhere_and_sent_twice_it_is_found_nowhere(watched: Watched) -> None:
    for line, way in zip(watched.lines("typed"), WAYS, strict=True):
        for count in range(len(way) + 1):
            line.sends(*way[:count])
            line.sends(*way[:count])
        ends(line, *way)

    assert watched.places() == []


def test_dialled_in_one_go_it_is_found_nowhere(watched: Watched) -> None:
    for line, way in zip(watched.lines("dialled"), WAYS, strict=True):
        line.sends(*way)
        ends(line, *way)
    Line(watched.world, "elsewhere").sends(CANARY, code="*999#")
    Line(watched.world, "stranger", "+254711000009").sends(*COMMIT, CANARY)

    assert watched.places() == []


def test_in_callbacks_that_cannot_be_read_it_is_found_nowhere(watched: Watched) -> None:
    http, url = watched.world.http(), watched.world.callback_url
    form = {
        "sessionId": "unreadable",
        "phoneNumber": AMINA,
        "networkCode": "63902",
        "serviceCode": "*384#",
        "status": "Success",
        "text": f"1*0711000002*500*{CANARY}",
        "input": f"1*0711000002*500*{CANARY}",
    }
    broken: list[dict[str, str] | str] = [
        *({key: value for key, value in form.items() if key != name} for name in form),
        *({**form, name: CANARY * 100} for name in form),
        {**form, "more": CANARY * 10_000},
        f"text={CANARY}&text={CANARY}",
        f"text={CANARY}%ff",
        CANARY,
    ]
    for each in broken:
        assert http.post(url, each).status_code in (200, 400, 413)
        assert http.post(f"{url}/events", each).status_code in (200, 400, 413)
    Line(watched.world, "readable").sends()

    assert watched.places() == []


def test_sent_by_sms_it_is_found_nowhere(watched: Watched) -> None:
    texts = (
        CANARY,
        f"BAL {CANARY}",
        f"my PIN is {CANARY}.",
        f"check UDP2KW5VQP {CANARY}",
        f"REVERSE {CANARY}",
        f"STOP {CANARY}",
        f"LANG {CANARY}",
        f"pin{CANARY} " * 50,
    )
    for sender in (AMINA, "+254711000009"):
        for number, words in enumerate(texts):
            form = texted(f"{sender}-{number}", words, sender)
            for _ in range(2):
                assert watched.sends_sms(form) == 200
    for broken in (
        {**texted("1", "BAL"), "id": ""},
        {**texted(CANARY * 9, CANARY), "to": CANARY * 9},
        {**texted("2", CANARY), "from": CANARY * 2},
        {**texted("3", CANARY), "more": CANARY * 10_000},
    ):
        assert watched.sends_sms(broken) in (400, 413)
    with without_people(watched.world):
        assert watched.sends_sms(texted("4", CANARY)) == 503
    with without_entries(watched.world):
        assert watched.sends_sms(texted("5", f"STMT {CANARY}")) in (200, 503)
    watched.world.sms()

    assert watched.places() == []


def test_in_a_lost_session_it_is_found_nowhere(watched: Watched) -> None:
    for line, way in zip(watched.lines("lost"), WAYS, strict=True):
        line.walks(*way[:-1])
        watched.world.client.flushdb()
        line.sends(*way)
        ends(line, *way)

    assert watched.places() == []


def test_while_redis_is_away_it_is_found_nowhere(watched: Watched) -> None:
    lines = watched.lines("away")
    for line, way in zip(lines, WAYS, strict=True):
        line.walks(*way[:-1])
    watched.valkey.stop()
    for line, way in zip(lines, WAYS, strict=True):
        line.sends(*way)
        ends(line, *way)
    watched.valkey.start()

    assert watched.places() == []


def test_while_the_database_fails_it_is_found_nowhere(watched: Watched) -> None:
    for failing in (without_people, without_entries):
        lines = watched.lines(failing.__name__)
        for line, way in zip(lines, WAYS, strict=True):
            line.walks(*way[:-1])
        with failing(watched.world):
            for line, way in zip(lines, WAYS, strict=True):
                line.sends(*way)
                ends(line, *way)

    assert watched.places() == []


def test_as_a_pin_of_eight_digits_right_or_wrong_it_is_found_nowhere(
    watched: Watched, tmp_path: Path
) -> None:
    menus = tmp_path / "menus"
    shutil.copytree("menus", menus)
    pack = menus / "customer.yaml"
    pack.write_text(pack.read_text("utf-8").replace("digits: 4", "digits: 8"), "utf-8")
    with opened(watched.settings.model_copy(update={"menus_dir": menus})) as world:
        choose_pin(world, "Amina", CANARY)
        sent = Line(world, "sent").walks(*COMMIT, CANARY)
        shown = Line(world, "shown").walks("5", "1", CANARY)
        low = Line(world, "low").walks("1", "0711000002", "5000", CANARY)
        locked = Line(world, "locked", "+254711000002").walks("5", "1", *[CANARY] * 3)
        with without_entries(world):
            busy = Line(world, "busy").walks(*COMMIT, CANARY)
        again = Line(world, "sent").sends(*COMMIT, CANARY)
        relay(world.gateway.outbox, queue(world), rows_max=50, in_flight_max=50)

        assert "Sent KES 500.00" in sent == again
        assert "Balance KES 4,493.00" in shown
        assert "not enough money" in low
        assert "imefungwa" in locked
        assert "busy" in busy
        found = Watched(world, watched.valkey, watched.settings, watched.folders)
        assert found.places() == []


def test_whatever_the_pin_all_else_that_is_kept_is_the_same(
    new_database: NewDatabase, tmp_path: Path, valkey_url: str
) -> None:
    """Every transcript, one after the other, under two sets of PINs; on PostgreSQL in the first
    language of each: it keeps the same whatever is spoken."""
    kept = []
    for pins in PINS:
        folder = tmp_path / pins["Amina"]
        folder.mkdir()
        settings = Settings(
            data_dir=folder, database_url=new_database(), redis_url=f"{valkey_url}?db=1"
        )
        with opened(settings) as world:
            said = []
            on_sqlite = settings.database_url.startswith("sqlite")
            for path in (each for each in GOLDEN if on_sqlite or "_in_" not in each.stem):
                unlock(world)
                # Some change their PIN.
                for name, pin in pins.items():
                    choose_pin(world, name, pin)
                said.append(("a transcript", play(read(path), world).text))
            Line(world, "queued").walks(*COMMIT, world.people["Amina"].pin)
            relay(world.gateway.outbox, queue(world), rows_max=50, in_flight_max=50)
            kept.append([*said, *map(without_chance, world.traces())])

    first, second = map(Counter, kept)
    once = Counter(place for place, _ in (first - second).elements())
    again = Counter(place for place, _ in (second - first).elements())
    assert once.keys() & again.keys() == {"table subscriber, column pin_tag"}
    # A thread that another test has left behind may write a line into one of the two logs.
    assert ((once - again) + (again - once)).keys() <= {"a log"}
    for part in ("a transcript", "a log", "table outbox, column params", "Redis rq:job:"):
        assert any(place.startswith(part) for place, _ in first)


def texted(named: str, words: str, sender: str = AMINA) -> dict[str, str]:
    """An SMS as the vendor posts it."""
    return {
        "date": "2026-11-21 09:05:00",
        "from": sender,
        "id": named,
        "linkId": "",
        "text": words,
        "to": "20384",
        "networkCode": "63902",
    }


def ends(line: Line, *inputs: str) -> None:
    """The vendor tells the end of the session, with all that was typed."""
    line.world.http().post(
        f"{line.world.callback_url}/events",
        {
            "date": "2026-11-21 09:05:00",
            "sessionId": line.session_id,
            "serviceCode": "*384#",
            "networkCode": "63902",
            "phoneNumber": line.msisdn,
            "status": "Incomplete",
            "cost": "KES 0.10",
            "durationInMillis": "9000",
            "hopsCount": "3",
            "input": "*".join(inputs),
            "lastAppResponse": "CON Enter PIN",
            "errorMessage": f"The user typed {inputs[-1]}",
        },
    )


@contextmanager
def without_people(world: GatewayWorld) -> Iterator[None]:
    """Every look at who is calling fails."""
    run(world, "ALTER TABLE subscriber RENAME TO gone")
    yield
    run(world, "ALTER TABLE gone RENAME TO subscriber")


@contextmanager
def without_entries(world: GatewayWorld) -> Iterator[None]:
    """The database refuses every payment, when all but its entries is written."""
    run(world, "ALTER TABLE entry RENAME TO gone")
    yield
    run(world, "ALTER TABLE gone RENAME TO entry")


def unlock(world: GatewayWorld) -> None:
    run(world, "UPDATE subscriber SET wrong_tries = 0")


def run(world: GatewayWorld, statement: str, **values: object) -> None:
    with writing(world.gateway.engine) as connection:
        connection.execute(text(statement), values)


def queue(world: GatewayWorld) -> Queue:
    return Queue(jobs.QUEUE, connection=world.client, serializer=JSONSerializer)


def without_chance(trace: traces.Trace) -> traces.Trace:
    """The queue's own ids and times are never the same. While a new PIN is being chosen, its
    tag waits in the session, sealed in a ticket."""
    place, kept = trace
    kept = re.sub(r"[0-9a-f]{64}\.chosen(&[0-9A-Za-z%-]+)+", "TICKET", kept)
    if not place.startswith("Redis rq:"):
        return trace
    uuid = r"[0-9a-f]{8}-[0-9a-f-]{27}"
    place, kept = re.sub(uuid, "ID", place), re.sub(uuid, "ID", kept)
    return place, re.sub(r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9:.]+Z", "TIME", kept)
