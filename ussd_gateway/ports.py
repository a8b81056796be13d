"""What rooms need of each other: values that pass through doors, and the doors as Protocols.

    aggregators --Request--> ussd --Call---> an Action, bound by app to a service
                <--Reply----      <-Answer--

No room imports another; each is handed what it needs in `app`.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from enum import Enum
from typing import NewType, Protocol
from uuid import UUID

from ussd_gateway.domain.book import (
    Business,
    Movement,
    Outcome,
    Purchase,
    Status,
    Subscriber,
    Work,
)
from ussd_gateway.domain.journal import Hold
from ussd_gateway.domain.money import Money
from ussd_gateway.domain.msisdn import Msisdn
from ussd_gateway.domain.voucher import Voucher

# A value that a menu can hold in a variable. A record is a flat mapping of the others.
Scalar = str | int | bool | Money
Value = Scalar | Mapping[str, Scalar]

SessionId = NewType("SessionId", str)


# --- time and chance -----------------------------------------------------------------------


class Clock(Protocol):
    def now(self) -> datetime:
        """The time, aware, in UTC."""


class Random(Protocol):
    def uuid7(self) -> UUID:
        """A new time-ordered id."""

    def octets(self, count: int) -> bytes:
        """Octets that nobody can guess (in the demo, with SEED set: the same ones every
        run)."""


class BooksLost(Exception):
    """The database does not answer a look-up. Nothing was asked to move."""


# --- the phone's side ----------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Route:
    """An aggregator, as far as a turn has to know it."""

    name: str
    accumulates: bool  # its `text` is every input so far, joined by `*`; else the newest only
    answer_within_s: int  # how long it waits for a screen
    septets_max: int  # of a screen
    forbids: frozenset[str]  # characters that it does not carry
    session_s: int = 180  # how long all of a session may take


@dataclass(frozen=True, slots=True)
class Request:
    """One callback of an aggregator. `text` may hold PINs: it is therefore in no repr, and is
    never stored or logged. On the first hop it is what was dialled behind the service code.
    Later ones may leave the code away (empty): it is the one that the session began with."""

    route: str
    session_id: SessionId
    msisdn: Msisdn
    service_code: str
    network: str
    text: str = field(repr=False)
    begins: bool | None = None  # its mark of a new session; None: it has none
    hop_id: str = ""  # names this callback within its session; empty: it has no name


@dataclass(frozen=True, slots=True)
class Reply:
    """A screen. `ends` closes the session."""

    text: str
    ends: bool


@dataclass(frozen=True, slots=True)
class Profile:
    """What menus may know of the person who dials: `me.*` in guards and texts."""

    msisdn: Msisdn
    registered: bool
    name: str
    language: str | None  # None: never chosen; the pack's first language serves
    can_send: bool
    till: str  # of the agent's store that the person serves; empty for all others


class Profiles(Protocol):
    def profile(self, msisdn: Msisdn) -> Profile:
        """Of anybody, registered or not. Raises BooksLost."""


# --- actions: what a menu may ask for --------------------------------------------------------


class Secret:
    """A PIN on its way from the door to the verifier. It prints as `***` and cannot be
    pickled."""

    __slots__ = ("_text",)

    def __init__(self, text: str) -> None:
        self._text = text

    def reveal(self) -> str:
        """For the PIN verifier, and the policy that a new PIN has to meet; for nobody else."""
        return self._text

    def __repr__(self) -> str:
        return "Secret(***)"

    def __reduce__(self) -> str:
        raise TypeError("a secret is never written anywhere")


@dataclass(frozen=True, slots=True)
class Origin:
    """Where a command came from; money rows keep it, so that the truth survives lost
    sessions."""

    route: str
    session_id: SessionId
    msisdn: Msisdn


@dataclass(frozen=True, slots=True)
class Call:
    """A menu's request to an action. `key` is the same for every repeat of the same hop."""

    key: str
    origin: Origin
    args: Mapping[str, Value]
    secret: Secret | None
    within_s: float


@dataclass(frozen=True, slots=True)
class Answer:
    """An action's answer: one of its outcomes, and what the screen shows of it."""

    outcome: str
    values: Mapping[str, Scalar]
    rows: Sequence[Mapping[str, Scalar]] = ()  # of an action that is asked for a list


class Effect(Enum):
    READ = "read"  # repeats and the way back may run it again
    CHANGE = "change"  # writes, moves no money (a PIN check counts tries)
    MONEY = "money"


