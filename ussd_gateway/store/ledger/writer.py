"""The one writer of a process: many commands, one transaction, one commit.

    caller: submit --queue--> writer thread: claim up to 200, batch, commit --outcome--> caller

A command is queued, then either claimed by the writer or abandoned by its caller at the
deadline; the two race, and exactly one wins:

    queued --caller--> abandoned   nothing moved, and the screen says so        (timeout)
    queued --writer--> claimed     the caller waits a little longer, then       (unknown)
       ^                  |        the truth comes by SMS and on redial
       +------------------+        the database is away, and nothing can have moved

Commits that fail run again under the same keys; a batch that an error hits is undone and its
commands run singly, so that one bad command never harms the others. But once the answer to a
COMMIT was lost, nothing that happens later tells that it moved nothing: such a command ends
with its stored outcome, or in doubt.
"""

import threading
import time
from collections.abc import Callable
from queue import Empty, SimpleQueue

import structlog

from ussd_gateway.domain.book import Outcome, Work
from ussd_gateway.ports import Clock
from ussd_gateway.store.ledger import batch
from ussd_gateway.store.ledger.batch import IN_DOUBT, NOT_DONE, Books, Numbering, Trouble

log = structlog.get_logger()

BATCH_MAX = 200
QUEUED_MAX = 4_000
ATTEMPTS_MAX = 6
BACKOFF_S = 0.05
# How much longer than its deadline a caller waits for a command that the writer has claimed.
GRACE_S = 1.5

_QUEUED, _CLAIMED, _ABANDONED = range(3)


class Ticket:
    """A command in the queue. `answered` is called at most once, on the writer's thread. In
    doubt: a COMMIT that held its key was not answered. Twinned: its key waits behind it again.
    """

    __slots__ = ("_answered", "in_doubt", "state", "twinned", "work")

    def __init__(self, work: Work, answered: Callable[[Outcome], None]) -> None:
        self.work = work
        self.state = _QUEUED
        self.in_doubt = False
        self.twinned = False
        self._answered = answered

    def answer(self, outcome: Outcome) -> None:
        self._answered(IN_DOUBT if self.in_doubt and outcome is NOT_DONE else outcome)


