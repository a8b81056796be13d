"""What people text to us, and who wants no more, as the vendor posts it at the door."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from flask.testing import FlaskClient
from sqlalchemy import select, text
from structlog.testing import capture_logs

from ussd_gateway import web
from ussd_gateway.cli.stage.world import GatewayWorld
from ussd_gateway.ports import IncomingSms
from ussd_gateway.services.answer_sms import ANSWERS_A_DAY_MAX
from ussd_gateway.settings import Settings
from ussd_gateway.store.database import reading, writing
from ussd_gateway.store.schema import opt_out, outbox
from ussd_gateway.store.verify import verify

INBOUND = "/sms/africastalking/dev/inbound"
OPT_OUT = "/sms/africastalking/dev/optout"
AMINA, STRANGER = "+254711000001", "+254711000009"
ASKED = {
    "date": "2026-11-21T06:05:00+00:00",
    "from": AMINA,
    "id": "ATXid_1",
    "linkId": "",
    "text": "BAL",
    "to": "20384",
    "networkCode": "63902",
}
WANTS_NONE = {"senderId": "PESA", "phoneNumber": STRANGER}


def owed(world: GatewayWorld) -> list[tuple[str, str, int]]:
    wanted = select(outbox.c.msisdn, outbox.c.template, outbox.c.priority)
    with reading(world.gateway.engine) as connection:
        rows = connection.execute(wanted.order_by(outbox.c.id)).all()
    return [(row.msisdn, row.template, row.priority) for row in rows]


def opted_out(world: GatewayWorld) -> list[tuple[str, str]]:
    with reading(world.gateway.engine) as connection:
        return sorted((row.msisdn, row.sender) for row in connection.execute(select(opt_out)))


@pytest.mark.parametrize("url", [INBOUND, OPT_OUT])
def test_who_may_not_knock_is_told_nothing(client: FlaskClient, url: str) -> None:
    form = {**ASKED, **WANTS_NONE}
    for wrong in (url.replace("dev", "wrong"), url.replace("africastalking", "elsewhere")):
        assert client.post(wrong, data=form).status_code == 404
    outside = {"REMOTE_ADDR": "203.0.113.9"}
    assert client.post(url, data=form, environ_base=outside).status_code == 403
    assert client.get(url).status_code == 405
    assert client.post(url, data="x" * 20_000).status_code == 413


@pytest.mark.parametrize("missing", ["id", "from", "to", "text"])
def test_an_sms_without_its_fields_is_malformed(client: FlaskClient, missing: str) -> None:
    form = {name: value for name, value in ASKED.items() if name != missing}
    answer = client.post(INBOUND, data=form)

    assert (answer.status_code, missing in answer.text) == (400, True)
    assert client.post(INBOUND, data="text=%ff").status_code == 400
    assert client.post(INBOUND, data="text=a&text=b").status_code == 400


@pytest.mark.parametrize("missing", ["senderId", "phoneNumber"])
def test_an_opt_out_without_its_fields_is_malformed(client: FlaskClient, missing: str) -> None:
    form = {name: value for name, value in WANTS_NONE.items() if name != missing}
    answer = client.post(OPT_OUT, data=form)

    assert (answer.status_code, missing in answer.text) == (400, True)


def test_an_sms_is_answered_once_however_often_it_comes(
    client: FlaskClient, world: GatewayWorld
) -> None:
    for _ in range(3):
        assert client.post(INBOUND, data=ASKED).text == "OK"

    assert owed(world) == [(AMINA, "asked_balance", 1)]
    assert world.sms() == [(AMINA, "Balance KES 5,000.00 21/11/26 09:05.")]
    assert [finding for finding in verify(world.gateway.engine) if not finding.ok] == []


def test_an_answer_says_of_when_it_is_however_late_it_goes_out(
    client: FlaskClient, world: GatewayWorld
) -> None:
    client.post(INBOUND, data={**ASKED, "text": "STMT"})
    world.clock.wait(timedelta(minutes=50))
    ((_, said),) = world.sms()

    assert said.startswith("KES 21/11/26 09:05\n")


def test_a_flood_from_one_number_is_answered_so_often_and_no_more(
    client: FlaskClient, world: GatewayWorld
) -> None:
    for number in range(ANSWERS_A_DAY_MAX + 9):
        assert client.post(INBOUND, data={**ASKED, "id": f"ATXid_{number}"}).text == "OK"
    templates = [template for _, template, _ in owed(world)]

    assert templates == ["asked_balance"] * ANSWERS_A_DAY_MAX + ["asked_too_often"]


def test_while_the_books_are_away_an_sms_is_to_come_again(
    client: FlaskClient, world: GatewayWorld
) -> None:
    with writing(world.gateway.engine) as connection:
        connection.execute(text("ALTER TABLE subscriber RENAME TO gone"))
    assert client.post(INBOUND, data=ASKED).status_code == 503
    assert owed(world) == []
    with writing(world.gateway.engine) as connection:
        connection.execute(text("ALTER TABLE gone RENAME TO subscriber"))
    assert client.post(INBOUND, data=ASKED).status_code == 200
    assert owed(world) == [(AMINA, "asked_balance", 1)]


def test_a_fault_of_ours_puts_neither_the_token_nor_what_was_typed_into_the_log(
    world: GatewayWorld, settings: Settings, caplog: pytest.LogCaptureFixture
) -> None:
    class Broken:
        def take(self, incoming: IncomingSms) -> None:
            raise ValueError(f"a bug of {incoming.id}")

    broken: Any = Broken()
    door = web.door(replace(world.gateway, answering=broken), settings)
    with capture_logs() as logged:
        answer = door.test_client().post(INBOUND, data={**ASKED, "text": "4826"})

    assert answer.status_code == 500
    (line,) = (line for line in logged if line["event"] == "door.broke")
    assert (line["endpoint"], str(line["exc_info"][1])) == ("inbound", "a bug of ATXid_1")
    assert not any("4826" in str(line) or INBOUND in str(line) for line in logged)
    # Nor does Flask write one of its own.
    assert caplog.text == ""


def test_who_wants_no_more_is_noted_once_a_sender_and_by_start_forgotten(
    client: FlaskClient, world: GatewayWorld
) -> None:
    for _ in range(2):
        assert client.post(OPT_OUT, data=WANTS_NONE).text == "OK"
    client.post(INBOUND, data={**ASKED, "from": STRANGER, "text": "STOP"})
    client.post(OPT_OUT, data={**WANTS_NONE, "phoneNumber": AMINA})
    assert opted_out(world) == [(AMINA, "PESA"), (STRANGER, "20384"), (STRANGER, "PESA")]

    client.post(INBOUND, data={**ASKED, "id": "2", "from": STRANGER, "text": "start"})
    assert opted_out(world) == [(AMINA, "PESA")]
    # Come late and again, the STOP of before is no new one.
    client.post(INBOUND, data={**ASKED, "from": STRANGER, "text": "STOP"})
    assert opted_out(world) == [(AMINA, "PESA")]