@dataclass(frozen=True, slots=True)
class VarType:
    """The type of a menu variable: `msisdn`, `money`, `text`, `digits`, `id`, `count`, `bool`,
    `date` (YYYY-MM-DD) or `record`; and `lines`, which only an action gives.

    `length` is the most characters that a text, digits, or one of `lines` shows; `least` the
    fewest digits; `count` the most lines. A record's `fields` are scalars.
    """

    kind: str
    length: int = 0
    least: int = 0
    count: int = 0
    fields: Mapping[str, "VarType"] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Action:
    """A service as menus see it. Menus are checked against everything but `run`, which raises
    BooksLost only where nothing was asked to move. `moves`: the outcomes by which money has
    moved, or is bound to."""

    name: str
    effect: Effect
    takes: Mapping[str, VarType]
    gives: Mapping[str, VarType]
    outcomes: frozenset[str]
    takes_secret: bool
    run: Callable[[Call], Answer]
    rows: Mapping[str, VarType] = field(default_factory=dict)  # what each row of a list has
    rows_max: int = 0  # 0: it gives no list
    moves: frozenset[str] = frozenset({"ok"})


# Every action may end so: nothing moved / it may have moved, and the SMS will tell.
TIMEOUT = "timeout"
UNKNOWN = "unknown"
# The ledger's answer to a key that was used for something else before: a fault of ours.
CONFLICT = "conflict"


@dataclass(frozen=True, slots=True)
class Settled:
    """What the books say was answered to a session's last secret: the state it was typed in,
    at which hop, and the answer. This is the truth when the session itself is lost."""

    state: str
    hop: int
    answer: Answer


class Truth(Protocol):
    def settled(self, origin: Origin) -> Settled | None:
        """The last answer stored for this aggregator session, or None where nothing
        happened."""


# --- sessions ------------------------------------------------------------------------------


class Held(Enum):
    """What loading a session found."""

    FRESH = "fresh"  # no such session; we hold it now
    LOCKED = "locked"  # it goes on; we hold it now
    ANSWERED = "answered"  # the same length of input was answered before; not held
    BUSY = "busy"  # another thread answers it now; not held
    MOVED = "moved"  # a later session of its phone has taken its place; not held


class Saved(Enum):
    """What saving a session came to. All but KEPT have kept nothing."""

    KEPT = "kept"
    NOT_OURS = "not ours"  # our lock has lapsed, or another hop was saved meanwhile
    HELD = "held"  # what it takes the place of is being answered now
    GONE_ON = "gone on"  # what it takes the place of has been answered meanwhile


@dataclass(frozen=True, slots=True)
class Knock:
    """By what a callback is told from the one that was answered last.

    `length` of the whole text so far, by which more is told from the same again; -1 where only
    the newest input comes. Then one of `marks` is kept of an answered callback: one that has
    it too is the same come again, for `within_ms` after the reply (0: for good). Marks that
    name hops are all kept. `begins`: the aggregator says that this is a new session.
    """

    length: int
    marks: tuple[str, ...]
    within_ms: int
    names_hops: bool
    begins: bool


@dataclass(frozen=True, slots=True)
class Left:
    """A session that its phone has left open, at the hop that was answered last then."""

    route: str
    session_id: SessionId
    hop: int


@dataclass(frozen=True, slots=True)
class Loaded:
    """`lost`: where FRESH, the row of the session that the same phone has left open, if it has,
    after `lost_hop` hops; `lost_held`: it is being answered right now. `taken_over`: where
    LOCKED, somebody began to answer this hop, and their lock has lapsed."""

    held: Held
    row: bytes  # as it was saved; empty where FRESH or BUSY
    hop: int  # hops answered so far
    lost: bytes = b""
    lost_hop: int = 0
    lost_held: bool = False
    taken_over: bool = False


class SessionsLost(Exception):
    """The session store does not answer, or lost our lock. Nothing is known of the session."""


