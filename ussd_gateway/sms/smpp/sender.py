"""One message is one submit_sm, and its answer says what became of it.

Whatever the SMSC answers with an error was not taken. A few errors are about this message for
good; the others are trouble of the account, the carrier or the moment, and it goes out later.
"""

import re
from collections.abc import Callable
from types import TracebackType
from typing import Any, Self

import structlog
from smpplib import consts

from ussd_gateway.domain import gsm7
from ussd_gateway.ports import DeliveryReport, DoorError, Sms, SmsResult, SmsState
from ussd_gateway.sms.plan import SMPP, Terms
from ussd_gateway.sms.provider import NotCarried, Throttled
from ussd_gateway.sms.smpp.hearing import AGAIN
from ussd_gateway.sms.smpp.incoming import Texted, read_texted
from ussd_gateway.sms.smpp.link import (
    Account,
    Answer,
    Link,
    answer_within_s,
    described,
)
from ussd_gateway.sms.smpp.reports import (
    read_receipt,
    reads_like_receipt,
    submitted_id,
)
from ussd_gateway.sms.smpp.words import encoded

throttled_s = 1.0

_THROTTLED = frozenset({consts.SMPP_ESME_RTHROTTLED, consts.SMPP_ESME_RMSGQFUL})
# No such number, or no such text: never, however often it is asked.
_NEVER = frozenset({consts.SMPP_ESME_RINVDSTADR, consts.SMPP_ESME_RINVMSGLEN})
# Our sender is not registered for this number; for others it may be.
_NOT_CARRIED = frozenset({consts.SMPP_ESME_RINVSRCADR})
_NO_ERROR = int(consts.SMPP_ESME_ROK)
_NOT_TAKEN = int(consts.SMPP_ESME_RX_P_APPN)

_INTERNATIONAL = {"ton": consts.SMPP_TON_INTL, "npi": consts.SMPP_NPI_ISDN}
_NAME = {"ton": consts.SMPP_TON_ALNUM, "npi": consts.SMPP_NPI_UNK}
_SHORT_CODE = {"ton": consts.SMPP_TON_UNK, "npi": consts.SMPP_NPI_UNK}

log = structlog.get_logger()


class SmppSms:
    """`ports.SmsSender` over a link that is up for as long as the block it is entered for.

    `report` is told of every delivery receipt, and `texted` of what people text to us, each in
    a thread of the link's; False: it could not be kept, and the SMSC is to send it again."""

    def __init__(
        self,
        account: Account,
        terms: Terms,
        *,
        report: Callable[[DeliveryReport], bool],
        texted: Callable[[Texted], bool],
        answer_s: float = answer_within_s,
    ) -> None:
        self._report = report
        self._texted = texted
        self._decimal_ids = terms.decimal_ids
        self._link = Link(
            account,
            window=terms.window,
            receipt=self._heard_receipt,
            texted=self._heard_person,
            answer_s=answer_s,
        )
        self.timeout_s = self._link.within_s

    def __enter__(self) -> Self:
        self._link.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._link.stop()

    def send(self, sms: Sms) -> SmsResult:
        answer = self._link.submit(**_submit_sm(sms))
        if answer is None:
            return SmsResult(SmsState.UNKNOWN, SMPP, None, "no answer")
        return self._result(answer)

    def _result(self, answer: Answer) -> SmsResult:
        detail = described(answer.status)
        if answer.status in _THROTTLED:
            raise Throttled(detail, after_s=throttled_s)
        if answer.status in _NOT_CARRIED:
            raise NotCarried(detail)
        if answer.status in _NEVER:
            return SmsResult(SmsState.REFUSED, SMPP, None, detail)
        if answer.status != _NO_ERROR:
            raise DoorError(detail)
        name = submitted_id(answer.message_id, decimal_ids=self._decimal_ids)
        return SmsResult(SmsState.ACCEPTED, SMPP, name, "accepted")

    # Each takes a deliver_sm, and gives the command_status for it.

    def _heard_receipt(self, deliver_sm: Any) -> int:
        found = read_receipt(
            source=deliver_sm.source_addr or b"",
            text=_octets(deliver_sm),
            receipted_id=deliver_sm.receipted_message_id,
            state=deliver_sm.message_state,
            decimal_ids=self._decimal_ids,
        )
        if found is None:
            log.warning("smpp.receipt_unreadable")
            return _NO_ERROR  # its coming again would change nothing
        return _NO_ERROR if self._report(found) else AGAIN

    def _heard_person(self, deliver_sm: Any) -> int:
        if reads_like_receipt(_octets(deliver_sm)):
            log.warning("smpp.receipt_without_type")
            return _NO_ERROR
        found = read_texted(
            source=deliver_sm.source_addr or b"",
            destination=deliver_sm.destination_addr or b"",
            esm_class=deliver_sm.esm_class or 0,
            data_coding=deliver_sm.data_coding or 0,
            octets=_octets(deliver_sm),
            reference=deliver_sm.user_message_reference,
            segment=deliver_sm.sar_segment_seqnum,
        )
        if found is None:
            log.warning("smpp.incoming_refused")
            return _NOT_TAKEN
        return _NO_ERROR if not found.first or self._texted(found) else AGAIN


def _octets(deliver_sm: Any) -> bytes:
    return deliver_sm.short_message or deliver_sm.message_payload or b""


def _submit_sm(sms: Sms) -> dict[str, object]:
    data_coding, octets = encoded(sms.text)
    body = "short_message" if gsm7.segments(sms.text) == 1 else "message_payload"
    source, address = _source(sms.sender or "")
    return {
        "source_addr_ton": source["ton"],
        "source_addr_npi": source["npi"],
        "source_addr": address,
        "dest_addr_ton": _INTERNATIONAL["ton"],
        "dest_addr_npi": _INTERNATIONAL["npi"],
        "destination_addr": sms.to.removeprefix("+"),
        "registered_delivery": consts.SMPP_SMSC_DELIVERY_RECEIPT_BOTH,
        "data_coding": data_coding,
        body: octets,
    }


def _source(sender: str) -> tuple[dict[str, int], str]:
    """Empty: the SMSC's default for our account."""
    if sender.startswith("+"):
        return _INTERNATIONAL, sender.removeprefix("+")
    if re.fullmatch(r"[0-9]*", sender):
        return _SHORT_CODE, sender
    return _NAME, sender
