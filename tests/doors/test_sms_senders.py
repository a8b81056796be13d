"""What every SMS provider is to the worker, whatever it speaks: one contract, on each adapter,
against the simulators over HTTP and TCP.

    taken        ACCEPTED, under an id of its own, and on the phone as it was written
    never        REFUSED
    surely not   DoorError: nothing reaches the phone
    silence      UNKNOWN: it may have reached the phone
"""

import json
import socket
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

import pytest
import requests

from tests.simulators.stand_in import served
from ussd_gateway.domain.msisdn import Msisdn
from ussd_gateway.ports import DoorError, Sms, SmsState
from ussd_gateway.simulators.main import create_app
from ussd_gateway.sms.africastalking import AfricasTalkingSms
from ussd_gateway.sms.chooser import chooser
from ussd_gateway.sms.file import FileSms
from ussd_gateway.sms.plan import Plan, Terms
from ussd_gateway.sms.provider import Provider, Throttled
from ussd_gateway.sms.smpp.link import Account
from ussd_gateway.sms.smpp.sender import SmppSms
from ussd_gateway.store.resting import RedisRests

AMINA = Msisdn("+254711000001")
SMS = Sms(AMINA, "DYQ28DNNRC Sent KES 500.00", sender="PESA")
PATIENCE_S = 1.5

TEXTS = {
    "plain": "DYQ28DNNRC Sent KES 500.00 to Juma Otieno 0711000002.",
    "the set": "@£$¥èéùìòÇ Øø ÅåΔ_ΦΓΛΩΠΨΣΘΞ ÆæßÉ ¤ § ¿ äöñüà ^{}\\[~]|€",
    "a line break": "Habari\nza leo",
    "one segment": "x" * 160,
    "two segments": "€" * 81,
    "beyond the set": "ሰላም, habari ya jioni 😀",
    "like a form": "a=1&to=+254711000002%20&from=X;\"'<>",
}

Read = Callable[[], list[tuple[str, str]]]  # sender and text of what is on the phone


@dataclass
class Door:
    name: str
    sender: Provider
    phone: Read
    # Troubles of an outside that has any, by their names in the simulator.
    play: Callable[[str], None]


@pytest.fixture
def simulator(tmp_path: Path) -> Iterator[tuple[str, int]]:
    """Its URL, and the port of its SMSC. What is slow there is so for a second."""
    over = threading.Event()

    def hold(seconds: float) -> None:
        over.wait(min(seconds, 2 * PATIENCE_S))

    app = create_app(
        gateway_url="http://127.0.0.1:9",  # nobody: what comes by HTTP later is not asked here
        callback_token="dev",
        username="sandbox",
        api_key="demo",
        data_dir=tmp_path,
        people=(),
        smsc_port=0,
        wait=hold,
    )
    with served(app) as url:
        yield url, app.extensions["smsc"].port
        over.set()
    app.extensions["smsc"].close()
    app.extensions["reporter"].close()


@pytest.fixture
def opened(simulator: tuple[str, int], tmp_path: Path) -> Iterator[Callable[[str], Door]]:
    url, smsc_port = simulator
    with ExitStack() as stack:

        def phone() -> list[tuple[str, str]]:
            messages = requests.get(f"{url}/phones/{AMINA}/messages", timeout=5).json()
            return [(each["from"], each["text"]) for each in messages]

        def lines() -> list[tuple[str, str]]:
            path = tmp_path / "sms.jsonl"
            told = path.read_text("utf-8").splitlines() if path.exists() else []
            return [(each["from"], each["text"]) for each in map(json.loads, told)]

        def play(trouble: str) -> None:
            body = {"answers": {trouble: 1}}
            assert requests.post(f"{url}/sms/troubles", json=body, timeout=5).ok

        def open_(name: str) -> Door:
            sender = _sender(name, url, smsc_port, tmp_path, stack)
            return Door(name, sender, lines if name == "file" else phone, play)

        yield open_


def _sender(name: str, url: str, smsc_port: int, folder: Path, stack: ExitStack) -> Provider:
    match name:
        case "africastalking":
            return AfricasTalkingSms(
                username="sandbox", api_key="demo", base_url=url, timeout_s=(1.0, PATIENCE_S)
            )
        case "smpp":
            account = Account("127.0.0.1", smsc_port, "gateway", "demo", tls=False)
            terms = Terms(100, 0.2, window=50)
            sender = SmppSms(
                account,
                terms,
                report=lambda _: True,
                texted=lambda _: True,
                answer_s=PATIENCE_S,
            )
            return stack.enter_context(sender)
        case _:
            return FileSms(folder / "sms.jsonl")


@pytest.fixture(params=["africastalking", "smpp", "file"])
def door(request: pytest.FixtureRequest, opened: Callable[[str], Door]) -> Door:
    return opened(request.param)


