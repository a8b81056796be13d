"""Delivery reports, sent to the gateway from a thread of their own.

What the vendor sends (developers.africastalking.com/docs/sms/notifications, as of 2026-11):
POST form id, status (Sent, Submitted, Buffered; final Success, Rejected, Failed), phoneNumber,
networkCode, retryCount, and failureReason where it failed.

A report that the gateway does not take with a 2xx is tried again, each time after twice the
wait, and given up after `tries_max`; the reports of other messages do not wait for it.
"""

import sqlite3
import threading
from collections.abc import Callable
from datetime import datetime, timedelta

import requests
import structlog

from ussd_gateway.simulators.handset import SAFARICOM_KE, local_http, utc_now
from ussd_gateway.simulators.inbox import Inbox, Report

tries_max = 8
first_wait_s = 1.0
wait_max_s = 30.0
post_timeout_s = 5
batch_max = 100
poll_s = 0.1

_log = structlog.get_logger()


class Reporter:
    """Sends what `inbox` owes. `start` once; `close` ends the thread and the inbox's file."""

    def __init__(
        self, inbox: Inbox, reports_url: str, *, now: Callable[[], datetime] = utc_now
    ) -> None:
        self._inbox = inbox
        self._reports_url = reports_url
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
            except sqlite3.OperationalError:  # a full disk: the reports stay owed
                _log.exception("reports.stuck")

    def _send_due(self) -> None:
        for report in self._inbox.due(self._now(), batch_max):
            if self._stopping.is_set():
                return
            self._send(report)

    def _send(self, report: Report) -> None:
        if self._taken(report):
            self._inbox.settle(report)
        elif report.tries + 1 >= tries_max:
            _log.warning("report.given_up", provider_id=report.provider_id)
            self._inbox.settle(report)
        else:
            wait_s = min(first_wait_s * 2**report.tries, wait_max_s)
            self._inbox.postpone(report, self._now() + timedelta(seconds=wait_s))

    def _taken(self, report: Report) -> bool:
        form = {
            "id": report.provider_id,
            "status": report.status,
            "phoneNumber": report.msisdn,
            "networkCode": SAFARICOM_KE,
            "retryCount": str(report.tries),
        }
        if report.failure_reason:
            form["failureReason"] = report.failure_reason
        try:
            response = self._http.post(self._reports_url, data=form, timeout=post_timeout_s)
        except requests.RequestException:
            return False
        return response.ok
