import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from flask import Flask

from ussd_gateway.simulators.cast import read_cast
from ussd_gateway.simulators.main import PEOPLE, create_app

from .stand_in import StandIn, StartSimulator, served


@pytest.fixture
def gateway() -> Iterator[StandIn]:
    stand_in = StandIn()
    with served(stand_in.app) as url:
        stand_in.url = url
        yield stand_in
        stand_in.go_on.set()


@pytest.fixture
def start_simulator(gateway: StandIn, tmp_path: Path) -> Iterator[StartSimulator]:
    """Starts a simulator on the same data folder every time; the one before it is closed."""
    running: list[Flask] = []

    def close() -> None:
        while running:
            running.pop().extensions["reporter"].close()

    def start() -> Flask:
        close()
        running.append(
            create_app(
                gateway_url=gateway.url,
                callback_token="dev",
                username="sandbox",
                api_key="demo",
                data_dir=tmp_path,
                people=read_cast(PEOPLE),
                report_delay_s=0.1,
            )
        )
        return running[-1]

    yield start
    close()


@pytest.fixture
def simulator(start_simulator: StartSimulator) -> Flask:
    return start_simulator()


@pytest.fixture
def simulator_url(simulator: Flask) -> Iterator[str]:
    with served(simulator) as url:
        yield url


@pytest.fixture
def eventually() -> Callable[[Callable[[], bool]], None]:
    """Waits until a claim holds; fails the test after 5 s."""

    def wait(claim: Callable[[], bool]) -> None:
        pause = threading.Event()
        for _ in range(250):
            if claim():
                return
            pause.wait(0.02)
        assert claim()

    return wait
