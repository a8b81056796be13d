"""The simulator as `ussd-gateway` runs it: a process of its own."""

import os
import signal
import socket
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
import requests

Eventually = Callable[[Callable[[], bool]], None]

PROGRAM = """
from ussd_gateway.settings import load
from ussd_gateway.simulators.main import run_simulator
run_simulator(load())
"""


@pytest.mark.parametrize("signal_sent", [signal.SIGTERM, signal.SIGKILL])
def test_it_serves_the_phones_and_leaves_no_process_behind(
    tmp_path: Path, eventually: Eventually, signal_sent: signal.Signals
) -> None:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    settings = {"DATA_DIR": str(tmp_path), "SIM_PORT": str(port)}
    program = subprocess.Popen([sys.executable, "-c", PROGRAM], env={**os.environ, **settings})

    eventually(lambda: _status(f"http://127.0.0.1:{port}/") == 200)
    children = Path(f"/proc/{program.pid}/task/{program.pid}/children").read_text().split()
    program.send_signal(signal_sent)
    program.wait(10)

    assert children
    eventually(lambda: not any(_runs(child) for child in children))
    assert (tmp_path / "simulator.sqlite").exists()


def _runs(pid: str) -> bool:
    """A zombie that waits for its parent does not run."""
    try:
        return ") Z " not in Path(f"/proc/{pid}/stat").read_text()
    except FileNotFoundError:
        return False


def _status(url: str) -> int:
    try:
        return requests.get(url, timeout=1).status_code
    except requests.ConnectionError:
        return 0
