"""A voucher is cashed at any agent's: by the number that it is for, and its code.

    find  number and code, typed at the agent's  -> amount, and a ticket: which voucher it is
    cash  ticket and the assistant's PIN         -> unclaimed -> float; the store earns a
                                                    commission, as it does of cash that is taken
                                                    out of a wallet

Where its sender's wallet pays nothing out, a voucher is not cashed either: so staff stop money
that somebody has made off with. The agent's screen does not say why.

A wrong code is counted on each voucher that waits for the number, under the lock; after three
of them a voucher is cashed by nobody any more, and goes back. The code is typed as a secret:
neither a session nor a recording keeps it. That there is no voucher and that its code is
another one reads the same.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from ussd_gateway.domain.accounts import COMMISSION_PAID, UNCLAIMED, house_id
from ussd_gateway.domain.book import (
    Book,
    Business,
    Decision,
    Message,
    Subscriber,
    VoucherEnded,
    VoucherTried,
)
from ussd_gateway.domain.journal import Leg, Posting
from ussd_gateway.domain.msisdn import masked
from ussd_gateway.domain.refusals import Reason, Refused
from ussd_gateway.domain.tariff import PriceBook
from ussd_gateway.domain.voucher import TRIES_MAX, Voucher, VoucherState
from ussd_gateway.ports import (
    TIMEOUT,
    UNKNOWN,
    Action,
    Answer,
    Call,
    Effect,
    Scalar,
    Tickets,
    Vouchers,
)
from ussd_gateway.services.fees import commission_accounts, commission_legs, in_force
from ussd_gateway.services.pins import Proof, refuse, same
from ussd_gateway.services.teller import (
    COUNT,
    ID,
    MONEY,
    MSISDN,
    RECEIPT,
    Accepted,
    Teller,
    decided,
    no,
    number,
    pin_outcomes,
    tell,
    text,
)
from ussd_gateway.services.terms.priced import COMMISSION

# The SMS it sends (menus/sms.yaml).
TEMPLATES = frozenset({"voucher_cashed", "voucher_paid"})
TICKET_MS = 300_000
_FOUND = "voucher"


@dataclass(frozen=True, slots=True)
class Find:
    """`tags`: what the typed code comes to for each voucher of the number."""

    assistant: Subscriber
    tags: Mapping[int, bytes]


@dataclass(frozen=True, slots=True)
class CashVoucher:
    voucher: Voucher
    store: Business
    proof: Proof  # of the assistant


def find(command: Find, book: Book) -> Decision:
    """Pure."""
    if not book.subscribers[command.assistant.id].active:
        return refuse(Refused(Reason.ACCOUNT_BLOCKED))
    every = [book.vouchers[each] for each in command.tags if each in book.vouchers]
    still_open = [each for each in every if each.state is VoucherState.OPEN]
    to_be_had = [each for each in still_open if not each.barred]
    for voucher in to_be_had:
        if same(command.tags[voucher.id], voucher.tag):
            if voucher.overdue(book.now_ms):
                return refuse(Refused(Reason.VOUCHER_EXPIRED))
            return Decision("ok", {"voucher": voucher.id, "amount": voucher.amount})

    # Whoever types the code of one that went back is told so; it is worth nothing any more.
    gone = (each for each in every if each.state is VoucherState.RETURNED)
    if any(same(command.tags[each.id], each.tag) for each in gone):
        return refuse(Refused(Reason.VOUCHER_EXPIRED))
    tried = tuple(VoucherTried(each.id, each.wrong_tries + 1) for each in to_be_had)
    all_barred = bool(still_open) and all(each.wrong_tries >= TRIES_MAX for each in tried)
    reason = Reason.VOUCHER_BARRED if all_barred else Reason.UNKNOWN_VOUCHER
    return Decision(reason.value, {}, changes=tried)


def cash(command: CashVoucher, prices: PriceBook, book: Book) -> Decision:
    """Pure. Checks in the order of `Reason`."""
    return decided(
        command.proof,
        book,
        lambda _assistant: _cash(command, prices, book),
        pays_from=command.store.account_id,
    )


def _cash(command: CashVoucher, prices: PriceBook, book: Book) -> Accepted | Refused:
    voucher, store = book.vouchers[command.voucher.id], command.store
    till = book.accounts[store.account_id]
    if not till.status.takes_in:
        return Refused(Reason.ACCOUNT_BLOCKED)
    reason = _why_not(voucher, book)
    if reason is not None:
        return Refused(reason)
    if not till.takes(-voucher.minor):
        return Refused(Reason.PAYEE_FULL)

    amount = voucher.amount
    seen: dict[str, Scalar] = {
        "amount": amount,
        "number": masked(voucher.msisdn),
        "balance": till.balance + amount,
    }
    theirs: dict[str, Scalar] = {"amount": amount, "name": store.name, "till": store.number}
    tariff = in_force(prices, f"withdraw{COMMISSION}", book.today)
    earned = tariff.commission(amount, shared=store.head_office_commission_id is not None)
    legs = (
        Leg(house_id(UNCLAIMED, voucher.currency), voucher.minor),
        Leg(store.account_id, -voucher.minor),
        *commission_legs(earned, store),
    )
    language = book.subscribers[voucher.subscriber_id].language
    return Accepted(
        {**seen, "number": voucher.msisdn},
        Posting("voucher_cashed", legs, prices.id),
        (
            # The number is nobody's, as far as we know: it is told as its code was.
            Message(voucher.msisdn, "voucher_cashed", language, theirs),
            tell(store, "voucher_paid", seen),
        ),
        changes=(VoucherEnded(voucher.id, VoucherState.CASHED),),
    )


def _why_not(voucher: Voucher, book: Book) -> Reason | None:
    """What has become of it since it was found, or of its sender."""
    if voucher.state is VoucherState.CASHED:
        return Reason.UNKNOWN_VOUCHER
    if voucher.state is VoucherState.OPEN and voucher.barred:
        return Reason.VOUCHER_BARRED
    if voucher.state is VoucherState.RETURNED or voucher.overdue(book.now_ms):
        return Reason.VOUCHER_EXPIRED
    if not book.accounts[voucher.wallet_id].status.pays_out:
        return Reason.VOUCHER_STOPPED
    return None


class CashVoucherService:
    """What menus call `voucher.find` and `voucher.cash`."""

    def __init__(self, teller: Teller, vouchers: Vouchers, tickets: Tickets) -> None:
        self._teller = teller
        self._vouchers = vouchers
        self._tickets = tickets

    def find(self, call: Call) -> Answer:
        assert call.secret is not None, "this action takes a code"
        at_work = self._at_work(call)
        if isinstance(at_work, Refused):
            return no(at_work.reason)
        assistant, _ = at_work
        theirs = number(call.args["number"])
        if theirs == assistant.msisdn:
            return no(Reason.OWN_NUMBER)

        tags = {
            each.id: self._teller.verifier.tag(
                kid=each.kid, subscriber_id=each.id, salt=each.salt, pin=call.secret
            )
            for each in self._vouchers.of_number(theirs)
        }
        answer = self._teller.commit(
            call,
            ("voucher.find", assistant.msisdn, theirs),
            subscribers=(assistant.id,),
            vouchers=tags,
            decide=lambda book: find(Find(assistant, tags), book),
        )
        if answer.outcome != "ok":
            return answer
        until_ms = self._teller.now_ms() + TICKET_MS
        known = (_FOUND, assistant.msisdn, str(until_ms), str(answer.values["voucher"]))
        return Answer(
            "ok", {"amount": answer.values["amount"], "ticket": self._tickets.seal(*known)}
        )

    def cash(self, call: Call) -> Answer:
        at_work = self._at_work(call)
        if isinstance(at_work, Refused):
            return no(at_work.reason)
        assistant, store = at_work
        voucher = self._found(call)
        if voucher is None:
            return no(Reason.EXPIRED)

        command = CashVoucher(voucher, store, self._teller.prove(assistant, call))
        paid = house_id(COMMISSION_PAID, voucher.currency)
        unclaimed = house_id(UNCLAIMED, voucher.currency)
        return self._teller.commit(
            call,
            ("voucher.cash", assistant.msisdn, store.number, voucher.id),
            subscribers=(assistant.id, voucher.subscriber_id),
            accounts=(
                store.account_id,
                *commission_accounts(store),
                voucher.wallet_id,
                unclaimed,
                paid,
            ),
            vouchers=(voucher.id,),
            decide=lambda book: cash(command, self._teller.prices, book),
        )

    def _at_work(self, call: Call) -> tuple[Subscriber, Business] | Refused:
        assistant = self._teller.caller(call)
        if assistant is None:
            return Refused(Reason.NOT_REGISTERED)
        store = self._teller.reads.workplace(assistant.id)
        return Refused(Reason.NOT_AGENT) if store is None else (assistant, store)

    def _found(self, call: Call) -> Voucher | None:
        """What the ticket is for; None where it is over."""
        match self._tickets.open(text(call.args["ticket"])):
            case (kind, msisdn, until_ms, voucher_id) if (
                kind == _FOUND
                and msisdn == call.origin.msisdn
                and self._teller.now_ms() < int(until_ms)
            ):
                return self._vouchers.voucher(int(voucher_id))
            case _:
                return None

    def actions(self) -> tuple[Action, ...]:
        gone = (Reason.UNKNOWN_VOUCHER, Reason.VOUCHER_BARRED, Reason.VOUCHER_EXPIRED)
        refused = (
            *(Reason.NOT_REGISTERED, Reason.NOT_AGENT, Reason.ACCOUNT_BLOCKED),
            *(Reason.OWN_NUMBER, *gone),
        )
        return (
            Action(
                "voucher.find",
                Effect.CHANGE,
                {"number": MSISDN},
                {"amount": MONEY, "ticket": ID},
                frozenset({"ok", TIMEOUT, UNKNOWN, *(reason.value for reason in refused)}),
                takes_secret=True,
                run=self.find,
            ),
            Action(
                "voucher.cash",
                Effect.MONEY,
                {"ticket": ID},
                {
                    "receipt": RECEIPT,
                    "amount": MONEY,
                    "number": MSISDN,
                    "balance": MONEY,
                    "tries_left": COUNT,
                },
                pin_outcomes(
                    *(Reason.NOT_AGENT, Reason.EXPIRED, *gone, Reason.VOUCHER_STOPPED),
                    Reason.PAYEE_FULL,
                ),
                takes_secret=True,
                run=self.cash,
            ),
        )
