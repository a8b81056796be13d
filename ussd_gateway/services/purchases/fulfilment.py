"""Purchases whose other half is outside: asked for once, and settled when the truth is known.

    the buyer's commit: purchase due --ask--> DONE     -> settled: the books follow
                                          --> REFUSED  -> settled: nothing is charged for it
                                          --> anything else: looked up later, never asked again

The hop that commits a purchase asks at once, within the time it has. Where it died, or the
carrier gave no answer, `follow_up` takes over; a carrier that tells by itself is heard by
`reported`. All of them settle under one key, so a purchase is settled once.
"""

from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Protocol

import structlog

from ussd_gateway.domain.book import (
    Book,
    Decision,
    Outcome,
    Purchase,
    PurchaseSettled,
    PurchaseState,
    Subscriber,
    Work,
)
from ussd_gateway.domain.money import Money
from ussd_gateway.domain.msisdn import Msisdn
from ussd_gateway.ports import (
    CONFLICT,
    TIMEOUT,
    UNKNOWN,
    BooksLost,
    Call,
    Carrier,
    Origin,
    Purchases,
    PurchasesLost,
    Standing,
    StatusReport,
    Supplied,
    Taken,
)
from ussd_gateway.services.teller import Accepted, Teller, content

log = structlog.get_logger()

FOLLOWED_MAX = 20
FOLLOW_WITHIN_S = 5.0
SETTLE_WITHIN_S = 1.0
# A carrier that never heard of a purchase so long after it was asked for never will: what we
# sent is not on its way any more.
ABSENT_AFTER_MS = 120_000

# Of the time of a hop, what is kept for settling what the carrier said, a writer's grace with
# it. Where less than the least is left to ask in, `follow_up` asks.
KEPT_S = 2.5
ASK_LEAST_S = 0.5
# An outcome: the buyer is to wait for the SMS.
PENDING = "pending"

_FINAL = {Standing.DONE: PurchaseState.DONE, Standing.REFUSED: PurchaseState.REFUSED}


class Good(Protocol):
    """What can be bought: what the books do when its outcome is known."""

    @property
    def carrier(self) -> Carrier: ...

    @property
    def repeat_ms(self) -> int:
        """For how long after one its carrier takes the same number and amount for a repeat; 0:
        it never does."""

    def account_ids(self, bought: Purchase, buyer: Subscriber) -> tuple[int, ...]:
        """The accounts that `settle` may touch. Raises BooksLost."""

    def comes_back_to(self, buyer: Subscriber) -> int | None:
        """The account that gets the money where the carrier refused; None: none was taken."""

    def event_ms(self, bought: Purchase, now_ms: int) -> int:
        """When that happened which the SMS of a settlement at `now_ms` tells of."""

    def settle(
        self, bought: Purchase, buyer: Subscriber, book: Book, *, done: bool
    ) -> Accepted:
        """Pure. Postings and SMS for good."""


def left_s(call: Call, since_ms: int) -> float:
    """How long a hop's carrier may take, `since_ms` after the hop's action began."""
    return call.within_s - since_ms / 1000 - KEPT_S


