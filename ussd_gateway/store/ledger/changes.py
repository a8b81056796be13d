"""What a decision writes beside money, messages and PIN counts, as statements of its commit.

These are rare beside payments, so each is a statement of its own, with `?` for its values.
"""

from collections.abc import Iterator
from dataclasses import replace
from typing import Any, assert_never

from ussd_gateway.domain.accounts import WALLET
from ussd_gateway.domain.book import (
    CapsChosen,
    CapSet,
    Change,
    HoldDecided,
    HoldPlaced,
    LanguageChosen,
    OptedIn,
    OptedOut,
    PinChosen,
    Purchase,
    PurchaseSettled,
    PurchaseState,
    Registered,
    StatusSet,
    Subscriber,
    VoucherEnded,
    VoucherSent,
    VoucherTried,
)
from ussd_gateway.domain.journal import Hold
from ussd_gateway.domain.voucher import Voucher

Statement = tuple[str, tuple[Any, ...]]

_ACCOUNT = (
    "INSERT INTO account (id, public_ref, code, currency, side, debits, credits, "
    "debits_pending, credits_pending, floor, cap, seq) "
    "VALUES (?, ?, ?, ?, ?, 0, 0, 0, 0, 0, ?, 0)"
)
_SUBSCRIBER = (
    "INSERT INTO subscriber (id, msisdn, name, language, tier, active, wallet_id, pin_kid, "
    "pin_salt, pin_tag, wrong_tries, cap_payment, cap_day) "
    "VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"
)
_REGISTRATION = (
    "INSERT INTO registration (subscriber_id, id_number, terms, at_ms) VALUES (?, ?, ?, ?)"
)
_PIN = (
    "UPDATE subscriber SET pin_kid = ?, pin_salt = ?, pin_tag = ?, wrong_tries = 0 WHERE id = ?"
)
_LANGUAGE = "UPDATE subscriber SET language = ? WHERE id = ?"
_PURCHASE = (
    "INSERT INTO purchase (key, kind, subscriber_id, msisdn, currency, minor, merchant, item, "
    "asked_at_ms, state, tries, next_at_ms, detail) "
    "VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, 0, ?, '')"
)
_SETTLED = (
    "UPDATE purchase SET state = ?, supplier_id = COALESCE(?, supplier_id), detail = ? "
    "WHERE key = ?"
)
_CAPS = "UPDATE subscriber SET cap_payment = ?, cap_day = ? WHERE id = ?"
_HOLD = (
    "INSERT INTO hold (id, key, kind, source_id, target_id, minor, posted, state, "
    "placed_at_ms, expires_at_ms, journal_id) VALUES (?, ?, ?, ?, ?, ?, 0, ?, ?, ?, ?)"
)
_CAP = "UPDATE account SET cap = ? WHERE id = ?"
_DECIDED = "UPDATE hold SET state = ?, posted = ?, decided_by = ? WHERE id = ?"
_VOUCHER = (
    "INSERT INTO voucher (id, key, subscriber_id, wallet_id, msisdn, currency, minor, "
    "code_kid, code_salt, code_tag, wrong_tries, state, sent_at_ms, expires_at_ms) "
    "VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"
)
_TRIED = "UPDATE voucher SET wrong_tries = ? WHERE id = ?"
_ENDED = "UPDATE voucher SET state = ?, ended_by = ? WHERE id = ?"
# Once a sender: the first time counts.
_OPTED_OUT = (
    "INSERT INTO opt_out (msisdn, sender, at_ms) VALUES (?, ?, ?) "
    "ON CONFLICT (msisdn, sender) DO NOTHING"
)
_OPTED_IN = "DELETE FROM opt_out WHERE msisdn = ?"
# Whoever committed a purchase asks for it at once; where that one died, others do so then.
ASK_LATER_MS = 10_000


