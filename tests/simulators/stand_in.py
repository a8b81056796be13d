"""A gateway that stands in for ours: a few fixed screens, and a record of what it was sent.

*384#  home -> number -> amount -> PIN -> END, as our own menu has them
*500#  HTTP 500     *501#  a body that is neither CON nor END     *502#  a redirect
*503#  another answer each time     *504#  an answer only when `go_on` is set
"""

import itertools
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from flask import Flask, Response, redirect, request
from werkzeug.serving import make_server

StartSimulator = Callable[[], Flask]

HOME = "Pesa\n1. Send money\n2. Withdraw\n3. Pay\n4. Airtime\n5. My account"
COMMIT = (
    "Send KES 500.00 to Juma Otieno 0711000002\n"
    "Fee KES 7.00 Total KES 507.00\n"
    "Enter PIN to send"
)
SENT = (
    "QKX7M2R9TA sent. KES 500.00 to Juma Otieno 0711***002. Fee KES 7.00. Balance KES 4,493.00"
)
SCREENS = (
    f"CON {HOME}",
    "CON Enter phone number",
    "CON Enter amount",
    f"CON {COMMIT}",
    f"END {SENT}",
)


class StandIn:
    def __init__(self) -> None:
        self.callbacks: list[dict[str, str]] = []
        self.bodies: list[bytes] = []
        self.events: list[dict[str, str]] = []
        self.reports: list[dict[str, str]] = []
        self.texts: list[dict[str, str]] = []
        self.texts_refused = 0
        self.reports_refused = 0  # so many next reports get a 503
        self.statuses: list[dict[str, str]] = []
        self.validations: list[dict[str, str]] = []
        self.validation: Response | None = None  # None: there is no such URL
        self.go_on = threading.Event()
        self.url = ""
        self._numbers = itertools.count()
        self.app = Flask("stand_in")
        self.app.post("/ussd/africastalking/dev")(self._callback)
        self.app.post("/ussd/africastalking/dev/events")(self._event)
        self.app.post("/sms/africastalking/dev/reports")(self._report)
        self.app.post("/sms/africastalking/dev/inbound")(self._text)
        self.app.post("/airtime/africastalking/dev/status")(self._status)
        self.app.post("/airtime/africastalking/dev/validate")(self._validate)

    @property
    def callback_url(self) -> str:
        return f"{self.url}/ussd/africastalking/dev"

    def _callback(self) -> Response:
        self.bodies.append(request.get_data())
        self.callbacks.append(request.form.to_dict())
        match request.form["serviceCode"]:
            case "*500#":
                return Response("broken", status=500)
            case "*501#":
                return Response(" CON a space comes first")
            case "*502#":
                return redirect("/elsewhere")  # type: ignore[return-value]
            case "*503#":
                return Response(f"CON {next(self._numbers)}")
            case "*504#":
                self.go_on.wait(10)
        text = request.form["text"]
        return Response(SCREENS[min(len(text.split("*")) if text else 0, len(SCREENS) - 1)])

    def _event(self) -> str:
        self.events.append(request.form.to_dict())
        return ""

    def _report(self) -> Response:
        if self.reports_refused:
            self.reports_refused -= 1
            return Response(status=503)
        self.reports.append(request.form.to_dict())
        return Response()

    def _text(self) -> Response:
        if self.texts_refused:
            self.texts_refused -= 1
            return Response(status=503)
        self.texts.append(request.form.to_dict())
        return Response("OK")

    def _status(self) -> Response:
        self.statuses.append(request.form.to_dict())
        return Response()

    def _validate(self) -> Response:
        self.validations.append(request.form.to_dict())
        return self.validation or Response(status=404)


@contextmanager
def served(app: Flask) -> Iterator[str]:
    """The app on a free port of this machine, in threads; gives its URL."""
    server = make_server("127.0.0.1", 0, app, threaded=True)
    thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