class Sessions(Protocol):
    """Rows of sessions. One call loads, locks and finds a repeat; one saves and unlocks.

    `phone` names whose session it is, and of which menus: a new session finds by it the one
    that was left open."""

    def load(
        self, route: str, session_id: SessionId, *, knock: Knock, phone: str, holder: str
    ) -> Loaded:
        """Raises SessionsLost."""

    def save(
        self,
        route: str,
        session_id: SessionId,
        *,
        row: bytes,
        hop: int,
        knock: Knock,
        mark: str,
        phone: str,
        ended: bool,
        takes: Left | None,
        holder: str,
        kept_s: int,
    ) -> Saved:
        """Keeps `row` as hop `hop` and unlocks, if `holder` still holds it and the hop before
        it is the last one. `mark` of this hop, by which its repeats are found. It `takes` the
        place of a session that was left open: that one takes no input any more. Raises
        SessionsLost."""


# --- the ledger ------------------------------------------------------------------------------


class Ledger(Protocol):
    """Where commands become commits."""

    def run(self, work: Work, *, within_s: float) -> Outcome:
        """The stored outcome; or TIMEOUT: nothing moved; or UNKNOWN: it may have."""


class Reads(Protocol):
    """Looks without a lock."""

    def subscribers(self, *msisdns: Msisdn) -> Mapping[Msisdn, Subscriber]:
        """Those of the numbers, one or two, that are registered. Raises BooksLost."""

    def business(self, number: str) -> Business | None:
        """Whose number this is, if anybody's. Raises BooksLost."""

    def workplace(self, subscriber_id: int) -> Business | None:
        """The agent's store that a person serves, if any. Raises BooksLost."""

    def takes_in(self, account_id: int) -> bool:
        """Whether an account is there and its status lets money into it. Raises BooksLost."""

    def has_room(self, account_id: int, amount: Money) -> bool:
        """Whether it takes this much in besides, on its way or there. Raises BooksLost."""

    def movements(self, account_id: int, *, count_max: int) -> Sequence[Movement]:
        """The newest entries of an account, newest first. Raises BooksLost."""

    def business_language(self, msisdn: Msisdn) -> str | None:
        """In which the business of this phone is spoken to; None: it is of no business. Raises
        BooksLost."""

    def asked_by_sms(self, msisdn: Msisdn, *, since_ms: int) -> int:
        """How often a number was answered by SMS what it asked so. Raises BooksLost."""

    def last_answered(self, msisdn: Msisdn, outcome: str, *, since_ms: int) -> Answer | None:
        """What a number was answered by SMS, the last time that it came to this outcome. Raises
        BooksLost."""


@dataclass(frozen=True, slots=True)
class Holder:
    """An account, and whose it is: who is told of what becomes of it. `msisdn` None: nobody is,
    it is the house's, or one beside a business's own."""

    account_id: int
    ref: str  # public reference
    code: int
    currency: str
    name: str
    msisdn: Msisdn | None
    language: str


@dataclass(frozen=True, slots=True)
class Recorded:
    """A journal as its receipt finds it. `payer` and `payee`: of its first two legs. `paid` is
    the amount that its payer saw, beside the fee: no leg says it, where both sides share the
    fee. None: it was nothing that anybody was shown."""

    id: int
    kind: str
    receipt: str
    payer: Holder
    payee: Holder
    account_ids: tuple[int, ...]  # of all its legs, in their order
    commission_ids: frozenset[int]  # those of them where agents' commission accrues
    paid: Money | None
    event_at_ms: int


@dataclass(frozen=True, slots=True)
class OnHold:
    """A hold as staff see it. `original` is the receipt of what it is to take back, and `paid`
    what its payer saw as its amount; empty and None where it takes nothing back. `by` of the
    staff asked for it, because of `why`: empty where one of the two did, on the phone."""

    hold: Hold
    source: Holder
    target: Holder
    original: str
    placed_at_ms: int
    by: str
    why: str
    paid: Money | None = None


@dataclass(frozen=True, slots=True)
class Barred:
    """An account whose status is not the usual one; who set it, when and why. Empty and 0 where
    no command did."""

    holder: Holder
    status: Status
    balance: Money
    by: str
    why: str
    at_ms: int


@dataclass(frozen=True, slots=True)
class Needed:
    """What an account is still there for, at its entry `seq`: whose counter it is, in words for
    staff (empty: nobody's), and how many purchases and vouchers are open whose money may come
    back to it."""

    serves: str
    may_come_back: int
    seq: int


