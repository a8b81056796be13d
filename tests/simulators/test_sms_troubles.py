"""What goes wrong at SMS providers, played by the simulated one over HTTP."""

import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import requests
from flask import Flask

from ussd_gateway.simulators.main import create_app
from ussd_gateway.simulators.sms_troubles import (
    AnswerTrouble,
    Plan,
    ReportTrouble,
    Troubles,
    early_s,
    held_max,
    late_s,
    silent_s,
    slow_s,
)

from .stand_in import StandIn, served

AMINA, JUMA = "+254711000001", "+254711000002"

Eventually = Callable[[Callable[[], bool]], None]


@pytest.fixture
def waited() -> list[float]:
    """How long the provider would have waited, each time."""
    return []


@pytest.fixture
def simulator(gateway: StandIn, tmp_path: Path, waited: list[float]) -> Iterator[Flask]:
    app = create_app(
        gateway_url=gateway.url,
        callback_token="dev",
        username="sandbox",
        api_key="demo",
        data_dir=tmp_path,
        people=(),
        report_delay_s=0.1,
        seed=7,
        wait=waited.append,
    )
    yield app
    app.extensions["reporter"].close()


@pytest.fixture
def url(simulator: Flask) -> Iterator[str]:
    with served(simulator) as url:
        yield url


def play(url: str, **troubles: object) -> requests.Response:
    return requests.post(f"{url}/sms/troubles", json=troubles, timeout=5)


def send(url: str, *numbers: str) -> requests.Response:
    return requests.post(
        f"{url}/version1/messaging",
        data={"username": "sandbox", "to": ",".join(numbers or (AMINA,)), "message": "Hello"},
        headers={"apiKey": "demo"},
        timeout=5,
    )


def texts(url: str, number: str = AMINA) -> int:
    return len(requests.get(f"{url}/phones/{number}/messages", timeout=5).json())


def statuses(gateway: StandIn) -> list[str]:
    return [report["status"] for report in gateway.reports]


@pytest.mark.parametrize(
    ("trouble", "status"), [("error", 500), ("throttled", 429), ("silent", 503)]
)
def test_what_was_not_taken_reaches_nobody(url: str, trouble: str, status: int) -> None:
    play(url, answers={trouble: 1})

    assert send(url).status_code == status
    assert texts(url) == 0


def test_a_provider_that_is_asked_too_often_says_when_to_come_again(url: str) -> None:
    play(url, answers={"throttled": 1})

    assert send(url).headers["Retry-After"] == "1"


def test_an_account_without_credit_gets_no_recipients_and_the_reason(url: str) -> None:
    play(url, answers={"refused": 1})
    answer = send(url)

    assert (answer.status_code, answer.json()) == (
        201,
        {"SMSMessageData": {"Message": "InsufficientBalance", "Recipients": []}},
    )
    assert texts(url) == 0


def test_what_was_taken_before_the_silence_arrives_all_the_same(
    url: str, waited: list[float]
) -> None:
    play(url, answers={"silent after taking": 1})

    assert send(url).status_code == 504
    assert waited == [silent_s]
    assert texts(url) == 1


def test_a_slow_answer_is_an_answer(url: str, waited: list[float]) -> None:
    play(url, answers={"slow": 1})

    assert send(url).status_code == 201
    assert waited == [slow_s]
    assert texts(url) == 1


def test_a_batch_is_taken_in_part(url: str) -> None:
    play(url, answers={"partial": 1})
    recipients = send(url, AMINA, JUMA).json()["SMSMessageData"]["Recipients"]

    assert [(one["statusCode"], one["status"]) for one in recipients] == [
        (502, "RejectedByGateway"),
        (101, "Success"),
    ]
    assert (texts(url, AMINA), texts(url, JUMA)) == (0, 1)


def test_troubles_end_after_so_many_requests(url: str) -> None:
    play(url, answers={"error": 1}, next=2)

    assert [send(url).status_code for _ in range(4)] == [500, 500, 201, 201]
    told = requests.get(f"{url}/sms/troubles", timeout=5).json()
    assert (told["next"], told["played"]) == (0, {"error": 2})


def test_an_empty_plan_ends_them(url: str) -> None:
    play(url, answers={"error": 1})
    play(url)

    assert send(url).status_code == 201


REPORTS = [
    ({}, ["Submitted", "Success"]),
    ({"doubled": 1}, ["Submitted", "Submitted", "Success", "Success"]),
    ({"reordered": 1}, ["Success", "Submitted"]),
    ({"failed": 1}, ["Submitted", "Failed"]),
    ({"early": 1}, ["Submitted", "Success"]),
]


