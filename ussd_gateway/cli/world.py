"""A whole gateway in this process, to play transcripts on: real, but for what is outside it.

    phones --WSGI--> the HTTP door --> sessions in Valkey, the ledger on its database
    outbox --> the worker's own sending --> a list, in the place of the provider

The clock stands until a transcript waits, and chance comes from a seed: receipts, ids and times
are the same whenever it is played.
"""

import io
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from itertools import chain, count

import redis
import requests
from flask import Flask
from requests.adapters import BaseAdapter
from sqlalchemy import select

from ussd_gateway import app, web
from ussd_gateway.aggregators import africastalking
from ussd_gateway.app.chance import SeededRandom
from ussd_gateway.app.demo_cast import PEOPLE
from ussd_gateway.cli import traces
from ussd_gateway.domain.accounts import CHART, TRUST_BANK, house_id, house_ref
from ussd_gateway.domain.book import Book, Decision, Work
from ussd_gateway.domain.journal import Leg, Posting
from ussd_gateway.domain.money import Money
from ussd_gateway.ports import Sms, SmsResult, SmsState
from ussd_gateway.settings import Settings
from ussd_gateway.simulators.handset import Handset
from ussd_gateway.simulators.transcripts import Person, read_people
from ussd_gateway.store.database import reading
from ussd_gateway.store.schema import account
from ussd_gateway.worker.sending import Sending

STARTS = datetime(2026, 11, 21, 6, 5, tzinfo=UTC)
SEED = 384

_URL = "http://gateway"
_give_s = 5.0


class StillClock:
    """Stands, until it is told to go on."""

    def __init__(self) -> None:
        self._now = STARTS

    def now(self) -> datetime:
        return self._now

    def wait(self, span: timedelta) -> None:
        self._now += span


class KeptSms:
    """A provider that takes every message, and keeps it."""

    def __init__(self) -> None:
        self._kept: list[Sms] = []
        self._read = 0

    def send(self, sms: Sms) -> SmsResult:
        self._kept.append(sms)
        return SmsResult(SmsState.ACCEPTED, f"kept-{len(self._kept)}", "Sent")

    def unread(self) -> list[Sms]:
        """Those that came since this was last asked."""
        unread, self._read = self._kept[self._read :], len(self._kept)
        return unread


class InProcess(BaseAdapter):
    """Carries a request to a WSGI application and not over a network."""

    def __init__(self, flask: Flask) -> None:
        super().__init__()
        self._flask = flask

    def send(
        self,
        request: requests.PreparedRequest,
        *_how: object,
        **_otherwise: object,
    ) -> requests.Response:
        client = self._flask.test_client(use_cookies=False)
        answer = client.open(
            request.path_url,
            method=request.method,
            headers=list(request.headers.items()),
            data=request.body,
        )
        response = requests.Response()
        response.status_code = answer.status_code
        response.raw = io.BytesIO(answer.data)
        return response

    def close(self) -> None:
        """Nothing is open."""


def prepare(settings: Settings) -> None:
    """Brings an empty database to the newest schema, with the demo cast in it."""
    clock = StillClock()
    app.upgrade(settings)
    app.seed_demo(settings, clock=clock, random=SeededRandom(clock, SEED))


@contextmanager
def opened(settings: Settings) -> Iterator["GatewayWorld"]:
    """On a prepared database, and a Redis that is nobody else's: it is emptied."""
    clock = StillClock()
    client = redis.from_url(settings.redis_url, protocol=2)
    client.flushdb()
    with traces.kept_logs() as logs:
        gateway = app.gateway(settings, clock=clock, random=SeededRandom(clock, SEED + 1))
        try:
            yield GatewayWorld(settings, gateway, clock=clock, client=client, logs=logs)
        finally:
            gateway.close()
            client.close()


