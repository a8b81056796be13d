"""Money that waits between two accounts until somebody decides: posted whole or in part,
voided, or expired when nobody did in time.

    place -> pending -> post     a journal out of it, for all or a part; the rest is let go
                     -> void     somebody says no
                     -> expire   its time is over: looked for by the scheduler

The first decision is the only one; a hold whose time is over is not posted any more, whether or
not the scheduler has come to it. The status of an account bars its holder, not the two of the
staff who take money back out of it, unless it is closed. The functions are pure, and parts of
greater decisions.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from ussd_gateway.domain.book import Book, Decision, HoldDecided, HoldPlaced, Message
from ussd_gateway.domain.journal import Hold, HoldState
from ussd_gateway.domain.money import Money
from ussd_gateway.ports import OnHold
from ussd_gateway.services.orders.desk import Desk, Objected, Objection, objected

OVERDUE_MAX = 50

# The SMS that a hold owes when it is let go, by its kind.
Told = Callable[[OnHold, Book], tuple[Message, ...]]


def place(hold: Hold, book: Book) -> HoldPlaced | Objected:
    objection = barred(hold.source_id, hold.target_id, book)
    if objection is not None:
        return objection
    if not book.accounts[hold.source_id].gives_back(hold.minor):
        return objected(Objection.SPENT)
    if not book.accounts[hold.target_id].takes(-hold.minor):
        return objected(Objection.TARGET_FULL)
    return HoldPlaced(hold)


def post(hold_id: int, minor: int, book: Book) -> HoldDecided | Objected:
    """`minor` of it is moved by the posting of the same decision; the rest is let go."""
    hold = book.holds[hold_id]
    if hold.state is not HoldState.PENDING:
        return objected(Objection.DECIDED, state=hold.state.value)
    if not hold.open(book.now_ms):
        return objected(Objection.OVERDUE)
    if not 0 < minor <= hold.minor:
        held = Money(hold.minor, book.accounts[hold.source_id].currency)
        return objected(Objection.OVER_HELD, held=held)
    objection = barred(hold.source_id, hold.target_id, book)
    if objection is not None:
        return objection
    state = HoldState.POSTED if minor == hold.minor else HoldState.PART_POSTED
    return HoldDecided(hold.id, state, posted=minor)


def void(hold_id: int, book: Book) -> HoldDecided | Objected:
    hold = book.holds[hold_id]
    if hold.state is not HoldState.PENDING:
        return objected(Objection.DECIDED, state=hold.state.value)
    return HoldDecided(hold.id, HoldState.VOIDED)


def expire(hold_id: int, book: Book) -> HoldDecided | Objected:
    hold = book.holds[hold_id]
    if hold.state is not HoldState.PENDING:
        return objected(Objection.DECIDED, state=hold.state.value)
    if hold.open(book.now_ms):
        return objected(Objection.NOT_OVERDUE)
    return HoldDecided(hold.id, HoldState.EXPIRED)


def barred(source_id: int, target_id: int, book: Book) -> Objected | None:
    """Whether a status keeps money from going back from one to the other."""
    source, target = book.accounts[source_id], book.accounts[target_id]
    if not source.status.gives_back:
        return objected(Objection.SOURCE_BARRED, status=source.status.value)
    if not target.status.takes_in:
        return objected(Objection.TARGET_BARRED, status=target.status.value)
    return None


@dataclass(frozen=True, slots=True)
class HoldsOverdue:
    """Lets go what nobody has decided in time. `told` by the kind of hold."""

    desk: Desk
    told: Mapping[str, Told]

    def expire(self) -> int:
        """A few of them; gives how many it looked at. Each is a command of its own, under a key
        of its own, so several schedulers do no harm. Raises BooksLost."""
        overdue = self.desk.records.overdue(self.desk.now_ms(), count_max=OVERDUE_MAX)
        for hold_id in overdue:
            self._expire(hold_id)
        return len(overdue)

    def _expire(self, hold_id: int) -> None:
        held = self.desk.records.held(hold_id)
        assert held is not None, "a hold is never removed"

        def decide(book: Book) -> Decision | Objected:
            found = expire(hold_id, book)
            if isinstance(found, Objected):
                return found
            told = self.told[held.hold.kind](held, book)
            return Decision("ok", {"hold": hold_id}, messages=told, changes=(found,))

        self.desk.commit(
            self.desk.overdue(f"hold:{hold_id}:expired"),
            (hold_id,),
            subject=f"hold:{hold_id}",
            accounts=(held.hold.source_id, held.hold.target_id),
            holds=(hold_id,),
            decide=decide,
        )
