"""Work that is begun, set aside in the middle and taken up again, by one thread at a time.

Each piece has a thread of its own, which runs only while it has the turn: what services do is
their own code, and the order in which they do it is nobody's but the seed's.
"""

from collections.abc import Callable
from threading import Lock, Thread
from typing import Any


class Piece:
    """`waits_for`: what it asked for and has no answer to yet. `done`: it came to an end;
    `result` or `error` say how."""

    def __init__(self, work: Callable[[], Any]) -> None:
        self.waits_for: Any = None
        self.done = False
        self.result: Any = None
        self.error: BaseException | None = None
        self._work = work
        self._given: Any = None
        self._its_turn, self._our_turn = Lock(), Lock()
        self._its_turn.acquire()
        self._our_turn.acquire()
        self._thread = Thread(target=self._run, daemon=True)

    def begin(self) -> None:
        """Until it waits for something, or is done."""
        self._thread.start()
        self._our_turn.acquire()

    def go_on(self, given: Any) -> None:
        """With what it waited for; an exception is raised where it waits."""
        self._given, self.waits_for = given, None
        self._its_turn.release()
        self._our_turn.acquire()
        if self.done:
            self._thread.join()

    def wait(self, wanted: Any) -> Any:
        """For the piece itself, on whichever thread of its own it is."""
        self.waits_for = wanted
        self._our_turn.release()
        self._its_turn.acquire()
        if isinstance(self._given, BaseException):
            raise self._given
        return self._given

    def _run(self) -> None:
        try:
            self.result = self._work()
        # It is for whoever gave the turn to judge it: nothing is caught for good here.
        except BaseException as error:  # noqa: BLE001
            self.error = error
        self.done = True
        self._our_turn.release()
