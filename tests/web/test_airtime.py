"""The airtime vendor's callbacks at the door, as forms and as JSON."""

import pytest
from flask.testing import FlaskClient
from sqlalchemy import insert, select

from ussd_gateway.cli.stage.world import GatewayWorld
from ussd_gateway.store.database import writing
from ussd_gateway.store.schema import purchase, subscriber

STATUS = "/airtime/africastalking/dev/status"
VALIDATE = "/airtime/africastalking/dev/validate"
AMINA = "+254711000001"
ARRIVED = {
    "requestId": "ATQid_1",
    "status": "Success",
    "phoneNumber": AMINA,
    "description": "Airtime Delivered Successfully",
    "value": "KES 50.0000",
    "discount": "KES 2.0000",
}
ASKED = {
    "transactionId": "ATQid_1",
    "phoneNumber": AMINA,
    "sourceIpAddress": "196.201.1.1",
    "currencyCode": "KES",
    "amount": "50.00",
}


@pytest.fixture
def bought(world: GatewayWorld) -> None:
    """KES 50.00 of airtime for Amina was asked for, and is the vendor's now."""
    amina = select(subscriber.c.id).where(subscriber.c.msisdn == AMINA)
    with writing(world.gateway.engine) as connection:
        row = {
            "key": "buy-1",
            "kind": "airtime",
            "subscriber_id": connection.execute(amina).scalar_one(),
            "msisdn": AMINA,
            "currency": "KES",
            "minor": 50_00,
            "merchant": "",
            "item": "",
            "asked_at_ms": 0,
            "state": "asked",
            "tries": 1,
            "next_at_ms": 0,
            "supplier_id": "ATQid_1",
            "detail": "Sent",
        }
        connection.execute(insert(purchase).values(row))


@pytest.mark.parametrize("url", [STATUS, VALIDATE])
def test_a_wrong_token_or_provider_is_not_there(client: FlaskClient, url: str) -> None:
    for wrong in (url.replace("dev", "wrong"), url.replace("africastalking", "elsewhere")):
        assert client.post(wrong, data={**ARRIVED, **ASKED}).status_code == 404


@pytest.mark.parametrize("url", [STATUS, VALIDATE])
def test_an_address_that_is_not_listed_is_not_let_in(client: FlaskClient, url: str) -> None:
    outside = {"REMOTE_ADDR": "203.0.113.9"}
    assert client.post(url, data={**ARRIVED, **ASKED}, environ_base=outside).status_code == 403


@pytest.mark.parametrize("missing", ["requestId", "status", "phoneNumber"])
def test_a_status_without_its_fields_is_malformed(client: FlaskClient, missing: str) -> None:
    form = {name: value for name, value in ARRIVED.items() if name != missing}
    answer = client.post(STATUS, data=form)

    assert answer.status_code == 400
    assert missing in answer.text


@pytest.mark.parametrize("missing", ["phoneNumber", "currencyCode", "amount"])
def test_a_validation_without_its_fields_is_malformed(
    client: FlaskClient, missing: str
) -> None:
    form = {name: value for name, value in ASKED.items() if name != missing}
    answer = client.post(VALIDATE, data=form)

    assert answer.status_code == 400
    assert missing in answer.text


@pytest.mark.parametrize(
    "body",
    ["", "[]", "1", '"x"', "{", "[" * 9_000, '{"amount": 50}', '{"a": 1, "a": 2}', b"\xff"],
)
def test_json_that_is_no_callback_is_malformed(client: FlaskClient, body: str | bytes) -> None:
    for url in (STATUS, VALIDATE):
        answer = client.post(url, data=body, content_type="application/json")
        assert answer.status_code == 400


@pytest.mark.usefixtures("bought")
def test_a_status_of_ours_is_taken_as_a_form_and_as_json(client: FlaskClient) -> None:
    queued = {**ARRIVED, "status": "Queued"}

    assert client.post(STATUS, data=queued).text == "OK"
    assert client.post(STATUS, json=queued).text == "OK"


def test_a_status_of_no_purchase_is_not_taken(client: FlaskClient) -> None:
    """It may have come before the answer that names it: whoever sends it tries again."""
    assert client.post(STATUS, data=ARRIVED).status_code == 404


@pytest.mark.usefixtures("bought")
def test_what_we_ordered_is_validated(client: FlaskClient) -> None:
    for answer in (
        client.post(VALIDATE, data=ASKED),
        client.post(VALIDATE, json=ASKED),
        client.post(VALIDATE, json={**ASKED, "amount": 50.0}),
        client.post(VALIDATE, json={**ASKED, "amount": 50}),
    ):
        assert (answer.status_code, answer.json) == (200, {"status": "Validated"})


@pytest.mark.usefixtures("bought")
@pytest.mark.parametrize(
    "other", [{"amount": "50.01"}, {"currencyCode": "UGX"}, {"phoneNumber": "+254711000002"}]
)
def test_what_we_did_not_order_is_not_validated(
    client: FlaskClient, other: dict[str, str]
) -> None:
    answer = client.post(VALIDATE, data={**ASKED, **other})
    assert (answer.status_code, answer.json) == (200, {"status": "Failed"})
