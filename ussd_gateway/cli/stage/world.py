"""A whole gateway in this process, to play transcripts on: real, but for what is outside it.

    phones --WSGI--> the HTTP door --> sessions in Valkey, the ledger on its database
    outbox --> the worker's own sending --> a list, in the place of the provider
    purchases --> the real adapters --> the simulator's carriers

The clock stands until a transcript waits, and chance comes from a seed: receipts, ids and times
are the same whenever it is played.
"""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from itertools import chain, count

import redis
import requests
from sqlalchemy import select

from ussd_gateway import app, web
from ussd_gateway.app.chance import SeededRandom
from ussd_gateway.app.demo_cast import PEOPLE
from ussd_gateway.cli.stage import traces
from ussd_gateway.cli.stage.in_process import reaching
from ussd_gateway.cli.stage.outside import Outside
from ussd_gateway.domain.accounts import CHART, TRUST_BANK, house_id, house_ref
from ussd_gateway.domain.book import Decision, LanguageChosen, Spent, Work
from ussd_gateway.domain.journal import Leg, Posting
from ussd_gateway.domain.money import Money
from ussd_gateway.ports import Sms, SmsResult, SmsState
from ussd_gateway.settings import Settings
from ussd_gateway.simulators.handset import Handset
from ussd_gateway.simulators.main import PROVIDER, callback_url
from ussd_gateway.simulators.transcripts import Person, read_people
from ussd_gateway.store.database import reading
from ussd_gateway.store.schema import account, subscriber
from ussd_gateway.worker.sending import Sending

STARTS = datetime(2026, 11, 21, 6, 5, tzinfo=UTC)
SEED = 384
SMS_AT_ONCE = 50

_URL = "http://gateway"
_write_s = 5.0


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
        return SmsResult(SmsState.ACCEPTED, "kept", f"kept-{len(self._kept)}", "Sent")

    def unread(self) -> list[Sms]:
        """Those that came since this was last asked."""
        unread, self._read = self._kept[self._read :], len(self._kept)
        return unread


def prepare(settings: Settings) -> None:
    """Brings an empty database to the newest schema, with the demo cast in it."""
    clock = StillClock()
    app.upgrade(settings)
    app.seed_demo(settings, clock=clock, random=SeededRandom(clock, SEED))
    _publish(settings)


@contextmanager
def opened(
    settings: Settings,
    *,
    clock: StillClock | None = None,
    carriers: app.Carriers | None = None,
) -> Iterator["GatewayWorld"]:
    """On a prepared database, and a Redis that is nobody else's: it is emptied. `carriers`
    stand in the place of the simulator's."""
    clock = clock or StillClock()
    client = redis.from_url(settings.redis_url, protocol=2)
    client.flushdb()
    _publish(settings)
    with traces.kept_logs() as logs:
        outside = Outside(settings, clock)
        gateway = app.gateway(
            settings,
            clock=clock,
            random=SeededRandom(clock, SEED + 1),
            outside=carriers or outside.carriers,
        )
        try:
            made = GatewayWorld(
                settings, gateway, outside, clock=clock, client=client, logs=logs
            )
            with closing(made):
                yield made
        finally:
            gateway.close()
            outside.close()
            client.close()


def _publish(settings: Settings) -> None:
    """What is played on is what is in menus/ now."""
    engine = app.database(settings)
    versions = app.versions(settings, engine)
    if app.unpublished(settings, versions):
        app.publish(settings, versions, author="world")
    engine.dispose()


