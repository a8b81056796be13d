"""The command as a person meets it: what it says when it cannot do what it was asked."""

import os
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from ussd_gateway.embedded import Valkey, owned


def run(*words: str, **environ: str) -> subprocess.CompletedProcess[str]:
    clean = {name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ}
    return subprocess.run(
        [sys.executable, "-m", "ussd_gateway", *words],
        env=clean | environ,
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )


@pytest.fixture
def taken_port() -> Iterator[int]:
    with closing(socket.create_server(("127.0.0.1", 0))) as server:
        yield server.getsockname()[1]


def test_faults_of_the_environment_are_lines_and_no_traceback() -> None:
    done = run("doctor", PORT="door", LOG_LEVEL="loud")

    assert done.returncode == 2
    assert done.stdout == ""
    first, *faults = done.stderr.splitlines()
    assert first == "The environment needs mending:"
    assert [fault.split(":")[0].strip() for fault in faults] == ["PORT", "LOG_LEVEL"]


def test_a_taken_port_is_named_with_the_way_out(tmp_path: Path, taken_port: int) -> None:
    done = run("demo", DATA_DIR=str(tmp_path), PORT=str(taken_port), SIM_PORT="1")

    assert done.returncode == 2
    assert done.stderr.splitlines()[0] == (
        f"PORT={taken_port} is taken by another program; choose another: "
        f"make run PORT={taken_port + 1}"
    )


def test_a_second_demo_on_the_same_data_is_told_of_the_first(tmp_path: Path) -> None:
    with owned(tmp_path):
        done = run("demo", DATA_DIR=str(tmp_path))
    assert done.returncode == 2
    assert f"is in use by process {os.getpid()}" in done.stderr
    assert len(done.stderr.splitlines()) == 1


def test_the_demo_has_no_place_in_production(tmp_path: Path) -> None:
    production = {
        "APP_ENV": "production",
        "DATABASE_URL": "postgresql://gateway@db/gateway",
        "REDIS_URL": "redis://redis:6379/0",
        "PIN_KEY": f"k1:{'ab' * 32}",
        "CALLBACK_TOKENS": "a-long-and-secret-token",
        "ALLOWED_IPS": "10.1.0.0/16",
        "AT_USERNAME": "jirani",
        "AT_API_KEY": "sunlight",
        "DATA_DIR": str(tmp_path),
    }
    for command in (("demo",), ("db", "seed")):
        done = run(*command, **production)
        assert done.returncode == 2
        assert "production" in done.stderr


def test_fresh_does_not_pretend_to_empty_a_database_elsewhere(tmp_path: Path) -> None:
    done = run(
        "demo", "--fresh", DATA_DIR=str(tmp_path), DATABASE_URL="postgresql://db/gateway"
    )
    assert done.returncode == 2
    assert "DATABASE_URL" in done.stderr


def test_the_doctor_says_what_to_do(tmp_path: Path) -> None:
    done = run(
        "doctor",
        DATA_DIR=str(tmp_path),
        DATABASE_URL="postgresql://gateway:moonlight@127.0.0.1:1/gateway",
        REDIS_URL="redis://127.0.0.1:1/0",
        MENUS_DIR=str(tmp_path),
        PORT="1",
    )

    assert done.returncode == 1
    assert "moonlight" not in done.stdout
    for advice in ("Mend DATABASE_URL.", "or mend REDIS_URL.", "set MENUS_DIR="):
        assert advice in done.stdout
    assert "ok  PORT      1: free" in done.stdout


def test_the_doctor_is_content_before_the_first_run_and_beside_a_valkey(tmp_path: Path) -> None:
    closed = {"DATA_DIR": str(tmp_path), "PORT": "1", "SIM_PORT": "2"}
    before = run("doctor", **closed)
    assert before.returncode == 0, before.stdout
    assert "`make run` starts it" in before.stdout

    with Valkey(tmp_path):
        beside = run("doctor", **closed)
    assert beside.returncode == 0, beside.stdout
    assert "embedded: 9." in beside.stdout
