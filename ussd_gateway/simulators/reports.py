"""The callbacks that are owed, sent to the gateway by a few threads of their own.

Those of one message go one after the other, in the order in which they fall due; those of
others beside them: of a hundred SMS a second two hundred are owed.

One that the gateway does not take with a 2xx is tried again, each time after twice the wait,
and given up after `tries_max`; the others do not wait for it. A form with a `retryCount` says
there how often it was tried before.
"""

import sqlite3
import threading
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta

import requests
import structlog

from ussd_gateway.simulators.handset import local_http, utc_now
from ussd_gateway.simulators.inbox import Callback, Inbox

tries_max = 8
first_wait_s = 1.0
wait_max_s = 30.0
post_timeout_s = 5
batch_max = 100
senders = 4
poll_s = 0.1

_log = structlog.get_logger()


class Reporter:
    """Sends what `inbox` owes: `urls` has one for each thing it may be about. `start` once;
    `close` ends the thread and the inbox's file."""

    def __init__(
        self, inbox: Inbox, urls: Mapping[str, str], *, now: Callable[[], datetime] = utc_now
    ) -> None:
        self._inbox = inbox
        self._urls = urls
        self._now = now
        # A session of requests is not made for threads.
        self._https = [local_http() for _ in range(senders)]
        self._senders = ThreadPoolExecutor(senders, thread_name_prefix="report")
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="reports", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def close(self) -> None:
        self._stopping.set()
        self._thread.join()
        self._senders.shutdown()
        for http in self._https:
            http.close()
        self._inbox.close()

    def _run(self) -> None:
        # Ends with the program: `close`, or the end of the process, as the thread is a daemon.
        while not self._stopping.wait(poll_s):
            try:
                self._send_due()
            except sqlite3.OperationalError:  # a full disk: they stay owed
                _log.exception("reports.stuck")

    def _send_due(self) -> None:
        shares: list[list[Callback]] = [[] for _ in self._https]
        for callback in self._inbox.due(self._now(), batch_max):
            shares[hash(_about(callback)) % senders].append(callback)
        for _ in self._senders.map(self._send_all, self._https, shares):
            pass  # raises what one of them has met

    def _send_all(self, http: requests.Session, callbacks: Sequence[Callback]) -> None:
        for callback in callbacks:
            if self._stopping.is_set():
                return
            self._send(http, callback)

    def _send(self, http: requests.Session, callback: Callback) -> None:
        if self._taken(http, callback):
            self._inbox.settle(callback)
        elif callback.tries + 1 >= tries_max:
            _log.warning("report.given_up", about=callback.about, row=callback.row)
            self._inbox.settle(callback)
        else:
            wait_s = min(first_wait_s * 2**callback.tries, wait_max_s)
            self._inbox.postpone(callback, self._now() + timedelta(seconds=wait_s))

    def _taken(self, http: requests.Session, callback: Callback) -> bool:
        form = dict(callback.form)
        if "retryCount" in form:
            form["retryCount"] = str(callback.tries)
        try:
            response = http.post(self._urls[callback.about], data=form, timeout=post_timeout_s)
        except requests.RequestException:
            return False
        return response.ok


def _about(callback: Callback) -> str:
    """The message, or the request, that it tells of."""
    form = callback.form
    return form.get("id") or form.get("requestId") or ""
