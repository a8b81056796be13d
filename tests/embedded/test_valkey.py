import signal
from collections.abc import Iterator
from pathlib import Path
from typing import cast

import pytest
import redis

from ussd_gateway.embedded import NotStarted, Valkey
from ussd_gateway.settings import Settings, valkey_socket

from .processes import eventually, owner, running


@pytest.fixture
def client(valkey_url: str) -> Iterator[redis.Redis]:
    with redis.from_url(valkey_url) as client:
        yield client


def test_it_is_a_real_valkey(client: redis.Redis) -> None:
    assert client.info("server")["server_name"] == "valkey"


@pytest.mark.parametrize(
    ("option", "value"),
    [
        ("appendonly", "yes"),
        ("appendfsync", "everysec"),
        ("maxmemory-policy", "noeviction"),
        ("port", "0"),
    ],
)
def test_it_keeps_what_it_is_given(client: redis.Redis, option: str, value: str) -> None:
    assert cast("dict[str, str]", client.config_get(option)) == {option: value}


def test_a_killed_valkey_has_lost_nothing_and_starts_on_its_stale_socket(
    tmp_path: Path,
) -> None:
    with Valkey(tmp_path) as valkey:
        with redis.from_url(valkey.url) as client:
            client.set("receipt", "7KX2M9QT4B")
        valkey.stop(by=signal.SIGKILL)
        assert (tmp_path / "valkey.sock").is_socket()

        valkey.start()
        with redis.from_url(valkey.url) as client:
            assert client.get("receipt") == b"7KX2M9QT4B"
    assert running(tmp_path) == []


def test_settings_find_the_valkey_of_their_data_folder(tmp_path: Path) -> None:
    with Valkey(tmp_path), redis.from_url(Settings(data_dir=tmp_path).redis_url) as client:
        assert client.ping()


def test_a_folder_with_a_long_name_has_a_short_socket(tmp_path: Path) -> None:
    folder = tmp_path / ("long % name " * 10)
    folder.mkdir()
    with Valkey(folder) as valkey, redis.from_url(valkey.url) as client:
        assert client.ping()
        assert len(valkey.url) < len(str(folder))
    assert not valkey_socket(folder).parent.exists()


def test_a_valkey_that_cannot_start_says_why(tmp_path: Path) -> None:
    (tmp_path / "valkey").mkdir()
    (tmp_path / "valkey" / "appendonlydir").touch()
    valkey = Valkey(tmp_path)
    with pytest.raises(NotStarted, match=r"(?s)exit code 1\n.*appendonlydir"):
        valkey.start()
    valkey.stop()


def test_a_killed_owner_leaves_no_valkey(tmp_path: Path) -> None:
    with owner("valkey", tmp_path) as first:
        assert first.said() == "up"
        assert len(running(tmp_path)) == 2
        first.signal(signal.SIGKILL)
        first.ended()
        assert eventually(lambda: not running(tmp_path), within_s=2)