class GatewayWorld:
    """`simulators.transcripts.World`."""

    def __init__(
        self,
        settings: Settings,
        gateway: app.Gateway,
        *,
        clock: StillClock,
        client: redis.Redis,
        logs: list[str],
    ) -> None:
        self.people: Mapping[str, Person] = read_people(PEOPLE)
        self.gateway = gateway
        self.clock = clock
        self.client = client
        self.logs = logs
        token = settings.callback_tokens[0]
        self.callback_url = f"{_URL}/ussd/{africastalking.ROUTE}/{token}"
        self._flask = web.door(gateway, settings)
        self._provider = KeptSms()
        self._sending = Sending(
            gateway.outbox, self._provider, app.messages(settings), app.market(settings)
        )
        self._folder = settings.data_dir
        self._sessions = count(1)
        self._gifts = count(1)

    def http(self) -> requests.Session:
        """Reaches the gateway at `callback_url`."""
        http = requests.Session()
        http.trust_env = False
        http.mount(_URL, InProcess(self._flask))
        return http

    def phone(self, msisdn: str) -> Handset:
        return Handset(
            self.callback_url,
            msisdn,
            http=self.http(),
            session_ids=lambda: f"ATUid_{next(self._sessions):04}",
            now=self.clock.now,
        )

    def give(self, name: str, amount: Money) -> None:
        """Out of the trust bank, or back into it, through the ledger's own writer."""
        wallet = select(account.c.id).where(account.c.public_ref == self.people[name].msisdn)
        with reading(self.gateway.engine) as connection:
            wallet_id = connection.execute(wallet).scalar_one()
        change = amount.minor - self.balances()[name].minor
        if not change:
            return

        bank = house_id(TRUST_BANK, amount.currency)
        legs = (Leg(bank, change), Leg(wallet_id, -change))
        work = _paid_in(f"given:{name}:{next(self._gifts)}", amount, legs, self.clock)
        outcome = self.gateway.writer.run(work, within_s=_give_s)
        assert outcome.name == "ok", f"{amount} for {name}: {outcome.name}"

    def wait(self, span: timedelta) -> None:
        self.clock.wait(span)
        for key in self.client.scan_iter():
            left_ms = self.client.pttl(key)
            if left_ms >= 0:
                self.client.pexpire(key, max(0, left_ms - span // timedelta(milliseconds=1)))

    def sms(self) -> Sequence[tuple[str, str]]:
        while ids := self.gateway.outbox.take_due():
            # One by one: a batch is sent side by side, in no order.
            for each in ids:
                self._sending.send([each])
        return [(sms.to, sms.text) for sms in self._provider.unread()]

    def balances(self) -> Mapping[str, Money]:
        names = {person.msisdn: name for name, person in self.people.items()}
        with reading(self.gateway.engine) as connection:
            rows = connection.execute(select(account).order_by(account.c.id)).all()
        for row in rows:
            code = CHART[row.code]
            names.setdefault(house_ref(code, row.currency), code.name)
        return {
            names.get(row.public_ref, row.public_ref): Money(
                (row.debits - row.credits) * row.side, row.currency
            )
            for row in rows
        }

    def places_of(self, secret: str) -> Sequence[str]:
        kept = chain(self.traces(), traces.files(self._folder))
        return sorted({place for place, text in kept if traces.is_in(secret, text)})

    def traces(self) -> Iterator[traces.Trace]:
        """What is stored, queued and logged."""
        yield from traces.rows(self.gateway.engine)
        yield from traces.keys(self.client)
        yield from (("a log", line) for line in self.logs)


def _paid_in(key: str, amount: Money, legs: tuple[Leg, ...], clock: StillClock) -> Work:
    def decide(_book: Book) -> Decision:
        return Decision("ok", {"balance": amount}, Posting("opening", legs))

    return Work(
        key=key,
        content=sha256(f"{key} {amount}".encode()).hexdigest(),
        event_at_ms=int(clock.now().timestamp() * 1000),
        subscriber_ids=(),
        account_ids=tuple(leg.account_id for leg in legs),
        decide=decide,
    )
