"""What Africa's Talking posts of SMS that people send to us, and of those who want no more.

Incoming: form date, from, id, linkId, text, to (the short code), networkCode. Opt-out: form
senderId, phoneNumber. (developers.africastalking.com/docs/sms/notifications; read 2026-11-21.
It does not say which clock `date` is of, nor whether one comes again that was not taken.)
"""

import re
from collections.abc import Mapping
from datetime import UTC, datetime

from ussd_gateway.domain.msisdn import Msisdn, is_e164
from ussd_gateway.ports import IncomingSms
from ussd_gateway.sms.plan import AFRICAS_TALKING

_ID = re.compile(r"[!-~]{1,64}")
# A name, a short code or a number.
_SENDER = re.compile(r"[A-Za-z0-9 ._+-]{1,16}")


def parse_incoming(form: Mapping[str, str], now: datetime) -> IncomingSms | None:
    """None where a field is missing or malformed; so is what comes from no phone number: a
    short code or a name would be answered without an end. `now` stands for a date that cannot
    be read."""
    sender, to = _msisdn(form.get("from", "")), form.get("to", "")
    named = form.get("id", "")
    if sender is None or "text" not in form:
        return None
    if not _ID.fullmatch(named) or not _SENDER.fullmatch(to):
        return None
    return IncomingSms(
        provider=AFRICAS_TALKING,
        id=named,
        sender=sender,
        to=to,
        text=form["text"],
        at=_moment(form.get("date", ""), now),
    )


def parse_opt_out(form: Mapping[str, str]) -> tuple[Msisdn, str] | None:
    """Who wants no more, and of which sender; None where either is missing or malformed."""
    msisdn, sender = _msisdn(form.get("phoneNumber", "")), form.get("senderId", "")
    return (msisdn, sender) if msisdn and _SENDER.fullmatch(sender) else None


def _msisdn(text: str) -> Msisdn | None:
    # A client that does not encode its form turns the plus into a space.
    number = f"+{text.strip().removeprefix('+')}"
    return Msisdn(number) if is_e164(number) else None


def _moment(date: str, now: datetime) -> datetime:
    try:
        read = datetime.fromisoformat(date)
    except ValueError:
        return now
    moment = read if read.tzinfo else read.replace(tzinfo=UTC)
    return min(moment, now)
