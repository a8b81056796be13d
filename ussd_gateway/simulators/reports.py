"""The callbacks that are owed, sent to the gateway from a thread of their own.

One that the gateway does not take with a 2xx is tried again, each time after twice the wait,
and given up after `tries_max`; the others do not wait for it. A form with a `retryCount` says
there how often it was tried before.
"""

import sqlite3
import threading
from collections.abc import Callable, Mapping
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
        self._http = local_http()
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="reports", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def close(self) -> None:
        self._stopping.set()
        self._thread.join()
        self._http.close()
        self._inbox.close()

    def _run(self) -> None:
        # Ends with the program: `close`, or the end of the process, as the thread is a daemon.
        while not self._stopping.wait(poll_s):
            try:
                self._send_due()
            except sqlite3.OperationalError:  # a full disk: they stay owed
                _log.exception("reports.stuck")

    def _send_due(self) -> None:
        for callback in self._inbox.due(self._now(), batch_max):
            if self._stopping.is_set():
                return
            self._send(callback)

    def _send(self, callback: Callback) -> None:
        if self._taken(callback):
            self._inbox.settle(callback)
        elif callback.tries + 1 >= tries_max:
            _log.warning("report.given_up", about=callback.about, row=callback.row)
            self._inbox.settle(callback)
        else:
            wait_s = min(first_wait_s * 2**callback.tries, wait_max_s)
            self._inbox.postpone(callback, self._now() + timedelta(seconds=wait_s))

    def _taken(self, callback: Callback) -> bool:
        form = dict(callback.form)
        if "retryCount" in form:
            form["retryCount"] = str(callback.tries)
        try:
            response = self._http.post(
                self._urls[callback.about], data=form, timeout=post_timeout_s
            )
        except requests.RequestException:
            return False
        return response.ok