def statements(change: Change, key: str, now_ms: int) -> Iterator[Statement]:
    """For a change that the command `key` made."""
    match change:
        case Registered(subscriber=person):
            side = WALLET.side.value
            ref, currency = person.msisdn, change.currency
            values = (person.wallet_id, ref, WALLET.number, currency, side, change.cap)
            yield _ACCOUNT, values
            yield _SUBSCRIBER, _subscriber(person)
            yield _REGISTRATION, (person.id, change.id_number, change.terms, now_ms)
        case PinChosen():
            yield _PIN, (change.kid, change.salt, change.tag, change.subscriber_id)
        case LanguageChosen():
            yield _LANGUAGE, (change.language, change.subscriber_id)
        case Purchase():
            yield _PURCHASE, _purchase(change, now_ms)
        case PurchaseSettled():
            yield (
                _SETTLED,
                (change.state.value, change.supplier_id, change.detail, change.key),
            )
        case CapsChosen(subscriber_id=number, payment=payment, day=day):
            yield _CAPS, (payment, day, number)
        case HoldPlaced(hold=hold):
            yield _HOLD, _hold(hold, key, now_ms)
        case HoldDecided(hold_id=number, state=state, posted=posted):
            yield _DECIDED, (state.value, posted, key, number)
        case CapSet(account_id=number, cap=cap):
            yield _CAP, (cap, number)
        case VoucherSent(voucher=voucher):
            yield _VOUCHER, _voucher(voucher, key)
        case VoucherTried(voucher_id=number, wrong_tries=tries):
            yield _TRIED, (tries, number)
        case VoucherEnded(voucher_id=number, state=ended):
            yield _ENDED, (ended.value, key, number)
        case OptedOut(msisdn=msisdn, sender=sender):
            yield _OPTED_OUT, (msisdn, sender, now_ms)
        case OptedIn(msisdn=msisdn):
            yield _OPTED_IN, (msisdn,)
        case StatusSet():
            pass  # stands in the account's own row, which is written with its totals
        case _:
            assert_never(change)


def apply(change: Change, subscribers: dict[int, Subscriber]) -> None:
    """What later commands of the same batch must see of it."""
    match change:
        case PinChosen(subscriber_id=number, kid=kid, salt=salt, tag=tag):
            subscribers[number] = replace(
                subscribers[number], pin_kid=kid, pin_salt=salt, pin_tag=tag, wrong_tries=0
            )
        case LanguageChosen(subscriber_id=number, language=language):
            subscribers[number] = replace(subscribers[number], language=language)
        case CapsChosen(subscriber_id=number, payment=payment, day=day):
            subscribers[number] = replace(subscribers[number], cap_payment=payment, cap_day=day)
        case Registered() | Purchase() | PurchaseSettled():
            pass  # nobody could ask for their rows before they were there
        case HoldPlaced() | HoldDecided() | StatusSet() | CapSet():
            pass  # of accounts, which the batch keeps itself
        case VoucherSent() | VoucherTried() | VoucherEnded():
            pass  # the batch keeps vouchers too
        case OptedOut() | OptedIn():
            pass  # no decision looks at it
        case _:
            assert_never(change)


def _subscriber(person: Subscriber) -> tuple[Any, ...]:
    return (
        person.id,
        person.msisdn,
        person.name,
        person.language,
        person.tier,
        person.active,
        person.wallet_id,
        person.pin_kid,
        person.pin_salt,
        person.pin_tag,
        person.wrong_tries,
        person.cap_payment,
        person.cap_day,
    )


def _hold(hold: Hold, key: str, now_ms: int) -> tuple[Any, ...]:
    return (
        hold.id,
        key,
        hold.kind,
        hold.source_id,
        hold.target_id,
        hold.minor,
        hold.state.value,
        now_ms,
        hold.expires_at_ms,
        hold.journal_id,
    )


def _voucher(voucher: Voucher, key: str) -> tuple[Any, ...]:
    return (
        voucher.id,
        key,
        voucher.subscriber_id,
        voucher.wallet_id,
        voucher.msisdn,
        voucher.currency,
        voucher.minor,
        voucher.kid,
        voucher.salt,
        voucher.tag,
        voucher.wrong_tries,
        voucher.state.value,
        voucher.sent_at_ms,
        voucher.expires_at_ms,
    )


def _purchase(bought: Purchase, now_ms: int) -> tuple[Any, ...]:
    return (
        bought.key,
        bought.kind,
        bought.subscriber_id,
        bought.msisdn,
        bought.amount.currency,
        bought.amount.minor,
        bought.merchant,
        bought.item,
        bought.asked_at_ms,
        PurchaseState.DUE.value,
        now_ms + ASK_LATER_MS,
    )
