"""The book as a decision sees it: rows that are locked now, and what a decision would write.

    service: plan (unlocked reads: which rows?) -> Work -> writer: lock, decide(book), write,
    commit

A `decide` is pure: it reads the book and returns a Decision. The writer applies it before the
next command of the batch is decided, so each one sees the money as it will be.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import date
from enum import Enum, IntEnum
from typing import Any

from ussd_gateway.domain.journal import Hold, HoldState, Posted, Posting
from ussd_gateway.domain.limits import UNUSED, Usage
from ussd_gateway.domain.money import Money
from ussd_gateway.domain.msisdn import Msisdn
from ussd_gateway.domain.voucher import Voucher, VoucherState


@dataclass(frozen=True, slots=True)
class Subscriber:
    """A registered person. `wrong_tries` counts PINs since the last right one."""

    id: int
    msisdn: Msisdn
    name: str
    language: str
    tier: str  # of menus/limits.yaml
    active: bool
    wallet_id: int
    pin_kid: str
    pin_salt: bytes
    pin_tag: bytes
    wrong_tries: int
    cap_payment: int | None = None  # minor units that they allow themselves at once
    cap_day: int | None = None  # and in a day


class Trade(Enum):
    """What a number that people type stands for."""

    MERCHANT = "merchant"  # paid by its till
    BILLER = "biller"  # paid under an account number of its own
    STORE = "store"  # an agent's: pays out and takes in cash
    CONTENT = "content"  # paid on the phone bill


@dataclass(frozen=True, slots=True)
class Business:
    """A business, by the number that people type. Its numbers and accounts never change."""

    number: str
    trade: Trade
    name: str
    msisdn: Msisdn  # of the phone that is told
    language: str
    account_id: int
    commission_id: int | None  # of a store: where its commission accrues
    account_digits: int  # of a biller: how long its account numbers are; else 0
    head_office_commission_id: int | None = None  # of a store that has one: where its part goes


@dataclass(frozen=True, slots=True)
class Movement:
    """An entry of an account as its holder sees it: more is positive. `other` is the name of
    whoever stood on the other side; the receipt, where that was the house."""

    at_ms: int
    minor: int
    other: str


class Status(Enum):
    """Whether an account takes part. Its value is what the database keeps."""

    ACTIVE = "active"
    FROZEN_IN = "frozen_in"  # nothing comes in; what is there can be paid out
    FROZEN_BOTH = "frozen_both"
    DORMANT = "dormant"  # nobody has used it for long: its number may be another's by now
    CLOSED = "closed"  # for good, and empty

    @property
    def takes_in(self) -> bool:
        return self in _TAKING_IN

    @property
    def pays_out(self) -> bool:
        return self in _PAYING_OUT

    @property
    def gives_back(self) -> bool:
        """Whether two of the staff can take money back out of it: the rest bars its holder."""
        return self is not Status.CLOSED

    def bars_all_of(self, other: "Status") -> bool:
        """Whatever the other one bars is barred by this one too."""
        return self.takes_in <= other.takes_in and self.pays_out <= other.pays_out


_TAKING_IN = (Status.ACTIVE,)
_PAYING_OUT = (Status.ACTIVE, Status.FROZEN_IN)


@dataclass(slots=True)
class Account:
    """An account's running totals, in minor units. Only the writer changes them."""

    id: int
    currency: str
    sign: int  # 1 where debits make it grow, -1 where credits do
    debits: int
    credits: int
    debits_pending: int
    credits_pending: int
    floor: int | None  # None: unbounded
    cap: int | None
    seq: int  # entries so far
    status: Status = Status.ACTIVE
    used: Usage = UNUSED

    @property
    def balance(self) -> Money:
        """What its holder is told."""
        return Money(self.balance_minor, self.currency)

    @property
    def balance_minor(self) -> int:
        """On the account's own side."""
        return (self.debits - self.credits) * self.sign

    def takes(self, minor: int, *, freed: int = 0) -> bool:
        """Whether a leg of `minor` keeps the account between its floor and its cap, with
        everything pending counted against it but `freed`, a hold that the leg resolves; and
        is not barred by its status."""
        change = minor * self.sign
        allowed = self.status.pays_out if change < 0 else self.status.takes_in
        return allowed and self._bears(change, freed)

    def gives_back(self, minor: int, *, freed: int = 0) -> bool:
        """The same of a leg that two of the staff take out of it, whatever its holder may."""
        change = minor * self.sign
        return change < 0 and self.status.gives_back and self._bears(change, freed)

    @property
    def spendable_minor(self) -> int:
        """Its balance, less what is held against it. Its floor is to stay in it."""
        going = self.credits_pending if self.sign > 0 else self.debits_pending
        return self.balance_minor - going

    @property
    def there_minor(self) -> int:
        """What of its balance could still go out of it, whatever its status."""
        return max(0, self.spendable_minor - (self.floor or 0))

    def _bears(self, change: int, freed: int) -> bool:
        if change < 0:
            return self.floor is None or self.spendable_minor + freed + change >= self.floor
        return self.cap is None or self._bound_minor - freed + change <= self.cap

    @property
    def _bound_minor(self) -> int:
        """Its balance, and what is on its way into it."""
        coming = self.debits_pending if self.sign > 0 else self.credits_pending
        return self.balance_minor + coming


@dataclass(frozen=True, slots=True)
class Book:
    """The locked rows, by id. A row that was asked for and is not there does not exist."""

    subscribers: Mapping[int, Subscriber]
    accounts: Mapping[int, Account]
    holds: Mapping[int, Hold] = field(default_factory=dict)
    journals: Mapping[int, Posted] = field(default_factory=dict)
    now_ms: int = 0  # when this is decided
    today: date = date(1970, 1, 1)  # its business date
    vouchers: Mapping[int, Voucher] = field(default_factory=dict)


