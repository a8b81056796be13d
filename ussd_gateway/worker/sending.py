"""Sends outbox rows: taken as calls come free, put into words, sent side by side, answers kept.

    job --ids--> send: a call is free? --begin--> calls, `width` at a time --> answers --> kept
                     ^                                                           |
                     +----------- the call is free again ------------------------+

While the database is away no more begin than there is room to remember the answers of: once
`width` are not kept yet, calls stay where they are.
"""

import threading
import time
from collections import defaultdict
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from queue import Empty, SimpleQueue

import structlog
from sqlalchemy.exc import DataError, IntegrityError, SQLAlchemyError

from ussd_gateway.domain import gsm7
from ussd_gateway.domain.market import Market
from ussd_gateway.domain.msisdn import masked
from ussd_gateway.ports import DoorError, Sms, SmsResult, SmsSender, SmsState
from ussd_gateway.sms.plan import Plan
from ussd_gateway.store.outbox import UNWRITTEN, Answered, NotTaken, Outbox, Owed
from ussd_gateway.ussd.messages import Messages
from ussd_gateway.worker.waking import Waking

log = structlog.get_logger()

# Rows are begun together, and answers kept together, with those that come this soon after.
GATHER_S = 0.005
# A job waits this long for calls; then its rows are left to the end of their lease.
ROOM_WITHIN_S = 30.0
# While the database is away. Shorter than a silence waits for its report: whoever knows better
# is back before the message would go out again.
KEEP_AGAIN_S = 1.0
# At the end: what a provider may still take to answer.
SETTLED_WITHIN_S = 25.0
# In the place of the provider, where the fault is ours and nobody knows who was asked.
NOBODY = ""