@pytest.fixture(params=["africastalking", "smpp"])
def outside(request: pytest.FixtureRequest, opened: Callable[[str], Door]) -> Door:
    return opened(request.param)


# --- taken


def test_a_message_that_is_taken_has_its_provider_and_an_id(door: Door) -> None:
    result = door.sender.send(SMS)

    assert (result.state, result.provider) == (SmsState.ACCEPTED, door.name)
    assert result.provider_id
    assert len(result.provider_id) <= 64
    assert door.phone() == [("PESA", SMS.text)]


@pytest.mark.parametrize("text", TEXTS.values(), ids=TEXTS)
def test_a_text_arrives_as_it_was_written(door: Door, text: str) -> None:
    assert door.sender.send(Sms(AMINA, text, sender="PESA")).state is SmsState.ACCEPTED
    assert door.phone() == [("PESA", text)]


def test_the_same_message_twice_has_two_ids(door: Door) -> None:
    first, second = door.sender.send(SMS), door.sender.send(SMS)
    assert first.provider_id != second.provider_id


def test_many_threads_send_at_once(door: Door) -> None:
    texts = [f"message {number}" for number in range(30)]
    with ThreadPoolExecutor(10) as pool:
        results = list(pool.map(lambda text: door.sender.send(Sms(AMINA, text)), texts))
    assert len({result.provider_id for result in results}) == len(texts)
    assert sorted(text for _, text in door.phone()) == sorted(texts)


def test_a_cost_is_an_amount_or_none(door: Door) -> None:
    cost = door.sender.send(SMS).cost
    assert cost == ("KES 0.8000" if door.name == "africastalking" else None)


# --- not taken


def test_a_number_that_nobody_can_have_is_refused_for_good(outside: Door) -> None:
    result = outside.sender.send(Sms(Msisdn("+254202222222"), "Hello"))
    assert (result.state, result.provider_id) == (SmsState.REFUSED, None)
    assert result.detail


def test_one_that_is_asked_too_much_is_to_be_left_alone(outside: Door) -> None:
    outside.play("throttled")
    with pytest.raises(Throttled) as raised:
        outside.sender.send(SMS)
    assert 0 < raised.value.after_s <= 30
    assert outside.phone() == []


def test_trouble_of_the_account_is_no_refusal_of_the_message(outside: Door) -> None:
    outside.play("refused")
    with pytest.raises(DoorError):
        outside.sender.send(SMS)
    assert outside.phone() == []


@pytest.mark.parametrize("name", ["africastalking", "smpp", "file"])
def test_one_that_is_not_there_took_nothing(name: str, tmp_path: Path) -> None:
    with socket.socket() as nobody, ExitStack() as stack:
        nobody.bind(("127.0.0.1", 0))
        port = nobody.getsockname()[1]
        gone = tmp_path / "gone"
        sender = _sender(name, f"http://127.0.0.1:{port}", port, gone, stack)
        with pytest.raises(DoorError):
            sender.send(SMS)


# --- silence


@pytest.mark.parametrize(("trouble", "arrived"), [("silent", 0), ("silent after taking", 1)])
def test_silence_is_unknown_and_over_in_time(outside: Door, trouble: str, arrived: int) -> None:
    outside.play(trouble)
    begun = time.monotonic()
    result = outside.sender.send(SMS)

    assert (result.state, result.provider_id) == (SmsState.UNKNOWN, None)
    assert time.monotonic() - begun < outside.sender.timeout_s
    assert len(outside.phone()) == arrived


def test_after_silence_it_goes_on(outside: Door) -> None:
    outside.play("silent")
    outside.sender.send(SMS)
    outside.play("none")
    assert outside.sender.send(SMS).state is SmsState.ACCEPTED


# --- the one that chooses among them keeps to it as well


def test_the_chooser_sends_by_the_first_and_falls_back(
    opened: Callable[[str], Door],
) -> None:
    providers = {name: opened(name) for name in ("africastalking", "smpp", "file")}
    terms = {name: Terms(100, 0.2, {"+254": "PESA"}) for name in providers}
    plan = Plan(1, terms, {"+": tuple(providers)})
    rests = RedisRests("redis://127.0.0.1:1")
    sender = chooser(plan, {name: door.sender for name, door in providers.items()}, rests)

    assert sender.send(Sms(AMINA, "one")).provider == "africastalking"
    providers["smpp"].play("refused")
    assert sender.send(Sms(AMINA, "two")).provider == "file"
    providers["smpp"].play("silent")
    assert sender.send(Sms(AMINA, "three")).state is SmsState.UNKNOWN
    assert providers["smpp"].phone() == [("PESA", "one")]
    assert providers["file"].phone() == [("PESA", "two")]
