"""The carriers of a world that is all in this process: the simulator's own, and the real
adapters that speak to them. Silence is an exception here, and takes no time."""

from collections.abc import Iterator, Mapping
from datetime import datetime
from pathlib import Path

import requests
from flask import Flask

from ussd_gateway import app
from ussd_gateway.app.chance import SeededRandom
from ussd_gateway.carriers.airtime import AfricasTalkingAirtime
from ussd_gateway.carriers.camara import CamaraBilling
from ussd_gateway.cli.stage.in_process import reaching
from ussd_gateway.ports import Clock
from ussd_gateway.settings import Settings
from ussd_gateway.simulators.airtime_api import Moment, airtime_api
from ussd_gateway.simulators.carrier import Charges, Mood, carrier_api
from ussd_gateway.simulators.inbox import Inbox
from ussd_gateway.simulators.sms_api import Account

_URL = "http://outside"
_SEED = 385


class Outside:
    """`carriers` are those that a gateway asks; all of them are of one mood."""

    def __init__(self, settings: Settings, clock: Clock) -> None:
        self._clock = clock
        self._mood = Mood.ANSWERS
        folder: Path = settings.data_dir
        self._inbox = Inbox(folder / "outside.sqlite")
        flask = Flask("ussd_gateway.cli.stage.outside")
        flask.testing = True
        octets = SeededRandom(clock, _SEED).octets
        flask.register_blueprint(
            airtime_api(
                self._inbox,
                Account(settings.at_username, settings.at_api_key),
                status_delay_s=0,
                octets=octets,
                now=clock.now,
                validated=self._validates,
                hold=self._held_back,
            )
        )
        flask.register_blueprint(
            carrier_api(
                Charges(folder / "outside-charges.sqlite"),
                token=settings.carrier_token,
                octets=octets,
                now=clock.now,
                hold=_silence,
            )
        )
        self._http = reaching(_URL, flask)
        self.carriers = app.Carriers(
            CamaraBilling(
                base_url=f"{_URL}/carrier",
                token=settings.carrier_token,
                merchant_name=lambda _number: None,
                sessions=self._http,
            ),
            AfricasTalkingAirtime(
                username=settings.at_username,
                api_key=settings.at_api_key,
                base_url=_URL,
                http=self._http,
            ),
        )

    def be(self, mood: str) -> None:
        """One of the words of `simulators.carrier.Mood`."""
        self._mood = Mood(mood)
        self._http().post(f"{_URL}/carrier/mood", json={"mood": mood}).raise_for_status()

    def callbacks(self) -> Iterator[Mapping[str, str]]:
        """The forms that the airtime vendor posts now, each once."""
        now: datetime = self._clock.now()
        for callback in self._inbox.due(now, 100):
            self._inbox.settle(callback)
            yield callback.form

    def close(self) -> None:
        self._inbox.close()

    def _validates(self, _form: Mapping[str, str]) -> bool:
        return self._mood is not Mood.REFUSES

    def _held_back(self, moment: Moment) -> None:
        silent = {Mood.SILENT: Moment.ASKED, Mood.SILENT_AFTER_CHARGING: Moment.TAKEN}
        if silent.get(self._mood) is moment:
            _silence()


def _silence() -> None:
    raise requests.ReadTimeout
