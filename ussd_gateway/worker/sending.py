"""Sends a batch of outbox rows: taken, put into words, sent side by side, answers kept."""

import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor, wait

import structlog
from sqlalchemy.exc import SQLAlchemyError

from ussd_gateway.domain import gsm7
from ussd_gateway.domain.market import Market
from ussd_gateway.domain.msisdn import masked
from ussd_gateway.ports import DoorError, Sms, SmsResult, SmsSender, SmsState
from ussd_gateway.store.waiting.outbox import BATCH_MAX, Outbox, Owed
from ussd_gateway.ussd.messages import Messages

log = structlog.get_logger()

# Answers are kept this soon, while others of the batch are still awaited: a report of what
# became of a message must find it.
KEEP_EVERY_S = 0.2
# An answer that is not kept is a message that goes out twice. So these waits, for a database
# that is away, last as long as the lease of the rows, after one provider time-out, allows.
KEEP_WAITS_S = (0.2, 0.5, 1.0, 2.0, 4.0)

_Sent = tuple[Owed, str, int, SmsResult | None]


class Sending:
    """One for each worker process. Its pool is as wide as a batch, so that one slow answer
    holds nobody up and a batch is over within one provider time-out."""

    def __init__(
        self, outbox: Outbox, sender: SmsSender, messages: Messages, market: Market
    ) -> None:
        self._outbox = outbox
        self._sender = sender
        self._messages = messages
        self._market = market
        self._pool = ThreadPoolExecutor(BATCH_MAX, thread_name_prefix="sms")

    def send(self, ids: Sequence[int]) -> None:
        owed = self._outbox.begin_sending(ids)
        sending = {self._pool.submit(self._send_one, one) for one in owed}
        while sending:
            answered, sending = wait(sending, timeout=KEEP_EVERY_S)
            if answered:
                self._keep([one.result() for one in answered])

    def _keep(self, sent: Sequence[_Sent]) -> None:
        for wait_s in KEEP_WAITS_S:
            try:
                self._outbox.finish(sent)
            except SQLAlchemyError as error:
                log.warning("sms.not_kept", messages=len(sent), error=type(error).__name__)
                time.sleep(wait_s)
            else:
                return
        self._outbox.finish(sent)

    def _send_one(self, owed: Owed) -> _Sent:
        """Whatever breaks on one message, the others of its batch are sent and kept."""
        try:
            values = {**owed.params, "at": self._market.written(owed.event_at_ms)}
            text = self._messages.render(owed.template, owed.language, values)
            segments = gsm7.segments(text)
        # The text of an error may hold a name or a number, and this one has no business here.
        except Exception as error:  # noqa: BLE001
            log.error("sms.not_written", outbox=owed.id, error=type(error).__name__)
            return owed, "", 0, None
        try:
            result = self._sender.send(Sms(owed.to, text))
        except DoorError as error:
            log.warning("sms.not_taken", outbox=owed.id, to=masked(owed.to), why=str(error))
            return owed, text, segments, None
        except Exception as error:  # noqa: BLE001
            log.error("sms.sender_broke", outbox=owed.id, error=type(error).__name__)
            return owed, text, segments, SmsResult(SmsState.UNKNOWN, None, type(error).__name__)
        log.info(
            "sms.answered",
            outbox=owed.id,
            to=masked(owed.to),
            template=owed.template,
            state=result.state.value,
            detail=result.detail,
        )
        return owed, text, segments, result
