"""Messages as lines of a file."""

import json
import stat
import threading
from pathlib import Path

import pytest

from ussd_gateway.domain.msisdn import Msisdn
from ussd_gateway.ports import DoorError, Sms
from ussd_gateway.sms.file import FileSms

AMINA = Msisdn("+254711000001")


def test_a_message_is_a_line_for_the_owner_alone(tmp_path: Path) -> None:
    path = tmp_path / "sms.jsonl"
    result = FileSms(path).send(Sms(AMINA, "Habari\nyako é", sender="PESA"))

    (line,) = path.read_text("utf-8").splitlines()
    assert json.loads(line) == {
        "id": result.provider_id,
        "to": AMINA,
        "from": "PESA",
        "text": "Habari\nyako é",
    }
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_lines_of_many_threads_are_whole(tmp_path: Path) -> None:
    sender = FileSms(tmp_path / "sms.jsonl")
    threads = [
        threading.Thread(target=lambda: [sender.send(Sms(AMINA, "x" * 400)) for _ in range(20)])
        for _ in range(8)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    lines = (tmp_path / "sms.jsonl").read_text("utf-8").splitlines()
    assert len({json.loads(line)["id"] for line in lines}) == 160


def test_a_file_that_cannot_be_written_took_nothing(tmp_path: Path) -> None:
    with pytest.raises(DoorError, match="No such file"):
        FileSms(tmp_path / "gone" / "sms.jsonl").send(Sms(AMINA, "Hello"))


def test_a_full_disk_took_nothing() -> None:
    with pytest.raises(DoorError, match="No space left"):
        FileSms(Path("/dev/full")).send(Sms(AMINA, "Hello"))
