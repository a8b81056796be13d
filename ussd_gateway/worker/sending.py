"""Sends a batch of outbox rows: taken, put into words, sent side by side, answers kept."""

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor

import structlog

from ussd_gateway.domain import gsm7
from ussd_gateway.domain.market import Market
from ussd_gateway.domain.msisdn import masked
from ussd_gateway.ports import DoorError, Sms, SmsResult, SmsSender
from ussd_gateway.store.outbox import BATCH_MAX, Outbox, Owed
from ussd_gateway.ussd.messages import Messages

log = structlog.get_logger()


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
        if owed:
            self._outbox.finish(list(self._pool.map(self._send_one, owed)))

    def _send_one(self, owed: Owed) -> tuple[Owed, str, int, SmsResult | None]:
        values = {**owed.params, "at": self._market.written(owed.event_at_ms)}
        text = self._messages.render(owed.template, owed.language, values)
        segments = gsm7.segments(text)
        try:
            result = self._sender.send(Sms(owed.to, text))
        except DoorError as error:
            log.warning("sms.not_taken", outbox=owed.id, to=masked(owed.to), why=str(error))
            return owed, text, segments, None
        log.info(
            "sms.answered",
            outbox=owed.id,
            to=masked(owed.to),
            template=owed.template,
            state=result.state.value,
            detail=result.detail,
        )
        return owed, text, segments, result
