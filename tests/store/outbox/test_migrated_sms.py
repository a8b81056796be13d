"""SMS that were on their way when the outbox learned of priorities and silences."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from alembic import command
from alembic.config import Config
from sqlalchemy import text
from sqlalchemy.exc import IntegrityError

from tests.store.conftest import SetClock
from tests.store.outbox.owing import AMINA, Box, accepted, delivered
from ussd_gateway.embedded.postgres import Postgres
from ussd_gateway.store import migrate
from ussd_gateway.store.database import connect, writing
from ussd_gateway.store.migrate import upgrade
from ussd_gateway.store.outbox import Outbox

EVENT_AT_MS = int(SetClock().now().timestamp() * 1000)
# Each: key, state, attempt, text and the provider's name for it.
BEFORE = (
    ("due", "due", 0, None, None),
    ("queued", "queued", 0, None, None),
    ("sending", "sending", 1, None, None),
    ("again after silence", "due", 1, "words", None),
    ("silent", "unknown", 1, "words", None),
    ("silent again", "unknown", 12, "words", None),
    ("sent", "sent", 1, "words", "ATXid_1"),
    ("delivered", "delivered", 1, "words", "ATXid_2"),
    ("refused", "failed", 1, "words", None),
)


@pytest.fixture(params=["sqlite", "postgres"])
def box(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Box]:
    if request.param == "sqlite":
        url = f"sqlite:///{tmp_path / 'ledger.sqlite'}"
    else:
        server: Postgres = request.getfixturevalue("postgres")
        url = server.create_database()
    engine = connect(url)
    config = Config()
    scripts = Path(migrate.__file__).parent / "migrations"
    config.set_main_option("script_location", str(scripts))
    with writing(engine) as connection:
        config.attributes["connection"] = connection
        command.upgrade(config, "0011")
    with writing(engine) as connection:
        for row in BEFORE:
            names = ("key", "state", "attempt", "text", "provider_id")
            connection.execute(_OWED, dict(zip(names, row, strict=True)))
    upgrade(engine)
    clock = SetClock()
    yield Box(Outbox(engine, clock), engine, clock)
    engine.dispose()


_OWED = text(
    "INSERT INTO outbox (key, msisdn, template, language, params, event_at_ms, state, attempt, "
    f"next_at_ms, text, provider_id) VALUES (:key, '{AMINA}', 'sent', 'en', '{{}}', "
    f"{EVENT_AT_MS}, :state, :attempt, {EVENT_AT_MS}, :text, :provider_id)"
)


def test_every_message_is_where_it_was(box: Box) -> None:
    states = {key: box.row(key)["state"] for key, *_ in BEFORE}

    assert states.pop("queued") == "claimed"
    assert states == {key: state for key, state, *_ in BEFORE if key != "queued"}
    assert {key: box.row(key)["unknowns"] for key, *_ in BEFORE} == {
        **{key: 0 for key, *_ in BEFORE},
        "again after silence": 1,
        "silent": 1,
        "silent again": 2,
    }
    assert {box.row(key)["priority"] for key, *_ in BEFORE} == {0}
    assert [box.row(key)["next_at_ms"] for key in ("silent again", "silent")] == [
        0,
        EVENT_AT_MS,
    ]


def test_what_is_open_goes_on_and_what_was_silent_twice_does_not(box: Box) -> None:
    for _ in range(3):
        box.wait(1_000)
    assert sorted(box.take()) == [
        box.row(key)["id"] for key in ("due", "queued", "again after silence", "silent")
    ]
    assert box.row("sending")["state"] == "unknown"
    assert box.row("silent again")["state"] == "unknown"


def test_reports_of_what_was_sent_before_find_it(box: Box) -> None:
    assert box.report(delivered("ATXid_1"))

    assert box.row("sent")["state"] == "delivered"


def test_a_name_is_still_given_once(box: Box) -> None:
    owed = box.outbox.begin_sending(box.take())
    with pytest.raises(IntegrityError):
        box.answer(owed[:1], accepted("ATXid_2"))


@pytest.mark.parametrize("state", ["queued", "Sent", ""])
def test_no_other_state_is_known(box: Box, state: str) -> None:
    with pytest.raises(IntegrityError), writing(box.engine) as connection:
        connection.execute(text("UPDATE outbox SET state = :state"), {"state": state})
