"""Keys beside their journals and their SMS: invariant 8, as far as the books show it."""

import json
from collections import Counter
from collections.abc import Iterator
from typing import Any

from sqlalchemy import Connection, func, select

from ussd_gateway.store.schema import idempotency, journal, outbox
from ussd_gateway.store.snapshot import Row, beside, rows
from ussd_gateway.store.verify.finding import Tally

# The SMS that a journal of a kind owes, each once: nobody's money moves untold.
_OWED = {
    kind: Counter(templates)
    for kind, templates in {
        "send_money": ("sent", "received"),
        "pay_bill": ("bill_paid", "bill_received"),
        "buy_goods": ("till_paid", "till_received"),
        "withdraw": ("withdrawn", "paid_out"),
        "deposit": ("deposited", "taken_in"),
        "airtime": ("airtime_bought",),
        "airtime_delivered": (),
        "airtime_returned": ("airtime_returned",),
        "voucher": ("voucher_sent", "voucher_code"),
        "voucher_cashed": ("voucher_cashed", "voucher_paid"),
        "voucher_returned": ("voucher_returned",),
        "content": ("content_bought", "content_received"),
        "refund": ("refunded", "taken_back"),
        "given_back": ("refunded", "taken_back"),
        "reversal": ("refunded", "taken_back"),
        "sweep": (),
    }.items()
}
# Or these in their place: where a part of a hold was let go; where there was a fee.
OWED = {kind: (templates,) for kind, templates in _OWED.items()} | {
    "refund": (_OWED["refund"], _OWED["refund"] + Counter(["hold_released"])),
    "reversal": (_OWED["reversal"], Counter(["refunded_with_fee", "taken_back"])),
}
# SMS to the one whose outcome it is: they say the same of every amount.
_OWN = frozenset(
    {
        *("sent", "bill_paid", "till_paid", "withdrawn", "taken_in", "airtime_bought"),
        *("airtime_returned", "voucher_sent", "voucher_paid", "voucher_returned"),
    }
)
# Of these the outcome knows the sum, with the fee that came back.
_BACK = frozenset({"refunded", "refunded_with_fee"})
# Or no amount: a business's part of a bill, and what of a hold was let go.
_OTHERS_OWN = _BACK | {"bill_received", "hold_released"}
# What a journal's key may say of it, where that is not a plain yes.
MOVED = {"airtime_delivered": ("delivered",), "airtime_returned": ("carrier_refused",)}

_JOURNALS = select(journal.c.id, journal.c.kind, journal.c.receipt).order_by(journal.c.id)
_POSTED = (
    select(
        idempotency.c.journal_id,
        idempotency.c.key,
        idempotency.c.outcome,
        outbox.c.id,
        outbox.c.template,
        outbox.c.params,
    )
    .select_from(idempotency.outerjoin(outbox, outbox.c.key == idempotency.c.key))
    .where(idempotency.c.journal_id.is_not(None))
    .order_by(idempotency.c.journal_id)
)
_UNPOSTED = select(idempotency.c.key, idempotency.c.outcome).where(
    idempotency.c.journal_id.is_(None)
)
_KEY_TWICE = (
    select(idempotency.c.key, func.count().label("times"))
    .group_by(idempotency.c.key)
    .having(func.count() > 1)
)
_SMS_TWICE = (
    select(outbox.c.key, outbox.c.msisdn, outbox.c.template, func.count().label("times"))
    .group_by(outbox.c.key, outbox.c.msisdn, outbox.c.template)
    .having(func.count() > 1)
)
_SMS_OF_NO_KEY = (
    select(outbox.c.id, outbox.c.key)
    .select_from(outbox.outerjoin(idempotency, idempotency.c.key == outbox.c.key))
    .where(idempotency.c.key.is_(None))
)


def check_keys(books: Connection, keyed: Tally) -> None:
    for number, row, found in beside(rows(books, _JOURNALS), rows(books, _POSTED)):
        outcomes, told = _gather(found)
        keyed.checked += len(outcomes)
        if row is None:
            keyed.wrong(f"key {' and key '.join(outcomes)}: its journal {number} is not there")
            continue
        _, kind, receipt = row
        if len(outcomes) != 1:
            keyed.wrong(
                f"journal {number} has {len(outcomes)} keys {' '.join(outcomes)}".rstrip()
            )
        for key, outcome in outcomes.items():
            if fault := _fault_of(kind, outcome, receipt):
                keyed.wrong(f"key {key} of journal {number}: {fault}")
        _check_sms(number, kind, receipt, told, keyed)
        for outcome in outcomes.values():
            _check_amounts(outcome, told, keyed)
    for key, outcome in rows(books, _UNPOSTED):
        keyed.checked += 1
        _check_unposted(key, outcome, keyed)
    for key, times in rows(books, _KEY_TWICE):
        keyed.wrong(f"key {key} is there {times} times")
    for key, _msisdn, template, times in rows(books, _SMS_TWICE):
        keyed.wrong(f"key {key}: SMS {template} is there {times} times for one number")
    for sms_id, key in rows(books, _SMS_OF_NO_KEY):
        keyed.wrong(f"SMS {sms_id} tells of key {key}, which is not there")


