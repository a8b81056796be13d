"""Messages as lines of a file, for trials: nobody gets them.

A line is a JSON object: id, to, from, text. The file is for its owner only, as the texts are
somebody's money. Several workers may write to it at once.
"""

import json
import os
from pathlib import Path
from uuid import uuid4

from ussd_gateway.ports import DoorError, Sms, SmsResult, SmsState
from ussd_gateway.sms.plan import FILE

_OWNER_ONLY = 0o600


class FileSms:
    """`ports.SmsSender` that appends to the file at `path`."""

    # A disk that is slower than this is no provider.
    timeout_s = 5.0

    def __init__(self, path: Path) -> None:
        self._path = path

    def send(self, sms: Sms) -> SmsResult:
        message_id = uuid4().hex
        said = {"id": message_id, "to": sms.to, "from": sms.sender, "text": sms.text}
        line = f"{json.dumps(said, ensure_ascii=False)}\n".encode()
        try:
            written = self._append(line)
        except OSError as error:
            raise DoorError(f"{self._path.name}: {error.strerror}") from None
        if written < len(line):
            raise DoorError(f"{self._path.name}: the disk is full")
        return SmsResult(SmsState.ACCEPTED, FILE, message_id, "written")

    def _append(self, line: bytes) -> int:
        """In one write, which no other one comes between."""
        opened = os.open(self._path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, _OWNER_ONLY)
        try:
            return os.write(opened, line)
        finally:
            os.close(opened)