@pytest.mark.parametrize(("reports", "come"), REPORTS, ids=str)
def test_reports_come_as_the_plan_has_them(
    url: str,
    gateway: StandIn,
    eventually: Eventually,
    reports: dict[str, int],
    come: list[str],
) -> None:
    play(url, reports=reports)
    send(url)

    eventually(lambda: len(gateway.reports) == len(come))
    assert statuses(gateway) == come


def test_an_early_report_is_there_before_the_answer(
    gateway: StandIn, tmp_path: Path, eventually: Eventually
) -> None:
    answered = threading.Event()
    app = create_app(
        gateway_url=gateway.url,
        callback_token="dev",
        username="sandbox",
        api_key="demo",
        data_dir=tmp_path,
        people=(),
        wait=lambda seconds: _waits(seconds, answered),
    )
    with served(app) as url:
        play(url, reports={"early": 1})
        asking = threading.Thread(target=send, args=(url,))
        asking.start()
        eventually(lambda: statuses(gateway) == ["Submitted", "Success"])
        assert asking.is_alive()
        answered.set()
        asking.join()
    app.extensions["reporter"].close()


def _waits(seconds: float, answered: threading.Event) -> None:
    assert seconds == early_s
    answered.wait(10)


def test_a_missing_report_never_comes_and_a_late_one_is_still_owed(
    url: str, gateway: StandIn, eventually: Eventually
) -> None:
    play(url, reports={"missing": 1}, next=1)
    missing = send(url).json()["SMSMessageData"]["Recipients"][0]["messageId"]
    play(url, reports={"late": 1}, next=1)
    late = send(url).json()["SMSMessageData"]["Recipients"][0]["messageId"]
    told = send(url).json()["SMSMessageData"]["Recipients"][0]["messageId"]

    eventually(lambda: len(gateway.reports) == 2)
    assert {report["id"] for report in gateway.reports} == {told}
    assert late_s > 10
    assert missing != late


WRONG: list[dict[str, object]] = [
    {"answers": {"nobody": 1}},
    {"answers": {"early": 1}},
    {"answers": {"error": 2}},
    {"answers": {"error": -0.1}},
    {"answers": {"error": True}},
    {"answers": {"error": 0.6, "slow": 0.6}},
    {"reports": ["doubled"]},
    {"next": -1},
    {"next": 1.5},
    {"else": 1},
]


@pytest.mark.parametrize("wrong", WRONG, ids=str)
def test_what_is_no_plan_is_refused_and_changes_nothing(
    url: str, wrong: dict[str, object]
) -> None:
    play(url, answers={"error": 1})

    assert play(url, **wrong).status_code == 400
    assert send(url).status_code == 500


def test_a_seed_meets_the_same_messages_with_the_same_troubles() -> None:
    plan = Plan({AnswerTrouble.ERROR: 0.3, AnswerTrouble.SLOW: 0.3})

    def drawn(seed: int) -> list[AnswerTrouble]:
        numbers = iter(range(1_000))
        troubles = Troubles(lambda count: bytes([(seed + next(numbers) * 97) % 256] * count))
        troubles.play(plan)
        return [troubles.request()[0] for _ in range(200)]

    assert drawn(1) == drawn(1) != drawn(2)
    assert set(drawn(1)) == {AnswerTrouble.NONE, AnswerTrouble.ERROR, AnswerTrouble.SLOW}


def test_shares_are_shares() -> None:
    numbers = iter(range(4_000))
    troubles = Troubles(lambda _: (next(numbers) * 1_073_741 % 2**32).to_bytes(4, "big"))
    plan = Plan(reports={ReportTrouble.MISSING: 0.1, ReportTrouble.DOUBLED: 0.2})
    found = [troubles.report(plan) for _ in range(4_000)]

    assert found.count(ReportTrouble.MISSING) == pytest.approx(400, rel=0.1)
    assert found.count(ReportTrouble.DOUBLED) == pytest.approx(800, rel=0.1)


def test_more_than_can_wait_are_cut_off() -> None:
    go_on, here = threading.Event(), threading.Barrier(held_max + 1)

    def hold(_seconds: float) -> None:
        here.wait(10)
        go_on.wait(10)

    troubles = Troubles(bytes, hold)
    held = [threading.Thread(target=troubles.wait, args=(1.0,)) for _ in range(held_max)]
    for each in held:
        each.start()
    here.wait(10)
    assert not troubles.wait(1.0)
    go_on.set()
    for each in held:
        each.join()