def _gather(found: Iterator[Row]) -> tuple[dict[str, str], dict[int, tuple[str, str]]]:
    """Outcomes by key, and SMS (template, parameters) by id."""
    outcomes: dict[str, str] = {}
    told: dict[int, tuple[str, str]] = {}
    for _, key, outcome, sms_id, template, params in found:
        outcomes[key] = outcome
        if sms_id is not None:
            told[sms_id] = (template, params)
    return outcomes, told


def _fault_of(kind: str, outcome: str, receipt: str) -> str | None:
    name, values = _read_outcome(outcome)
    if name is None:
        return "its outcome cannot be read"
    if name not in MOVED.get(kind, ("ok",)):
        return f"money moved, and its outcome is {name}"
    if values.get("receipt") != receipt:
        return f"its outcome says receipt {values.get('receipt')}, its journal {receipt}"
    return None


def _check_sms(
    number: int, kind: str, receipt: str, told: dict[int, tuple[str, str]], keyed: Tally
) -> None:
    templates = Counter(template for template, _ in told.values())
    owed = OWED.get(kind, (templates,))
    if templates not in owed:
        keyed.wrong(
            f"journal {number}, {kind}: its SMS are {_listed(templates)}; owed were "
            f"{' or '.join(map(_listed, owed))}"
        )
    for sms_id, (template, params) in told.items():
        said = _read_object(params).get("receipt")
        if said != receipt:
            keyed.wrong(
                f"SMS {sms_id} ({template}) says receipt {said}; journal {number} has {receipt}"
            )


def _check_amounts(outcome: str, told: dict[int, tuple[str, str]], keyed: Tally) -> None:
    """Words that were forgotten say nothing of an amount."""
    _, values = _read_outcome(outcome)
    for sms_id, (template, params) in told.items():
        said = _read_object(params)
        for name, owed in _amounts(template, values):
            if name in said and said[name] != owed:
                keyed.wrong(
                    f"SMS {sms_id} ({template}) says {name} {_sum(said[name])}; its key says "
                    f"{_sum(owed)}"
                )
        came = _sum(said["amount"], said.get("fee")) if "amount" in said else None
        back = _sum(values["back"]) if template in _BACK and "back" in values else came
        if came is not None and came != back:
            keyed.wrong(f"SMS {sms_id} ({template}) says {came} in all; its key says {back}")


def _amounts(template: str, values: dict[str, Any]) -> Iterator[tuple[str, Any]]:
    """What an SMS must say, by the outcome of its key."""
    names = () if template in _OTHERS_OWN else ("amount",)
    for name in ("amount", "fee", "balance") if template in _OWN else names:
        if name in values:
            yield name, values[name]


def _check_unposted(key: str, outcome: str, keyed: Tally) -> None:
    name, values = _read_outcome(outcome)
    if name is None:
        keyed.wrong(f"key {key}: its outcome cannot be read")
    elif "receipt" in values:
        keyed.wrong(f"key {key}: receipt {values['receipt']} was given, and no money moved")


def _read_outcome(text: str) -> tuple[str | None, dict[str, Any]]:
    """`["ok", {...}]`; None for its name where it is anything else."""
    match _read(text):
        case [str(name), dict(values)]:
            return name, values
        case _:
            return None, {}


def _read_object(text: str) -> dict[str, Any]:
    found = _read(text)
    return found if isinstance(found, dict) else {}


def _read(text: str) -> Any:
    try:
        return json.loads(text)
    except ValueError:
        return None


def _sum(*amounts: Any) -> str:
    """Of what is written as money; an amount that is not there counts nothing."""
    match [each for each in amounts if each is not None]:
        case [{"currency": str(currency), "minor": int(minor)}]:
            return f"{minor} {currency}"
        case [
            {"currency": str(currency), "minor": int(first)},
            {"currency": str(other), "minor": int(second)},
        ] if currency == other:
            return f"{first + second} {currency}"
        case _:
            return "that cannot be read"


def _listed(templates: Counter[str]) -> str:
    return ", ".join(sorted(templates.elements())) or "none"