class Sending:
    """One for each worker process. Used by one thread at a time; `close` it."""

    def __init__(
        self,
        outbox: Outbox,
        sender: SmsSender,
        messages: Messages,
        market: Market,
        *,
        plan: Plan,
        width: int,
    ) -> None:
        self._outbox = outbox
        self._sender = sender
        self._messages = messages
        self._market = market
        self._plan = plan
        self._width = width
        self._free = width  # calls
        self._unkept = 0  # answers
        self._changed = threading.Condition()
        self._answers: SimpleQueue[Answered | None] = SimpleQueue()
        self._waking: defaultdict[str, Waking] = defaultdict(Waking)
        self._calls = ThreadPoolExecutor(width, thread_name_prefix="sms")
        self._keeper = threading.Thread(target=self._keep_answers, name="keeper", daemon=True)
        self._keeper.start()

    def send(self, ids: Sequence[int]) -> None:
        """Returns when each of them has begun, or is somebody else's. Raises
        SQLAlchemyError."""
        left, until = list(ids), time.monotonic() + ROOM_WITHIN_S
        while left:
            room = self._take_room(len(left), until - time.monotonic())
            if not room:
                log.warning("sms.no_room", left=len(left))
                return
            begun = 0
            try:
                owed = self._outbox.begin_sending(left[:room])
                begun = len(owed)
            finally:
                self._give_room(room - begun)
            for one in owed:
                self._calls.submit(self._call, one)
            del left[:room]

    def wake_unwritten(self) -> None:
        """Those that no text of a worker before fitted: this one may have another."""
        try:
            woken = self._outbox.wake_unwritten()
        except SQLAlchemyError as error:
            log.warning("sms.unwritten_not_woken", error=type(error).__name__)
            return
        if woken:
            log.info("sms.unwritten_woken", count=woken)

    def settle(self, within_s: float = SETTLED_WITHIN_S) -> bool:
        """Whether all that has begun is answered and kept by then."""
        with self._changed:
            return self._changed.wait_for(
                lambda: self._free == self._width and not self._unkept, within_s
            )

    def close(self) -> None:
        self.settle()
        self._answers.put(None)
        self._calls.shutdown(wait=False, cancel_futures=True)

    def _take_room(self, wanted: int, within_s: float) -> int:
        """For so many calls, `wanted` at most; 0 where none comes free."""
        wanted = min(wanted, self._width)
        with self._changed:
            if not self._changed.wait_for(
                lambda: self._free and self._unkept < self._width, within_s
            ):
                return 0
            self._changed.wait_for(lambda: self._free >= wanted, GATHER_S)
            room = min(wanted, self._free)
            self._free -= room
            return room

    def _give_room(self, calls: int) -> None:
        with self._changed:
            self._free += calls
            self._changed.notify_all()

    def _call(self, owed: Owed) -> None:
        """Whatever breaks on one message, the others are sent and kept."""
        answered = self._answered(owed)
        with self._changed:
            self._free += 1
            self._unkept += 1
            self._answers.put(answered)
            self._changed.notify_all()

    def _answered(self, owed: Owed) -> Answered:
        try:
            values = {**owed.params, "at": self._market.written(owed.event_at_ms)}
            text = self._messages.render(owed.template, owed.language, values)
            segments = gsm7.segments(text)
        # The text of an error may hold a name or a number, and this one has no business here.
        except Exception as error:  # noqa: BLE001
            log.error(
                "sms.not_written",
                outbox=owed.id,
                template=owed.template,
                language=owed.language,
                error=type(error).__name__,
            )
            return Answered(owed, "", 0, NotTaken(UNWRITTEN))
        try:
            result = self._sender.send(Sms(owed.to, text, again=owed.unknowns > 0))
        except DoorError as error:
            log.warning("sms.not_taken", outbox=owed.id, to=masked(owed.to), why=str(error))
            return Answered(owed, text, segments, NotTaken(str(error), error.provider))
        except Exception as error:  # noqa: BLE001
            log.error("sms.sender_broke", outbox=owed.id, error=type(error).__name__)
            broke = SmsResult(SmsState.UNKNOWN, NOBODY, None, type(error).__name__)
            return Answered(owed, text, segments, broke)
        log.info(
            "sms.answered",
            outbox=owed.id,
            to=masked(owed.to),
            template=owed.template,
            provider=result.provider,
            state=result.state.value,
            detail=result.detail,
        )
        return Answered(owed, text, segments, result)

    def _keep_answers(self) -> None:
        """The keeper's life."""
        while (first := self._answers.get()) is not None:
            answered = self._gather(first)
            try:
                self._keep(answered)
                self._wake(answered)
            # A fault of ours with one answer must not end the keeper that all others need.
            except Exception:
                log.exception("sms.keeper_broke", messages=len(answered))
            finally:
                with self._changed:
                    self._unkept -= len(answered)
                    self._changed.notify_all()

    def _gather(self, first: Answered) -> list[Answered]:
        """It, and the others that come soon, as far as any may come."""
        answered, until = [first], time.monotonic() + GATHER_S
        while self._free < self._width or self._unkept > len(answered):
            try:
                another = self._answers.get(timeout=max(0, until - time.monotonic()))
            except Empty:
                break
            if another is None:
                self._answers.put(None)
                break
            answered.append(another)
        return answered

    def _keep(self, answered: Sequence[Answered]) -> None:
        """For as long as it takes: an answer that is not kept is a message that goes out
        twice."""
        while True:
            try:
                self._outbox.finish(answered)
            except (DataError, IntegrityError) as error:
                self._keep_singly(answered, error)
                return
            except SQLAlchemyError as error:
                log.warning("sms.not_kept", messages=len(answered), error=type(error).__name__)
                time.sleep(KEEP_AGAIN_S)
            else:
                return

    def _keep_singly(self, answered: Sequence[Answered], error: Exception) -> None:
        """A name that the provider gave twice, or that cannot be written, is left out."""
        if len(answered) > 1:
            for one in answered:
                self._keep([one])
            return
        (one,) = answered
        log.error("sms.odd_answer", outbox=one.owed.id, error=type(error).__name__)
        if isinstance(one.result, SmsResult) and one.result.provider_id is not None:
            nameless = replace(one.result, provider_id=None, detail="", cost=None)
            self._keep([replace(one, result=nameless)])

    def _wake(self, answered: Sequence[Answered]) -> None:
        """What a provider takes again wakes those that it may take and that nobody took."""
        back, now_s = set(), time.monotonic()
        for one in answered:
            match one.result:
                case NotTaken(provider=str()):
                    # Whoever of them is well first can take it.
                    for each in self._plan.route(one.owed.to):
                        self._waking[each].missed(now_s)
                case SmsResult(state=SmsState.ACCEPTED, provider=provider):
                    if self._waking[provider].took(now_s):
                        back.add(provider)
        for provider in back:
            self._wake_those_of(provider)

    def _wake_those_of(self, provider: str) -> None:
        try:
            woken = self._outbox.wake(self._plan.carried_by(provider))
        except SQLAlchemyError as error:
            log.warning("sms.not_woken", provider=provider, error=type(error).__name__)
            return
        self._waking[provider].woke(woken, time.monotonic())
        if woken:
            log.info("sms.woken", provider=provider, count=woken)
