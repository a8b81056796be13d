"""Chooses who carries a message: the providers of its number in their order, as far as they are
fit and not too busy.

The next one is asked only where the one before surely did not take it. Silence may be a message
on its way, and two receipts of one payment read like two payments.
"""

import time
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Protocol

import structlog

from ussd_gateway.ports import DoorError, Sms, SmsResult, SmsState
from ussd_gateway.sms.circuit import Circuit
from ussd_gateway.sms.pace import Pace
from ussd_gateway.sms.plan import Plan, Terms
from ussd_gateway.sms.provider import Crowded, NotCarried, Provider, Throttled

log = structlog.get_logger()

# How long a message waits for its turn with one provider.
turn_within_s = 2.0
# One `send` is over by then, whoever is asked: the outbox holds a row for longer.
send_within_s = 18.0


class Rests(Protocol):
    """Is told when a provider rests, each time anew, and when it is fit again."""

    def began(self, provider: str, rest_s: float) -> None: ...

    def ended(self, provider: str) -> None: ...


class Line:
    """A provider, its health and its pace."""

    def __init__(
        self,
        name: str,
        provider: Provider,
        terms: Terms,
        *,
        rate_per_s: float,
        rests: Rests,
        now: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self.name = name
        self._provider = provider
        self._terms = terms
        self._rests = rests
        self._circuit = Circuit(now)
        self._pace = Pace(rate_per_s, now=now, sleep=sleep)

    @property
    def within_s(self) -> float:
        """By then `send` has come to an end."""
        return turn_within_s + self._provider.timeout_s

    def send(self, sms: Sms) -> SmsResult:
        """Raises DoorError where surely nothing went out."""
        if self._circuit.rests:
            raise DoorError("it rests after failures")
        if not self._pace.wait(turn_within_s):
            raise DoorError("as many as it takes are waiting")
        ticket = self._circuit.enter(again=sms.again)
        if ticket is None:
            raise DoorError("it rests after failures")
        try:
            result = self._provider.send(self._signed(sms))
        except Throttled as throttled:
            self._pace.hold(throttled.after_s)
            self._well(ticket)
            raise
        except Crowded:
            # With an answer there is room again.
            self._pace.hold(self._terms.answers_within_s)
            self._circuit.not_asked(ticket)
            raise
        except NotCarried:
            self._well(ticket)
            raise
        # A fault of ours is told by whoever called; here it is one more failure.
        except BaseException as error:
            self._failed(ticket, type(error).__name__)
            raise
        if result.state is SmsState.UNKNOWN:
            self._failed(ticket, result.detail)
        else:
            self._well(ticket)
        return result

    def _signed(self, sms: Sms) -> Sms:
        return sms if sms.sender else replace(sms, sender=self._terms.sender(sms.to))

    def _well(self, ticket: int) -> None:
        if self._circuit.well(ticket):
            log.info("sms.provider_back", provider=self.name)
            self._rests.ended(self.name)

    def _failed(self, ticket: int, why: str) -> None:
        rest_s = self._circuit.failed(ticket)
        if rest_s is not None:
            log.warning("sms.provider_rests", provider=self.name, seconds=rest_s, why=why)
            self._rests.began(self.name, rest_s)


class Chooser:
    """`ports.SmsSender` over all providers. `lines` are by their names."""

    def __init__(
        self, plan: Plan, lines: Mapping[str, Line], now: Callable[[], float] = time.monotonic
    ) -> None:
        assert all(line.within_s <= send_within_s for line in lines.values()), "too slow"
        self._plan = plan
        self._lines = lines
        self._now = now

    def send(self, sms: Sms) -> SmsResult:
        over_at = self._now() + send_within_s
        why, route = [], self._plan.route(sms.to)
        for name in route:
            line = self._lines[name]
            if self._now() + line.within_s > over_at:
                why.append(f"{name}: no time left to ask")
                continue
            try:
                return line.send(sms)
            except DoorError as error:
                why.append(f"{name}: {error}")
        raise DoorError("; ".join(why), provider=route[-1])


def chooser(plan: Plan, providers: Mapping[str, Provider], rests: Rests) -> Chooser:
    """Of the providers that the plan routes to. Each worker has its share of their rates."""
    lines = {
        name: Line(
            name,
            providers[name],
            plan.terms[name],
            rate_per_s=plan.terms[name].rate_per_s / plan.workers,
            rests=rests,
        )
        for name in plan.routed
    }
    return Chooser(plan, lines)