class Payments(Protocol):
    """What is looked up before a payment is asked back. Each raises BooksLost."""

    def journal(self, receipt: str) -> Recorded | None:
        """By its receipt."""

    def held(self, hold_id: int) -> OnHold | None:
        """A hold, whatever became of it."""

    def holds_of(self, journal_id: int) -> Sequence[OnHold]:
        """Every hold that was to take this journal back, the oldest first."""

    def held_of(self, account_id: int, kind: str, *, now_ms: int) -> OnHold | None:
        """The oldest hold of this kind on the account that can still be decided."""


class Records(Payments, Protocol):
    """What staff look up before they order something. Each raises BooksLost."""

    def waiting(self, kinds: Sequence[str], *, count_max: int) -> Sequence[OnHold]:
        """Holds of these kinds that nobody has decided, the oldest first."""

    def waiting_count(self, kinds: Sequence[str]) -> int:
        """How many such holds there are."""

    def overdue(self, now_ms: int, *, count_max: int) -> Sequence[int]:
        """Holds whose time is over and that are still pending, the oldest first."""

    def holder(self, *refs: str) -> Holder | None:
        """Of the account of the first of these references that is there."""

    def needed(self, account_id: int) -> Needed:
        """What keeps an account from being closed."""

    def barred(self, *, count_max: int) -> Sequence[Barred]:
        """Accounts that are not active, by reference."""

    def barred_count(self) -> int:
        """How many such accounts there are."""


@dataclass(frozen=True, slots=True)
class Party:
    """Whoever stood on a side of a journal. `number` is masked, or a business's own; both are
    empty for the house."""

    name: str
    number: str


@dataclass(frozen=True, slots=True)
class Receipted:
    """What a receipt stands for, as somebody who asks may be told. `moved`: what came to the
    asker by it, less than nothing where it went; None: they have no account in it. `told`: it
    was told to their number. `amounts` are those that its parties were told, the payer's
    first; `taken_back` is what later journals took back of it."""

    receipt: str
    at_ms: int
    amounts: tuple[Money, ...]
    moved: Money | None
    other: Party
    told: bool
    taken_back: Money


class Receipts(Protocol):
    """Looks behind a receipt. Each raises BooksLost."""

    def find(self, receipt: str, asker: Msisdn) -> Receipted | None:
        """As `asker` may see it; None: there is none."""

    def asked(self, asker: Msisdn, today: date, key: str) -> int:
        """How often this number has asked today, this time among them. The same key again
        counts once."""


class Numbers(Protocol):
    """Numbers for accounts that are about to be opened, for holds and for vouchers."""

    def next(self) -> int:
        """One that nobody has or will be given again. Raises BooksLost."""


class Vouchers(Protocol):
    """Looks at vouchers without a lock. Each raises BooksLost."""

    def of_number(self, msisdn: Msisdn) -> Sequence[Voucher]:
        """Those for a number: all that are open, and those that went back lately."""

    def voucher(self, voucher_id: int) -> Voucher | None:
        """One, whatever became of it."""

    def overdue(self, now_ms: int, *, count_max: int) -> Sequence[Voucher]:
        """Open ones whose time is over, and whose wallet has room for them now, the oldest
        first."""


# --- PINs ------------------------------------------------------------------------------------


class PinVerifier(Protocol):
    """Holds the key. A hardware module can stand in its place."""

    def tag(self, *, kid: str, subscriber_id: int, salt: bytes, pin: Secret) -> bytes:
        """The tag that is compared with the stored one, under the key named `kid`."""


class Tickets(Protocol):
    """Proofs of what was done a hop ago, which only we can write."""

    def seal(self, *fields: str) -> str:
        """A ticket that says so."""

    def open(self, ticket: str) -> tuple[str, ...] | None:
        """What it says; None for one that we did not write."""


# --- carriers: who fulfils a purchase ---------------------------------------------------------


class Standing(Enum):
    """What is known of a purchase outside."""

    DONE = "done"  # delivered, or charged: for good
    REFUSED = "refused"  # it never will be: nothing was delivered or charged
    PENDING = "pending"  # theirs now, and not decided yet
    UNKNOWN = "unknown"  # no answer, or one that cannot be read: it may or may not be
    ABSENT = "absent"  # they say that they never heard of it


@dataclass(frozen=True, slots=True)
class Supplied:
    """An outside party's answer. `supplier_id` is their name for the purchase; `detail` their
    own word, for logs and operators."""

    standing: Standing
    supplier_id: str | None
    detail: str


