"""The jobs that the queue names. RQ calls a function by its name, so what it needs is set here,
once, when the worker process starts."""

from ussd_gateway.worker.sending import Sending

QUEUE = "sms"

_sending: list[Sending] = []


def serve_with(sending: Sending) -> None:
    """Called once, by the worker's main, before it takes a job."""
    _sending[:] = [sending]


def send(ids: list[int]) -> None:
    """Begins to send outbox rows. A job run twice sends nothing twice: rows are taken one time
    only."""
    _sending[0].send(ids)
