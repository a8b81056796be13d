"""The simulator as a program: the vendor's APIs, a carrier and the two phones, on one port; and
on SMPP_PORT, where it is set, the carrier's SMSC.

Handsets live in memory, so it is one process with threads.
"""

import hashlib
import itertools
import secrets
import time
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from functools import partial
from pathlib import Path

from flask import Flask
from granian import Granian
from granian.constants import HTTPModes, Interfaces
from granian.log import LogLevels

from ussd_gateway.embedded import die_with_parent
from ussd_gateway.settings import (
    DEMO_CARRIER_TOKEN,
    DEMO_SMPP_PASSWORD,
    DEMO_SMPP_SYSTEM_ID,
    Settings,
)
from ussd_gateway.simulators.airtime_api import airtime_api, validated_by
from ussd_gateway.simulators.carrier import Charges, carrier_api, hold_back
from ussd_gateway.simulators.cast import Person, read_cast
from ussd_gateway.simulators.handset import Handset, utc_now
from ussd_gateway.simulators.inbox import Inbox
from ussd_gateway.simulators.page import Phones, phones_page
from ussd_gateway.simulators.reports import Reporter
from ussd_gateway.simulators.sms_api import Account, sms_api
from ussd_gateway.simulators.sms_troubles import Troubles, troubles_door
from ussd_gateway.simulators.smsc import Smsc
from ussd_gateway.simulators.vendors import AFRICAS_TALKING

# Who sends SMS and airtime, as its callbacks name it.
PROVIDER = "africastalking"
PEOPLE = Path(__file__).parents[2] / "fixtures" / "people.yaml"


request_octets_max = 256 * 1024
# More than any troubles hold.
threads = 64
stop_within_s = 3


def create_app(
    *,
    gateway_url: str,
    callback_token: str,
    username: str,
    api_key: str,
    data_dir: Path,
    people: Sequence[Person],
    carrier_token: str = DEMO_CARRIER_TOKEN,
    report_delay_s: float = 1.0,
    smsc_port: int | None = None,
    smpp_system_id: str = DEMO_SMPP_SYSTEM_ID,
    smpp_password: str = DEMO_SMPP_PASSWORD,
    seed: int | None = None,
    now: Callable[[], datetime] = utc_now,
    hold: Callable[[], None] = hold_back,
    wait: Callable[[float], None] = time.sleep,
) -> Flask:
    """The whole simulator. With `seed` a new `data_dir` gives the same session and message ids
    every time, and a used one gives others. `hold` is how long its carrier is silent; by `wait`
    its SMS provider is slow.

    It starts the thread that sends the callbacks that are owed;
    `app.extensions["reporter"].close()` ends that thread and lets go of `data_dir`. With
    `smsc_port` it is an SMSC on that port too: `app.extensions["smsc"].close()` ends that.
    """
    inbox = Inbox(data_dir / "simulator.sqlite")
    account = Account(username, api_key)
    airtime_url = f"{gateway_url}/airtime/{PROVIDER}/{callback_token}"
    urls = {
        "sms": f"{gateway_url}/sms/{PROVIDER}/{callback_token}/reports",
        "airtime": f"{airtime_url}/status",
    }
    reporter = Reporter(inbox, urls, now=now)
    session_octets = _octets(seed, f"session {inbox.openings}")
    phones = Phones(
        lambda msisdn: Handset(
            callback_url(gateway_url, callback_token),
            msisdn,
            tokens=lambda: session_octets(16).hex(),
            now=now,
        )
    )
    troubles = Troubles(_octets(seed, f"trouble {inbox.openings}"), wait)
    app = Flask("ussd_gateway.simulators")
    app.config["MAX_CONTENT_LENGTH"] = request_octets_max
    app.register_blueprint(phones_page(phones, inbox, people))
    app.register_blueprint(
        sms_api(
            inbox,
            account,
            report_delay_s=report_delay_s,
            octets=_octets(seed, f"message {inbox.openings}"),
            now=now,
            troubles=troubles,
        )
    )
    app.register_blueprint(troubles_door(troubles))
    app.register_blueprint(
        airtime_api(
            inbox,
            account,
            status_delay_s=report_delay_s,
            octets=_octets(seed, f"airtime {inbox.openings}"),
            now=now,
            validated=validated_by(f"{airtime_url}/validate"),
        )
    )
    app.register_blueprint(
        carrier_api(
            Charges(data_dir / "carrier.sqlite"),
            token=carrier_token,
            octets=_octets(seed, f"payment {inbox.openings}"),
            now=now,
            hold=hold,
        )
    )
    app.extensions["reporter"] = reporter
    reporter.start()
    if smsc_port is not None:
        smsc = Smsc(
            inbox,
            system_id=smpp_system_id,
            password=smpp_password,
            octets=_octets(seed, f"smsc {inbox.openings}"),
            now=now,
            troubles=troubles,
            port=smsc_port,
            report_delay_s=report_delay_s,
        )
        app.extensions["smsc"] = smsc
        smsc.start()
    return app


def callback_url(gateway_url: str, callback_token: str, route: str = AFRICAS_TALKING) -> str:
    """Where the vendor posts what a phone dials and types."""
    return f"{gateway_url}/ussd/{route}/{callback_token}"


def gateway_url(settings: Settings) -> str:
    return f"http://127.0.0.1:{settings.port}"


def run_simulator(settings: Settings) -> None:
    """Serves until SIGINT or SIGTERM."""
    server = Granian(
        "ussd_gateway.simulators.main",
        address="127.0.0.1",
        port=settings.sim_port,
        interface=Interfaces.WSGI,
        http=HTTPModes.http1,
        workers=1,
        blocking_threads=threads,
        workers_kill_timeout=stop_within_s,
        log_level=LogLevels(settings.log_level),
        log_access=False,
    )
    server.serve(target_loader=partial(_application, settings), wrap_loader=False)


def _application(settings: Settings) -> Flask:
    """Built in granian's worker process: the report thread would not survive a fork."""
    die_with_parent()
    # The gateway's time: it looks for a payment by when it was made.
    offset = timedelta(seconds=settings.clock_offset_s or 0)
    return create_app(
        gateway_url=gateway_url(settings),
        callback_token=settings.callback_tokens[0],
        username=settings.at_username,
        api_key=settings.at_api_key,
        data_dir=settings.data_dir,
        people=read_cast(PEOPLE),
        carrier_token=settings.carrier_token,
        smsc_port=settings.smpp_port,
        smpp_system_id=settings.smpp_system_id or DEMO_SMPP_SYSTEM_ID,
        smpp_password=settings.smpp_password or DEMO_SMPP_PASSWORD,
        seed=settings.seed,
        now=lambda: utc_now() + offset,
    )


def _octets(seed: int | None, purpose: str) -> Callable[[int], bytes]:
    if seed is None:
        return secrets.token_bytes
    numbers = itertools.count()
    return lambda count: hashlib.shake_256(f"{seed} {purpose} {next(numbers)}".encode()).digest(
        count
    )