class Carrier(Protocol):
    """Whoever outside fulfils a purchase. Both methods return within about `within_s`, and
    never raise for what the outside does or says."""

    def ask(self, purchase: Purchase, *, within_s: float) -> Supplied:
        """Asks for it, once for each purchase. Never ABSENT."""

    def find(self, purchase: Purchase, *, within_s: float) -> Supplied:
        """What became of it, without asking for it again. UNKNOWN where they cannot tell."""


@dataclass(frozen=True, slots=True)
class Taken:
    """A purchase that is ours to follow up. One that was asked for before may have been heard:
    it is looked up and never asked for again."""

    purchase: Purchase
    asked_before: bool
    waited_ms: int  # since it was first asked for
    heard: Supplied | None  # the last word, where it is known and could not be settled yet


class PurchasesLost(Exception):
    """The database does not answer. Nothing is known of what was to be written."""


class Purchases(Protocol):
    """Purchases that are not settled. Each is taken by one thread at a time, for a while."""

    def take(self, key: str) -> Purchase | None:
        """To ask for it now; None where somebody did before. Raises PurchasesLost."""

    def take_overdue(self, count_max: int) -> Sequence[Taken]:
        """Those that nobody has settled in time. Raises PurchasesLost."""

    def note(self, key: str, supplied: Supplied) -> None:
        """Keeps what the carrier said so far. Raises PurchasesLost."""

    def reported(self, kind: str, report: "StatusReport") -> Purchase | None:
        """Which of ours it is of; None where of none, or nobody can tell. Raises
        PurchasesLost."""

    def expected(self, kind: str, msisdn: Msisdn, amount: Money) -> bool:
        """Whether one of this amount for this number is on its way. Raises PurchasesLost."""

    def asked_since(
        self, kind: str, msisdn: Msisdn, amount: Money, *, since_ms: int, but: str = ""
    ) -> bool:
        """Whether just this is open still, or was taken by its carrier since then, under
        another key than `but`. Raises PurchasesLost."""


@dataclass(frozen=True, slots=True)
class StatusReport:
    """What a carrier says later, by itself, of a purchase."""

    supplier_id: str
    standing: Standing  # DONE, REFUSED or PENDING
    msisdn: Msisdn
    amount: Money | None  # None: they did not say
    detail: str


# --- SMS -------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Sms:
    """`sender` is the name or short code that the phone shows it from; None: whatever the
    provider has for that number. The text is somebody's money, so it is in no repr. `again`: it
    met with silence before, and there are few tries left for it."""

    to: Msisdn
    text: str = field(repr=False)
    sender: str | None = None
    again: bool = False


class SmsState(Enum):
    ACCEPTED = "accepted"  # the provider has it; `provider_id` names it in the report
    REFUSED = "refused"  # never going to be sent
    UNKNOWN = "unknown"  # no answer: it may or may not go out


@dataclass(frozen=True, slots=True)
class SmsResult:
    """What `provider` answered, by its name in menus/providers.yaml."""

    state: SmsState
    provider: str
    provider_id: str | None
    detail: str  # the provider's own word
    cost: str | None = None  # as the provider writes it: "KES 0.8000"; None: cannot be read


class DoorError(Exception):
    """The outside did not take it and nothing happened there: try again later. `provider` was
    asked last, if any was: what it takes again some day shows that it is back."""

    def __init__(self, why: str, *, provider: str | None = None) -> None:
        super().__init__(why)
        self.provider = provider


class SmsSender(Protocol):
    def send(self, sms: Sms) -> SmsResult:
        """Blocks until the provider answers or its time-out. Raises DoorError where surely
        nothing went out."""


@dataclass(frozen=True, slots=True)
class DeliveryReport:
    """What a provider says later of a message that it took."""

    provider: str
    provider_id: str
    msisdn: Msisdn | None  # None: the report does not say, or nobody can read it
    status: str  # the vendor's word
    final: bool
    delivered: bool
    reason: str  # in words for a person; empty: none was given


@dataclass(frozen=True, slots=True)
class IncomingSms:
    """What somebody texted to us. It may hold a PIN: the text is in no repr, and is never
    stored or logged as it came. `id` is the provider's, the same when it comes again."""

    provider: str
    id: str
    sender: Msisdn
    to: str  # the short code
    text: str = field(repr=False)
    at: datetime


class IncomingSmsTaker(Protocol):
    def take(self, incoming: IncomingSms) -> None:
        """Answers it, once for each id of a provider. Raises BooksLost: it may come again."""