class Fulfilment:
    """`goods` by the kind of purchase."""

    def __init__(self, teller: Teller, purchases: Purchases, goods: Mapping[str, Good]) -> None:
        self._teller = teller
        self._purchases = purchases
        self._goods = goods

    def ask(self, key: str, origin: Origin, *, within_s: float) -> Outcome | None:
        """Asks for a purchase that was just committed. What it came to; None where nobody knows
        for good yet, and the buyer is told by SMS."""
        if within_s < ASK_LEAST_S:
            return None
        try:
            bought = self._purchases.take(key)
        except PurchasesLost as lost:
            log.error("purchase.not_taken", key=key, reason=str(lost))
            return None
        if bought is None:
            return None
        supplied = self._ask(bought, within_s=within_s)
        return self._heard_or_later(bought, supplied, origin)

    def follow_up(self) -> int:
        """Looks after purchases that are overdue; gives how many. Raises PurchasesLost."""
        taken = self._purchases.take_overdue(FOLLOWED_MAX)
        if taken:
            with ThreadPoolExecutor(len(taken), thread_name_prefix="fulfilment") as pool:
                list(pool.map(self._follow, taken))
        return len(taken)

    def reported(self, kind: str, report: StatusReport) -> bool:
        """Whether the report is of a purchase of ours, which is settled by it. Raises
        PurchasesLost and BooksLost: then it is to come again."""
        bought = self._purchases.reported(kind, report)
        if bought is None:
            return False
        supplied = Supplied(report.standing, report.supplier_id, report.detail)
        self._heard(bought, supplied, None)
        return True

    def expected(self, kind: str, msisdn: Msisdn, amount: Money) -> bool:
        """Whether we ordered just this, and wait for it. Raises PurchasesLost."""
        return self._purchases.expected(kind, msisdn, amount)

    def repeated(self, kind: str, msisdn: Msisdn, amount: Money) -> bool:
        """Whether just this was bought so lately that its carrier may take another for the
        same. Raises BooksLost."""
        try:
            return self._asked_since(kind, msisdn, amount)
        except PurchasesLost as lost:
            raise BooksLost(str(lost)) from None

    def _asked_since(self, kind: str, msisdn: Msisdn, amount: Money, but: str = "") -> bool:
        repeat_ms = self._goods[kind].repeat_ms
        if not repeat_ms:
            return False
        since_ms = self._teller.now_ms() - repeat_ms
        return self._purchases.asked_since(kind, msisdn, amount, since_ms=since_ms, but=but)

    def _ask(self, bought: Purchase, *, within_s: float) -> Supplied:
        """Never for what the carrier would take for a repeat: it would not say what became of
        it, and the money would stay on order. Two sessions may have passed the quote."""
        try:
            if self._asked_since(bought.kind, bought.msisdn, bought.amount, bought.key):
                return Supplied(Standing.REFUSED, None, "a repeat: not asked for")
        except PurchasesLost as lost:
            log.error("purchase.repeat_not_looked_for", key=bought.key, reason=str(lost))
        return self._goods[bought.kind].carrier.ask(bought, within_s=within_s)

    def _follow(self, taken: Taken) -> None:
        # One that breaks must not harm those beside it, nor the program that looks after all.
        try:
            self._follow_one(taken)
        except Exception:
            log.exception("purchase.broke", key=taken.purchase.key)

    def _follow_one(self, taken: Taken) -> None:
        bought = taken.purchase
        if taken.heard is not None:
            self._heard_or_later(bought, taken.heard, None)
            return
        look = self._goods[bought.kind].carrier.find if taken.asked_before else self._ask
        supplied = look(bought, within_s=FOLLOW_WITHIN_S)
        if supplied.standing is Standing.ABSENT and taken.waited_ms >= ABSENT_AFTER_MS:
            supplied = Supplied(Standing.REFUSED, None, "the carrier never heard of it")
        self._heard_or_later(bought, supplied, None)

    def _heard_or_later(
        self, bought: Purchase, supplied: Supplied, origin: Origin | None
    ) -> Outcome | None:
        """Where it cannot be kept now, it is looked up again."""
        try:
            return self._heard(bought, supplied, origin)
        except (PurchasesLost, BooksLost) as lost:
            log.error("purchase.not_kept", key=bought.key, reason=str(lost))
            return None

    def _heard(
        self, bought: Purchase, supplied: Supplied, origin: Origin | None
    ) -> Outcome | None:
        log.info(
            "purchase.heard",
            key=bought.key,
            kind=bought.kind,
            standing=supplied.standing.value,
            detail=supplied.detail,
        )
        # Before it is settled: a carrier that cannot be asked again says its last word once.
        self._purchases.note(bought.key, supplied)
        state = _FINAL.get(supplied.standing)
        if state is None:
            return None
        return self._settle(bought, supplied, state, origin)

    def _settle(
        self,
        bought: Purchase,
        supplied: Supplied,
        state: PurchaseState,
        origin: Origin | None,
    ) -> Outcome | None:
        buyer = self._teller.reads.subscribers(bought.msisdn).get(bought.msisdn)
        if buyer is None or buyer.id != bought.subscriber_id:
            raise PurchasesLost("not settled: the number is not the buyer's any more")
        good = self._goods[bought.kind]
        if state is PurchaseState.REFUSED:
            self._check_room(good.comes_back_to(buyer), bought.amount)
        settled = PurchaseSettled(bought.key, state, supplied.supplier_id, supplied.detail)

        def decide(book: Book) -> Decision:
            now = book.subscribers[buyer.id]
            done = state is PurchaseState.DONE
            found = good.settle(bought, now, book, done=done)
            return Decision(
                found.outcome,
                found.values,
                found.posting,
                found.messages,
                changes=(*found.changes, settled),
                spent=found.spent,
            )

        outcome = self._teller.ledger.run(
            Work(
                key=f"{bought.key}:settled",
                content=content(("settled", bought.key, state.value)),
                event_at_ms=good.event_ms(bought, self._teller.now_ms()),
                subscriber_ids=(buyer.id,),
                account_ids=good.account_ids(bought, buyer),
                decide=decide,
                route=origin.route if origin else None,
                session_id=origin.session_id if origin else None,
                msisdn=bought.msisdn,
            ),
            within_s=SETTLE_WITHIN_S,
        )
        if outcome.name == CONFLICT:
            # What was said first stands: the money went that way.
            log.error("purchase.contradicted", key=bought.key, detail=supplied.detail)
            return None
        if outcome.name in (TIMEOUT, UNKNOWN):
            raise PurchasesLost(f"not settled: {outcome.name}")
        return outcome

    def _check_room(self, account_id: int | None, amount: Money) -> None:
        """A wallet that is barred or full gets its money when it takes it: the purchase stays
        open till then."""
        if account_id is not None and not self._teller.reads.has_room(account_id, amount):
            raise PurchasesLost("not settled: the wallet does not take it in now")