class GatewayWorld:
    """`simulators.transcripts.World`."""

    def __init__(
        self,
        settings: Settings,
        gateway: app.Gateway,
        outside: Outside,
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
        self.callback_url = callback_url(_URL, token)
        self._airtime_url = f"{_URL}/airtime/{PROVIDER}/{token}/status"
        self._outside = outside
        # Gives sessions that reach the gateway at `callback_url`.
        self.http = reaching(_URL, web.door(gateway, settings))
        self._provider = KeptSms()
        # One at a time: side by side they go out in no order.
        self._sending = Sending(
            gateway.outbox,
            self._provider,
            app.messages(settings),
            app.market(settings),
            plan=app.sms_plan(settings),
            width=1,
        )
        self._folder = settings.data_dir
        self._sessions = count(1)
        self._writes = count(1)
        # Counts are dated by this clock, which scripts move: they are written when asked for,
        # not every few seconds of real time.
        gateway.counts.stop()

    def close(self) -> None:
        self._sending.close()

    def phone(self, msisdn: str) -> Handset:
        return Handset(
            self.callback_url,
            msisdn,
            http=self.http(),
            tokens=lambda: f"{next(self._sessions):04}",
            now=self.clock.now,
        )

    def give(self, name: str, amount: Money) -> None:
        """Out of the trust bank, or back into it, through the ledger's own writer."""
        wanted = select(account).where(account.c.public_ref == self._ref(name))
        with reading(self.gateway.engine) as connection:
            row = connection.execute(wanted).one()
        change = amount.minor - self.balances()[name].minor
        if not change:
            return

        bank = house_id(TRUST_BANK, amount.currency)
        into = row.side * change
        legs = (Leg(bank, -into), Leg(row.id, into))
        decision = Decision("ok", {"balance": amount}, Posting("opening", legs))
        self._write(f"given {name} {amount}", decision, account_ids=(bank, row.id))

    def spend(self, name: str, amount: Money) -> bool:
        # Somebody's wallet has the number that they have themselves.
        wallet_id = self._person_id(name)
        if wallet_id is None:
            return False
        decision = Decision("ok", {}, spent=Spent(wallet_id, amount.minor))
        self._write(f"spent {name} {amount}", decision, account_ids=(wallet_id,))
        return True

    def speak(self, name: str, language: str) -> bool:
        person_id = self._person_id(name)
        if person_id is None:
            return False
        chosen = LanguageChosen(person_id, language)
        decision = Decision("ok", {}, changes=(chosen,))
        self._write(f"{name} speaks {language}", decision, subscriber_ids=(person_id,))
        return True

    def carrier(self, mood: str) -> None:
        self._outside.be(mood)

    def reports(self, form: Mapping[str, str]) -> requests.Response:
        """A status callback of the airtime vendor, as it posts it."""
        return self.http().post(self._airtime_url, form)

    def wait(self, span: timedelta) -> None:
        self.clock.wait(span)
        self.gateway.fulfilment.follow_up()
        for key in self.client.scan_iter():
            left_ms = self.client.pttl(key)
            if left_ms >= 0:
                self.client.pexpire(key, max(0, left_ms - span // timedelta(milliseconds=1)))

    def sms(self) -> Sequence[tuple[str, str]]:
        for form in self._outside.callbacks():
            self.reports(form).raise_for_status()
        outbox = self.gateway.outbox
        while ids := outbox.take_due(rows_max=SMS_AT_ONCE, in_flight_max=SMS_AT_ONCE):
            self._sending.send(ids)
            self._sending.settle()
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

    def _person_id(self, name: str) -> int | None:
        wanted = select(subscriber.c.id).where(subscriber.c.msisdn == self._ref(name))
        with reading(self.gateway.engine) as connection:
            return connection.execute(wanted).scalar_one_or_none()

    def _ref(self, name: str) -> str:
        return self.people[name].msisdn if name in self.people else name

    def _write(
        self,
        what: str,
        decision: Decision,
        *,
        subscriber_ids: tuple[int, ...] = (),
        account_ids: tuple[int, ...] = (),
    ) -> None:
        """By the ledger's own writer, as if a service had decided so."""
        work = Work(
            key=f"{what}:{next(self._writes)}",
            content=sha256(what.encode()).hexdigest(),
            event_at_ms=int(self.clock.now().timestamp() * 1000),
            subscriber_ids=subscriber_ids,
            account_ids=account_ids,
            decide=lambda _book: decision,
        )
        outcome = self.gateway.writer.run(work, within_s=_write_s)
        assert outcome.name == "ok", f"{what}: {outcome.name}"

    def places_of(self, secret: str) -> Sequence[str]:
        kept = chain(self.traces(), traces.files(self._folder))
        return sorted({place for place, text in kept if traces.is_in(secret, text)})

    def traces(self) -> Iterator[traces.Trace]:
        """What is stored, queued and logged."""
        self.gateway.counts.write()
        yield from traces.columns(self.gateway.engine)
        yield from traces.keys(self.client)
        yield from (("a log", line) for line in self.logs)
