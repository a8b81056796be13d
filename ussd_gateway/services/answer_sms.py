"""What people ask by SMS is answered by SMS, to the number that asked: a sender can be made up,
so nothing moves, and what is told goes to nobody but the phone of that number.

    incoming: who is it, what is asked --Work--> writer --decide(book)--> the answer's row

Each one is a command of the ledger under the provider's own id for it. So it is answered once
however often it comes, and the answer is a row of the outbox like every other SMS. Nothing of
what was typed is kept but a receipt that is well formed.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace

import structlog

from ussd_gateway.domain import pin as policy
from ussd_gateway.domain import receipt as receipts
from ussd_gateway.domain.book import (
    Book,
    Change,
    Decision,
    LanguageChosen,
    Message,
    OptedIn,
    OptedOut,
    Priority,
    Subscriber,
)
from ussd_gateway.domain.money import Money, parse_typed
from ussd_gateway.domain.msisdn import Msisdn, masked
from ussd_gateway.domain.refusals import Reason
from ussd_gateway.domain.texted import Ask, Asked, read
from ussd_gateway.ports import (
    CONFLICT,
    TIMEOUT,
    UNKNOWN,
    Answer,
    BooksLost,
    Call,
    IncomingSms,
    Origin,
    Scalar,
    SessionId,
)
from ussd_gateway.services import check_receipt
from ussd_gateway.services.balance import statement
from ussd_gateway.services.check_receipt import CheckReceiptService
from ussd_gateway.services.money_back import ask_back
from ussd_gateway.services.money_back.ask_back import AskBackService
from ussd_gateway.services.teller import Teller

log = structlog.get_logger()

# The SMS it sends (menus/sms.yaml).
TEMPLATES = frozenset(
    {
        "asked_balance",
        "asked_balance_held",
        "asked_statement",
        "asked_paid_to",
        "asked_paid",
        "asked_got_from",
        "asked_got",
        "asked_taken_back",
        "asked_confirmed",
        "asked_of_others",
        "asked_not_confirmed",
        "asked_amount",
        "asked_receipt",
        "asked_reverse",
        "asked_reverse_open",
        "asked_reverse_again",
        "asked_reverse_late",
        "asked_not_reversed",
        "asked_language",
        "asked_languages",
        "asked_stop",
        "asked_start",
        "asked_service",
        "asked_help",
        "asked_pin",
        "asked_not_registered",
        "asked_barred",
        "asked_too_often",
    }
)

# Where such commands come from, in the place of an aggregator's route.
ROUTE = "sms"
WITHIN_S = 5.0
# Of one number in a day: each answer is paid for, a phone may answer by itself, and the numbers
# of strangers can be made up without an end.
ANSWERS_A_DAY_MAX = 20
STRANGERS_A_DAY_MAX = 5
DAY_MS = 24 * 3_600_000
# A row of an SMS is as wide as one of a screen; one fewer leaves room for the time.
STATEMENT_ROWS_MAX = 4

# Of somebody's own account, and told under its lock.
_OWN = frozenset({Ask.BALANCE, Ask.STATEMENT, Ask.LANGUAGE})
# How the answers of a check stand in an SMS.
_SHOWN = {"at": "when", "known_by": "number"}
_CHECKED = {
    check_receipt.PAID_TO: "asked_paid_to",
    check_receipt.PAID: "asked_paid",
    check_receipt.GOT_FROM: "asked_got_from",
    check_receipt.GOT: "asked_got",
    check_receipt.TAKEN_BACK: "asked_taken_back",
    check_receipt.YES: "asked_confirmed",
    check_receipt.AMOUNT_NEEDED: "asked_amount",
    Reason.NO_SUCH_PAYMENT.value: "asked_not_confirmed",
    Reason.ASKED_TOO_OFTEN.value: "asked_too_often",
}


@dataclass(frozen=True, slots=True)
class Told:
    """An answer: which template, with what in it, and what becomes of it."""

    template: str
    values: Mapping[str, Scalar] = field(default_factory=dict)
    changes: tuple[Change, ...] = ()
    language: str = ""  # empty: the sender's own
    opens: Mapping[str, Scalar] = field(default_factory=dict)  # kept for their next call


@dataclass(frozen=True, slots=True)
class _Asker:
    """`known`: a registered person, or the phone of a business."""

    language: str
    known: bool
    person: Subscriber | None = None


_Tells = Callable[[Book], Told]


def decide(sender: Msisdn, language: str, told: Told) -> Decision:
    """Pure. All that somebody is told stands in their SMS; the outcome says which it was, and
    what it opens on the phone."""
    spoken = told.language or language
    answer = Message(sender, told.template, spoken, told.values, Priority.ANSWER)
    return Decision(told.template, told.opens, messages=(answer,), changes=told.changes)


def tell_balance(person: Subscriber, book: Book) -> Told:
    """Pure."""
    locked = book.subscribers[person.id]
    if not locked.active or locked.wrong_tries >= policy.TRIES_MAX:
        return Told("asked_barred")
    account = book.accounts[person.wallet_id]
    held = Money(account.balance_minor - account.spendable_minor, account.currency)
    values: dict[str, Scalar] = {"balance": account.balance}
    if held.minor:
        return Told("asked_balance_held", values | {"held": held})
    return Told("asked_balance", values)


def tell_statement(person: Subscriber, values: Mapping[str, Scalar], book: Book) -> Told:
    """Pure. Told to the same people as their balance is."""
    told = tell_balance(person, book)
    return told if told.template == "asked_barred" else Told("asked_statement", values)


def choose_language(person: Subscriber, language: str, book: Book) -> Told:
    """Pure. Told in the language that was chosen."""
    if not book.subscribers[person.id].active:
        return Told("asked_barred")
    chosen = LanguageChosen(person.id, language)
    return Told("asked_language", changes=(chosen,), language=language)


class AnswerSmsService:
    """`ports.IncomingSmsTaker`."""

    def __init__(
        self,
        teller: Teller,
        checking: CheckReceiptService,
        asking_back: AskBackService,
        *,
        words: Mapping[str, Ask],
        languages: Sequence[str],
    ) -> None:
        """`words` of the commands, and the `languages` that SMS are written in; the first is
        for whoever has chosen none."""
        self._teller = teller
        self._checking = checking
        self._asking_back = asking_back
        self._words = words
        self._languages = languages

    def take(self, incoming: IncomingSms) -> None:
        sender = incoming.sender
        asked = read(incoming.text, self._words)
        since_ms = self._teller.now_ms() - DAY_MS
        before = self._teller.reads.asked_by_sms(sender, since_ms=since_ms)
        waited = self._teller.clock.now() - incoming.at
        log.info(
            "sms.asked",
            of=masked(sender),
            asked=asked.ask.value,
            before=before,
            waited_s=round(waited.total_seconds()),
        )
        asker = self._asker(sender)
        most = ANSWERS_A_DAY_MAX if asker.known else STRANGERS_A_DAY_MAX
        if before > most:
            return

        call = _call(ROUTE, key_of(incoming.provider, incoming.id), sender)
        if before == most:
            self._answer(call, asked, asker, lambda _book: Told("asked_too_often"))
        elif asked.ask not in _OWN:
            told = self._told(asked, incoming, call)
            self._answer(call, asked, asker, lambda _book: told)
        elif asker.person is not None:
            self._answer(call, asked, asker, self._own(asked, asker.person))
        else:
            # A business has no wallet to be asked about.
            told = Told("asked_help" if asker.known else "asked_not_registered")
            self._answer(call, asked, asker, lambda _book: told)

    def opted_out(self, msisdn: Msisdn, sender: str) -> None:
        """A provider says that this number takes no more of what `sender` sends. It has no id:
        come again it is noted again, and changes nothing. Raises BooksLost."""
        change = OptedOut(msisdn, sender)
        self._commit(
            _call("optout", f"optout:{sender}:{msisdn}:{self._teller.now_ms()}", msisdn),
            (sender, msisdn),
            None,
            lambda _book: Decision("ok", {}, changes=(change,)),
        )

    def _asker(self, sender: Msisdn) -> _Asker:
        reads = self._teller.reads
        if (person := reads.subscribers(sender).get(sender)) is not None:
            return _Asker(person.language, known=True, person=person)
        language = reads.business_language(sender)
        return _Asker(language or self._languages[0], known=language is not None)

    def _own(self, asked: Asked, person: Subscriber) -> _Tells:
        """What is told of somebody's own account, under its lock."""
        if asked.ask is Ask.BALANCE:
            return lambda book: tell_balance(person, book)
        if asked.ask is Ask.STATEMENT:
            rows = self._rows(person.wallet_id)
            return lambda book: tell_statement(person, rows, book)
        language = asked.word.lower()
        if language in self._languages:
            return lambda book: choose_language(person, language, book)
        choices = " ".join(self._languages)
        return lambda _book: Told("asked_languages", {"choices": choices})

    def _told(self, asked: Asked, incoming: IncomingSms, call: Call) -> Told:
        """What is told to anybody."""
        match asked.ask:
            case Ask.CHECK:
                return self._check(asked, call)
            case Ask.REVERSE:
                return self._reverse(asked, incoming.sender)
            # Nobody is subscribed to anything; all there is to stop are notices.
            case Ask.STOP if asked.word:
                return Told("asked_service")
            case Ask.STOP:
                return Told("asked_stop", changes=(OptedOut(incoming.sender, incoming.to),))
            case Ask.START:
                return Told("asked_start", changes=(OptedIn(incoming.sender),))
            case Ask.PIN:
                return Told("asked_pin")
            case _:
                return Told("asked_help")

    def _rows(self, wallet_id: int) -> Mapping[str, Scalar]:
        market = self._teller.market
        found = self._teller.reads.movements(wallet_id, count_max=STATEMENT_ROWS_MAX)
        rows = statement(found, market.currency, market) or "-"
        return {"currency": market.currency, "rows": rows}

    def _check(self, asked: Asked, call: Call) -> Told:
        receipt = receipts.parse(asked.receipt)
        if receipt is None:
            return Told("asked_receipt")
        found = self._checking.check(receipt, call.origin.msisdn)
        amount = parse_typed(asked.amount, self._teller.market.currency)
        if found.outcome == check_receipt.AMOUNT_NEEDED and amount is not None:
            args: Mapping[str, Scalar] = {"receipt": receipt, "amount": amount}
            found = self._checking.confirm(replace(call, args=args))
            # Whoever is shown a receipt takes a bare yes for money of their own.
            if found.outcome == check_receipt.YES:
                return _told("asked_of_others", receipt, found)
        return _told(_CHECKED[found.outcome], receipt, found)

    def _reverse(self, asked: Asked, sender: Msisdn) -> Told:
        """It takes nothing back, and holds nothing: it opens it on the phone, for the PIN, or
        says who else does it."""
        receipt = receipts.parse(asked.receipt)
        if receipt is None:
            return Told("asked_receipt")
        opened = self._asking_back.look(receipt, sender)
        if opened.outcome == "ok":
            told = _told(ask_back.OPENED, receipt, opened)
            return replace(told, opens={"original": receipt})
        if opened.outcome == Reason.ALREADY_ASKED.value:
            return Told("asked_reverse_again", {"receipt": receipt})
        found = self._checking.check(receipt, sender)
        match found.outcome:
            case check_receipt.PAID_TO if opened.outcome == Reason.TOO_LATE.value:
                return _told("asked_reverse_late", receipt, found)
            case check_receipt.PAID_TO:
                return _told("asked_reverse", receipt, found)
            case check_receipt.TAKEN_BACK:
                return _told("asked_taken_back", receipt, found)
            case _:
                return Told("asked_not_reversed", {"receipt": receipt})

    def _answer(self, call: Call, asked: Asked, asker: _Asker, tells: _Tells) -> None:
        self._commit(
            call,
            (asked.ask.value, receipts.parse(asked.receipt) or ""),
            asker.person if asked.ask in _OWN else None,
            lambda book: decide(call.origin.msisdn, asker.language, tells(book)),
        )

    def _commit(
        self,
        call: Call,
        asked: Sequence[str],
        person: Subscriber | None,
        judge: Callable[[Book], Decision],
    ) -> None:
        answer = self._teller.commit(
            call,
            asked,
            subscribers=(person.id,) if person else (),
            accounts=(person.wallet_id,) if person else (),
            decide=judge,
        )
        if answer.outcome in (TIMEOUT, UNKNOWN):
            raise BooksLost(f"an SMS was not answered in time: {answer.outcome}")
        if answer.outcome == CONFLICT:
            log.error("sms.id_twice", key=call.key)


def key_of(provider: str, id_: str) -> str:
    """The key of the command that an SMS is."""
    return f"sms:{provider}:{id_}"


def _call(route: str, key: str, sender: Msisdn) -> Call:
    """All that a number asks is found by it: that is how often it asked."""
    return Call(key, Origin(route, SessionId(sender), sender), {}, None, WITHIN_S)


def _told(template: str, receipt: str, found: Answer) -> Told:
    """An SMS has a time of its own, when it was asked: that of the payment goes by another
    name."""
    values = {_SHOWN.get(name, name): value for name, value in found.values.items()}
    return Told(template, {"receipt": receipt, **values})
