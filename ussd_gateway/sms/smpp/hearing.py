"""What an SMSC tells us on a line, worked off by a thread of its own: one for each kind.

    keeper --deliver_sm--> queue --> thread --> who keeps it --> its answer

Receipts and what people text are of two kinds. What people text is answered out of the books,
and a flood of it must not keep receipts waiting: a silence whose receipt is late is sent once
more. Where a queue is full, the SMSC is to send again.
"""

import threading
from collections.abc import Callable
from contextlib import suppress
from queue import Empty, Full, Queue
from typing import Any

import structlog
from smpplib import consts

from ussd_gateway.sms.smpp.client import LinkLost, StrictClient

log = structlog.get_logger()

tick_s = 0.2

# "Try this one again": to a deliver_sm that we cannot take now.
AGAIN = int(consts.SMPP_ESME_RX_T_APPN)

# Takes a deliver_sm, and gives the command_status to answer it with.
Hear = Callable[[Any], int]


class Hearing:
    """Of one kind. `take` never waits."""

    def __init__(
        self, name: str, hear: Hear, stopping: threading.Event, *, waiting_max: int
    ) -> None:
        self._hear = hear
        self._stopping = stopping
        self._waiting: Queue[tuple[StrictClient, Any]] = Queue(waiting_max)
        self.thread = threading.Thread(target=self._work_off, name=f"smpp {name}", daemon=True)

    def take(self, client: StrictClient, deliver_sm: Any) -> None:
        """Raises LinkLost."""
        try:
            self._waiting.put_nowait((client, deliver_sm))
        except Full:
            client.answer(deliver_sm, AGAIN)

    def _work_off(self) -> None:
        while not self._stopping.is_set():
            with suppress(Empty, LinkLost):
                client, deliver_sm = self._waiting.get(timeout=tick_s)
                client.answer(deliver_sm, self._status(deliver_sm))

    def _status(self, deliver_sm: Any) -> int:
        try:
            return self._hear(deliver_sm)
        # A fault of ours in one must not end the thread that the others need.
        except Exception as error:  # noqa: BLE001
            log.error("smpp.not_heard", error=type(error).__name__)
            return AGAIN