class Priority(IntEnum):
    """The least goes first."""

    RECEIPT = 0  # of money: while it lags, people pay twice
    ANSWER = 1  # to what somebody asked for by SMS
    NOTICE = 2


@dataclass(frozen=True, slots=True)
class Message:
    """An SMS to be: which template, for whom, with what in it. The writer adds the receipt."""

    to: Msisdn
    template: str
    language: str
    params: Mapping[str, Any]
    priority: Priority = Priority.RECEIPT


@dataclass(frozen=True, slots=True)
class PinCount:
    """The count of wrong tries to keep, whatever became of the money."""

    subscriber_id: int
    wrong_tries: int


@dataclass(frozen=True, slots=True)
class Purchase:
    """Something bought of an outside party, whose answer may come late or never. `key` is the
    command's that made it, and the same in every word that is said about it outside."""

    key: str
    kind: str  # airtime | content
    subscriber_id: int
    msisdn: Msisdn  # whose phone it is for; of content: whose bill pays
    amount: Money
    merchant: str  # public reference; of airtime: empty
    item: str  # what it is, in the merchant's words; of airtime: empty
    asked_at_ms: int  # when the buyer gave the PIN


class PurchaseState(Enum):
    DUE = "due"  # nobody has asked for it yet
    ASKED = "asked"  # somebody asked, or asks now; what came of it is not known for good
    DONE = "done"
    REFUSED = "refused"


@dataclass(frozen=True, slots=True)
class PurchaseSettled:
    """What became of a purchase, for good. `supplier_id` is the outside party's name for it."""

    key: str
    state: PurchaseState
    supplier_id: str | None
    detail: str


@dataclass(frozen=True, slots=True)
class Registered:
    """Somebody new, with an empty wallet. `terms` is the version that they agreed to."""

    subscriber: Subscriber
    currency: str
    cap: int
    id_number: str
    terms: str


@dataclass(frozen=True, slots=True)
class PinChosen:
    subscriber_id: int
    kid: str
    salt: bytes
    tag: bytes


@dataclass(frozen=True, slots=True)
class LanguageChosen:
    subscriber_id: int
    language: str


@dataclass(frozen=True, slots=True)
class CapsChosen:
    """What somebody allows themselves, in minor units; None: their tier's limits alone."""

    subscriber_id: int
    payment: int | None
    day: int | None


@dataclass(frozen=True, slots=True)
class StatusSet:
    account_id: int
    status: Status


@dataclass(frozen=True, slots=True)
class CapSet:
    """The most that an account may hold from now on, in minor units; None: any amount."""

    account_id: int
    cap: int | None


@dataclass(frozen=True, slots=True)
class HoldPlaced:
    """Both sides count it as pending from now on."""

    hold: Hold


@dataclass(frozen=True, slots=True)
class HoldDecided:
    """All of it is pending no more. `posted` is what the decision's own posting moves of it."""

    hold_id: int
    state: HoldState
    posted: int = 0


@dataclass(frozen=True, slots=True)
class VoucherSent:
    voucher: Voucher


@dataclass(frozen=True, slots=True)
class VoucherTried:
    """The count of wrong codes to keep."""

    voucher_id: int
    wrong_tries: int


@dataclass(frozen=True, slots=True)
class VoucherEnded:
    """Cashed or given back, by the decision's own posting."""

    voucher_id: int
    state: VoucherState


@dataclass(frozen=True, slots=True)
class OptedOut:
    """A number wants no notices any more: those of `sender`, as it said so itself."""

    msisdn: Msisdn
    sender: str


@dataclass(frozen=True, slots=True)
class OptedIn:
    """It wants them again, whoever sends them."""

    msisdn: Msisdn


# What else a decision may write, beside money, messages and the count of PINs.
Change = (
    Purchase
    | PurchaseSettled
    | Registered
    | PinChosen
    | LanguageChosen
    | CapsChosen
    | StatusSet
    | CapSet
    | HoldPlaced
    | HoldDecided
    | VoucherSent
    | VoucherTried
    | VoucherEnded
    | OptedOut
    | OptedIn
)


@dataclass(frozen=True, slots=True)
class Spent:
    """What limits count of a payment, in minor units of its account. `back_of`: it came back,
    and had been spent on that business date."""

    account_id: int
    minor: int
    back_of: date | None = None


@dataclass(frozen=True, slots=True)
class Decision:
    """What is written, all of it or nothing, and the outcome that is stored and shown."""

    outcome: str
    values: Mapping[str, Any]
    posting: Posting | None = None
    messages: tuple[Message, ...] = ()
    pin: PinCount | None = None
    changes: tuple[Change, ...] = ()
    spent: Spent | None = None


@dataclass(frozen=True, slots=True)
class Work:
    """A command on its way to the writer.

    `key` makes it happen once; `content` is everything the person asked for but the PIN: the
    same key with other content is a conflict. `route` and `session_id` say where it came from.
    """

    key: str
    content: str
    event_at_ms: int
    subscriber_ids: tuple[int, ...]
    account_ids: tuple[int, ...]
    decide: Callable[[Book], Decision]
    route: str | None = None
    session_id: str | None = None
    msisdn: Msisdn | None = None
    hold_ids: tuple[int, ...] = ()
    journal_ids: tuple[int, ...] = ()  # those that it may take back; their accounts are locked
    voucher_ids: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class Outcome:
    """A stored outcome: the same for every repeat of its key."""

    name: str
    values: Mapping[str, Any]