class Writer:
    """Start it once a process. `run` blocks; `submit` calls back. `rest` waits so many seconds
    before a commit that failed is tried again."""

    def __init__(
        self,
        books: Callable[[], Books],
        numbering: Numbering,
        clock: Clock,
        *,
        rest: Callable[[float], None] = time.sleep,
    ) -> None:
        self._new_books = books
        self._numbering = numbering
        self._clock = clock
        self._rest = rest
        self._queue: SimpleQueue[Ticket | None] = SimpleQueue()
        self._race = threading.Lock()
        self._thread = threading.Thread(target=self._loop, name="ledger-writer", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        """Ends after the commands that are queued now."""
        self._queue.put(None)
        self._thread.join()

    @property
    def alive(self) -> bool:
        return self._thread.is_alive()

    def submit(self, work: Work, answered: Callable[[Outcome], None]) -> Ticket | None:
        """Queues a command; None where the queue is full, and nothing will happen."""
        if self._queue.qsize() >= QUEUED_MAX:
            return None
        ticket = Ticket(work, answered)
        self._queue.put(ticket)
        return ticket

    def abandon(self, ticket: Ticket) -> bool:
        """The caller's side of the race: True where the command will never run."""
        with self._race:
            if ticket.state != _QUEUED:
                return False
            ticket.state = _ABANDONED
            return True

    def run(self, work: Work, *, within_s: float) -> Outcome:
        """The outcome, or `timeout` (nothing moved), or `unknown` (it may have)."""
        arrived = threading.Lock()
        arrived.acquire()
        outcome = IN_DOUBT

        def answered(found: Outcome) -> None:
            nonlocal outcome
            outcome = found
            arrived.release()

        ticket = self.submit(work, answered)
        if ticket is None:
            return NOT_DONE
        for wait_s in (within_s, GRACE_S):
            if arrived.acquire(timeout=wait_s):
                break
            if self.abandon(ticket):
                return NOT_DONE
        return outcome

    def _loop(self) -> None:
        books = self._new_books()
        while self.step(books):
            pass
        books.close()

    def step(self, books: Books) -> bool:
        """Waits for a command, and answers all that are queued then. False: there are no more.
        For the writer's own thread, or for one that never starts it and steps it instead."""
        tickets, last = self._drain()
        if claimed := self._claim(tickets):
            self._settle(claimed, books)
        return not last

    def _claim(self, tickets: list[Ticket]) -> list[Ticket]:
        """The writer's side of the race: those that nobody has abandoned."""
        with self._race:
            tickets = [ticket for ticket in tickets if ticket.state != _ABANDONED]
            for ticket in tickets:
                ticket.state = _CLAIMED
        return tickets

    def _let_go(self, tickets: list[Ticket]) -> None:
        """They may be abandoned while the database is away; but not one of which nobody knows
        whether it moved, nor one whose twin would go on."""
        with self._race:
            for ticket in tickets:
                if not (ticket.in_doubt or ticket.twinned):
                    ticket.state = _QUEUED

    def _drain(self) -> tuple[list[Ticket], bool]:
        """What is queued now, one at least; and whether that was the last of all."""
        tickets: list[Ticket] = []
        ticket = self._queue.get()
        while ticket is not None:
            tickets.append(ticket)
            if len(tickets) == BATCH_MAX:
                return tickets, False
            try:
                ticket = self._queue.get_nowait()
            except Empty:
                return tickets, False
        return tickets, True

    def _settle(self, tickets: list[Ticket], books: Books) -> None:
        """Answers every ticket. Where a key is there twice, the later one runs afterwards and
        finds the outcome of the first."""
        by_key: dict[str, Ticket] = {}
        for ticket in tickets:
            first = by_key.setdefault(ticket.work.key, ticket)
            first.twinned = first is not ticket
        firsts = list(by_key.values())
        if not self._commit(firsts, books):
            for ticket in self._claim(firsts):
                if not self._commit([ticket], books):
                    ticket.answer(NOT_DONE)
        if len(firsts) < len(tickets):
            chosen = set(map(id, firsts))
            later = [ticket for ticket in tickets if id(ticket) not in chosen]
            for ticket in later:
                ticket.in_doubt = by_key[ticket.work.key].in_doubt
            self._settle(later, books)

    def _commit(self, tickets: list[Ticket], books: Books) -> bool:
        """One transaction, run again under the same keys while the database is busy or away.

        True: each ticket has its answer. False: the database refused something; all is undone.
        """
        for attempt in range(ATTEMPTS_MAX):
            committing = False
            try:
                books.begin()
                rows = batch.run(
                    [ticket.work for ticket in tickets],
                    books,
                    self._numbering,
                    int(self._clock.now().timestamp() * 1000),
                )
                committing = True
                books.commit(rows)
            # Whatever breaks here must not end the thread that all payments need.
            except Exception as error:
                trouble = books.undo(error)
                if committing and trouble is Trouble.LOST:
                    for ticket in tickets:
                        ticket.in_doubt = True
                log.warning(
                    "ledger.batch_undone",
                    commands=len(tickets),
                    trouble=trouble.value,
                    error=type(error).__name__,
                    committing=committing,
                    exc_info=isinstance(error, AssertionError),
                )
                if trouble is Trouble.REFUSED:
                    return False
                self._let_go(tickets)
                self._rest(BACKOFF_S * 2**attempt)
                tickets = self._claim(tickets)
                if not tickets:
                    return True
                continue
            for ticket, outcome in zip(tickets, rows.outcomes, strict=True):
                ticket.answer(outcome)
            return True

        in_doubt = sum(ticket.in_doubt for ticket in tickets)
        log.error("ledger.gave_up", commands=len(tickets), in_doubt=in_doubt)
        for ticket in tickets:
            ticket.answer(NOT_DONE)
        return True
