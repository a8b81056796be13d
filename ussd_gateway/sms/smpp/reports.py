"""Delivery receipts, which come as deliver_sm, as reports.

short_message: "id:IIIIIIIIII sub:001 dlvrd:001 submit date:YYMMDDhhmm done date:YYMMDDhhmm
stat:DELIVRD err:000 text:..." (SMPP v3.4, appendix B: "an example of a typical receipt", which
carriers vary); esm_class 0x04, or 0x20 for one that is not the last word. The parameters
receipted_message_id and message_state say the same in a form that is fixed, where they come.
"""

import re
from collections.abc import Mapping

from ussd_gateway.domain.msisdn import Msisdn, is_e164
from ussd_gateway.ports import DeliveryReport
from ussd_gateway.sms.plan import SMPP
from ussd_gateway.sms.provider import shown

id_characters_max = 64

_TYPE_BITS = 0x3C
_RECEIPTS = (0x04, 0x20)
_FIELD = re.compile(r"\b(id|stat|err):\s*([^\s:]*)", re.IGNORECASE)
# The beginning of the message itself, in which somebody may have written anything.
_ITS_TEXT = re.compile(r"\btext:.*", re.IGNORECASE | re.DOTALL)
# By `message_state`, in its numbers.
_STATES: Mapping[int, str] = {
    1: "ENROUTE",
    2: "DELIVRD",
    3: "EXPIRED",
    4: "DELETED",
    5: "UNDELIV",
    6: "ACCEPTD",
    7: "UNKNOWN",
    8: "REJECTD",
}
_LIKE_RECEIPT = re.compile(rb"id:\s*\S+\s+sub:.*\bstat:", re.IGNORECASE | re.DOTALL)
_DELIVERED = "DELIVRD"
_REASONS: Mapping[str, str] = {
    "EXPIRED": "the phone was away for longer than the network keeps a message",
    "DELETED": "the network has deleted it",
    "UNDELIV": "the network could not deliver it",
    "REJECTD": "the network has rejected it",
}


def is_receipt(esm_class: int | None, receipted: object) -> bool:
    """Whether a deliver_sm is about a message of ours. Some carriers set no type of message."""
    return (esm_class or 0) & _TYPE_BITS in _RECEIPTS or receipted is not None


def reads_like_receipt(text: bytes) -> bool:
    """Of one that does not say that it is a receipt: anybody could have typed it, so it tells
    of no message. But if it is one, an answer to it would have a receipt, and so on."""
    return _LIKE_RECEIPT.match(text) is not None


def read_receipt(
    *,
    source: bytes,
    text: bytes,
    receipted_id: bytes | None,
    state: int | None,
    decimal_ids: bool,
) -> DeliveryReport | None:
    """None where it does not say of which message, or what. `source` is who has the message:
    the number that it was sent to."""
    told = _FIELD.findall(_ITS_TEXT.sub("", text.decode("latin-1")))
    said = {name.lower(): value for name, value in reversed(told)}
    provider_id = _id(said.get("id", ""), ascii_of(receipted_id), decimal_ids=decimal_ids)
    status = (_STATES.get(state) if state is not None else None) or said.get("stat", "").upper()
    if not provider_id or not status:
        return None
    return DeliveryReport(
        provider=SMPP,
        provider_id=provider_id,
        msisdn=msisdn_of(ascii_of(source)),
        status=shown(status),
        final=status == _DELIVERED or status in _REASONS,
        delivered=status == _DELIVERED,
        reason=_reason(status, said.get("err", "")),
    )


def submitted_id(message_id: bytes | None, *, decimal_ids: bool) -> str | None:
    """The name by which the receipt will call the message; None where it has none."""
    text = ascii_of(message_id)
    return (_decimal(text, 16) if decimal_ids else _checked(text)) or None


def _id(written: str, receipted: str, *, decimal_ids: bool) -> str:
    """The parameter repeats what submit_sm_resp said; in the text it may be written anew."""
    if decimal_ids:
        return _decimal(written, 10) or _decimal(receipted, 16)
    return _checked(receipted) or _checked(written)


def _decimal(text: str, base: int) -> str:
    digits = r"[0-9]{1,20}" if base == 10 else r"[0-9A-Fa-f]{1,16}"
    return str(int(text, base)) if re.fullmatch(digits, text) else ""


def _checked(text: str) -> str:
    return text if len(text) <= id_characters_max and text.isprintable() else ""


def _reason(status: str, error: str) -> str:
    words = _REASONS.get(status, "")
    code = shown(error)[:10]
    return f"{words} (its code {code})" if words and code.strip("0") else words


def msisdn_of(text: str) -> Msisdn | None:
    number = f"+{text.removeprefix('+')}"
    return Msisdn(number) if is_e164(number) else None


def ascii_of(octets: bytes | None) -> str:
    return (octets or b"").decode("latin-1").strip("\0 ")
