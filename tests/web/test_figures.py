"""What is told at /metrics of the SMS that are owed, after payments of real phones."""

import re

from flask.testing import FlaskClient
from sqlalchemy import text

from tests.house.test_alerts import EXPORTED
from ussd_gateway.cli.stage.world import GatewayWorld
from ussd_gateway.settings import Settings
from ussd_gateway.store.database import writing
from ussd_gateway.store.resting import RedisRests

AMINA = "+254711000001"
_LINE = re.compile(r"(gateway_\w+)(?:\{(.*)\})? ([0-9.e+-]+)")


def figures(client: FlaskClient) -> dict[str, float]:
    """By name and labels."""
    found = (_LINE.fullmatch(line) for line in client.get("/metrics").text.splitlines())
    return {f"{each[1]} {each[2] or ''}".strip(): float(each[3]) for each in found if each}


def pays(world: GatewayWorld) -> None:
    phone = world.phone(AMINA)
    phone.dial("*384*1*0711000002*500#")
    assert "Sent KES 500.00" in phone.enter("4826").text


def test_what_waits_is_told_until_it_is_sent(world: GatewayWorld, client: FlaskClient) -> None:
    pays(world)
    waits = figures(client)
    assert waits['gateway_outbox_messages priority="receipt",state="due"'] == 2
    assert waits['gateway_outbox_oldest_seconds priority="receipt"'] >= 0
    assert waits['gateway_sms_recent_messages provider="",state="due"'] == 2

    assert len(world.sms()) == 2
    sent = figures(client)
    assert not [name for name in sent if name.startswith("gateway_outbox")]
    assert sent['gateway_sms_recent_messages provider="kept",state="sent"'] == 2


def test_how_late_they_were_is_told_by_provider_template_and_quantile(
    world: GatewayWorld, client: FlaskClient
) -> None:
    pays(world)
    world.sms()
    with writing(world.gateway.engine) as connection:
        late = "event_at_ms + 2500, delivered_at_ms = event_at_ms + 9000"
        connection.execute(text(f"UPDATE outbox SET sent_at_ms = {late}"))

    told = figures(client)
    for quantile in ("0.5", "0.95", "0.99"):
        of = f'provider="kept",quantile="{quantile}",template="received"'
        assert told[f'gateway_sms_lag_seconds {of},to="provider"'] == 2.5
        assert told[f'gateway_sms_lag_seconds {of},to="handset"'] == 9.0
    counted = 'gateway_sms_lag_messages provider="kept",template="sent",to="handset"'
    assert told[counted] == 1


def test_what_cannot_be_written_is_told_by_its_template(
    world: GatewayWorld, client: FlaskClient
) -> None:
    pays(world)
    with writing(world.gateway.engine) as connection:
        connection.execute(text("UPDATE outbox SET template = 'gone' WHERE template = 'sent'"))
    assert len(world.sms()) == 1
    assert figures(client)['gateway_sms_unwritten_messages template="gone"'] == 1

    with writing(world.gateway.engine) as connection:
        mended = "template = 'sent', next_at_ms = 0"
        connection.execute(text(f"UPDATE outbox SET {mended} WHERE template = 'gone'"))
    assert len(world.sms()) == 1
    assert "gateway_sms_unwritten_messages template" not in "".join(figures(client))


def test_what_is_held_is_told_by_kind_with_how_soon_it_is_let_go(
    world: GatewayWorld, client: FlaskClient
) -> None:
    pays(world)
    assert not [name for name in figures(client) if name.startswith("gateway_holds")]
    phone = world.phone(AMINA)
    phone.dial("*384*3*5#")
    with writing(world.gateway.engine) as connection:
        receipt = connection.execute(text("SELECT receipt FROM journal ORDER BY id DESC"))
        phone.enter(str(receipt.scalars().first()))
    assert "Asked: KES 500.00" in phone.enter("4826").text

    told = figures(client)
    assert told['gateway_holds_pending kind="asked_back"'] == 1
    assert told['gateway_holds_seconds_left kind="asked_back"'] == 48 * 3600


def test_a_provider_that_rests_is_told(client: FlaskClient, settings: Settings) -> None:
    name = 'gateway_sms_provider_resting_workers provider="africastalking"'
    assert figures(client)[name] == 0

    rests = RedisRests(settings.redis_url)
    rests.began("africastalking", 1)
    assert figures(client)[name] == 1
    rests.ended("africastalking")
    assert figures(client)[name] == 0


def test_every_figure_is_told_even_where_there_is_nothing_to_tell(client: FlaskClient) -> None:
    shown = client.get("/metrics").text

    assert {name for name in EXPORTED if f"# HELP {name} " in shown} == EXPORTED
    assert figures(client)["gateway_sms_reports_unmatched"] == 0
