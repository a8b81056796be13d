"""What no SMS provider promises and each one does some day: the troubles of the simulated one.

    GET  /sms/troubles   what is on, and how often each was played
    POST /sms/troubles   {"answers": {"throttled": 1}, "reports": {"doubled": 0.5}, "next": 3}

`answers` and `reports` name troubles and the share of messages that each is for; what is not
named is off, and {} ends them all. `next`: for so many requests to send, then none any more.
Which message is met is drawn by seed, so that a run can be run again.

Answers to a request to send
    error               500, and nothing was taken        throttled   429, the same
    slow                taken, and told seconds later
    silent              nothing was taken, and no answer within anybody's patience
    silent after taking taken all the same
    refused             201 without recipients, and a reason: the account's, not a number's
    partial             one recipient after the other is turned down: 502 RejectedByGateway
Reports of a message
    late   a minute later       doubled   each comes twice        missing   none ever comes
    reordered   what became of it comes before Submitted          failed    DeliveryFailure
    early       what became of it comes before the answer to the request
"""

import threading
import time
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import Enum
from typing import Self, TypeVar

from flask import Blueprint, Response, abort, jsonify, request

slow_s = 3.0
silent_s = 20.0
# How long an answer waits for reports that are to be there first.
early_s = 1.0
late_s = 60.0
# Each holds a thread of the program. More at once are cut off: 504 where a message was taken,
# else 503.
held_max = 40
next_max = 1_000_000

_SCALE = 2**32


class AnswerTrouble(Enum):
    NONE = "none"
    ERROR = "error"
    THROTTLED = "throttled"
    SLOW = "slow"
    SILENT = "silent"
    SILENT_AFTER_TAKING = "silent after taking"
    REFUSED = "refused"
    PARTIAL = "partial"


class ReportTrouble(Enum):
    NONE = "none"
    LATE = "late"
    DOUBLED = "doubled"
    MISSING = "missing"
    REORDERED = "reordered"
    FAILED = "failed"
    EARLY = "early"


_T = TypeVar("_T", AnswerTrouble, ReportTrouble)


@dataclass(frozen=True, slots=True)
class Plan:
    """Shares of 1, by trouble; in sum 1 at most, for answers and for reports each."""

    answers: Mapping[AnswerTrouble, float] = field(default_factory=dict)
    reports: Mapping[ReportTrouble, float] = field(default_factory=dict)

    @classmethod
    def read(cls, body: Mapping[str, object]) -> Self | None:
        """None where it is no plan."""
        answers = _shares(body.get("answers", {}), AnswerTrouble)
        reports = _shares(body.get("reports", {}), ReportTrouble)
        return None if answers is None or reports is None else cls(answers, reports)


class Troubles:
    """What is on now. `octets` draw; `hold` waits, and a test may have it not wait."""

    def __init__(
        self, octets: Callable[[int], bytes], hold: Callable[[float], None] = time.sleep
    ) -> None:
        self._octets = octets
        self._hold = hold
        self._lock = threading.Lock()
        self._held = threading.BoundedSemaphore(held_max)
        self._plan = Plan()
        self._left: int | None = None
        self._turned_down = 0
        self._played: Counter[str] = Counter()

    def play(self, plan: Plan, *, requests: int | None = None) -> None:
        """From now on; `requests`: for so many."""
        with self._lock:
            self._plan, self._left = plan, requests

    @property
    def told(self) -> dict[str, object]:
        with self._lock:
            return {
                "answers": {one.value: share for one, share in self._plan.answers.items()},
                "reports": {one.value: share for one, share in self._plan.reports.items()},
                "next": self._left,
                "played": dict(self._played),
            }

    def request(self) -> tuple[AnswerTrouble, Plan]:
        """For one request to send: how it is answered, and by which plan its messages are
        reported."""
        with self._lock:
            plan = self._plan
            if self._left is not None:
                plan = plan if self._left > 0 else Plan()
                self._left = max(self._left - 1, 0)
            return self._drawn(plan.answers, AnswerTrouble.NONE), plan

    def report(self, plan: Plan) -> ReportTrouble:
        """For one message."""
        with self._lock:
            return self._drawn(plan.reports, ReportTrouble.NONE)

    def turns_down(self) -> bool:
        """Every other recipient, where a batch is taken in part."""
        with self._lock:
            self._turned_down += 1
            return self._turned_down % 2 == 1

    def wait(self, seconds: float) -> bool:
        """False where too many wait: there is no waiting then."""
        if not self._held.acquire(blocking=False):
            return False
        try:
            self._hold(seconds)
        finally:
            self._held.release()
        return True

    def _drawn(self, shares: Mapping[_T, float], none: _T) -> _T:
        if not shares:
            return none
        at = int.from_bytes(self._octets(4), "big") / _SCALE
        for trouble, share in shares.items():
            if at < share:
                self._played[trouble.value] += 1
                return trouble
            at -= share
        return none


def troubles_door(troubles: Troubles) -> Blueprint:
    door = Blueprint("sms_troubles", __name__)

    @door.get("/sms/troubles")
    def show() -> Response:
        return jsonify(troubles.told)

    @door.post("/sms/troubles")
    def play() -> Response:
        body = request.get_json()
        if not isinstance(body, dict) or not body.keys() <= {"answers", "reports", "next"}:
            abort(400, "Give answers, reports and next")
        plan, requests = Plan.read(body), body.get("next")
        if plan is None:
            names = ", ".join(one.value for one in (*AnswerTrouble, *ReportTrouble))
            abort(400, f"Give shares of 1, in sum 1 at most, of: {names}")
        if requests is not None and not _is_count(requests):
            abort(400, f"next is a count, {next_max} at most")
        troubles.play(plan, requests=requests)
        return show()

    return door


def _shares(given: object, troubles: type[_T]) -> dict[_T, float] | None:
    if not isinstance(given, dict):
        return None
    known = {one.value: one for one in troubles}
    found: dict[_T, float] = {}
    for name, share in given.items():
        if name not in known or type(share) not in (int, float) or not 0 <= share <= 1:
            return None
        found[known[name]] = float(share)
    return found if sum(found.values()) <= 1 else None


def _is_count(given: object) -> bool:
    return type(given) is int and 0 <= given <= next_max
