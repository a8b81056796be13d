"""Turns on a real Valkey, and a phone that sends what an aggregator would."""

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from itertools import count

from tests.ussd.stand_in import AMINA, ROUTES, Bank, Counted, WallClock, shipped_pack
from ussd_gateway.ports import BooksLost, Clock, Profile, Reply, Request, SessionId, Sessions
from ussd_gateway.ussd.menu import Menu, Program
from ussd_gateway.ussd.routes import Routes
from ussd_gateway.ussd.turn import Turn
from ussd_gateway.ussd.turn.counting import Counting
from ussd_gateway.ussd.versions import Packs

PROGRAM = shipped_pack()
TO_PIN = ("1", "0711000002", "500")
COMMIT = "Send KES 500.00 to Juma Otieno 0711000002\nFee KES 7.00 Total KES 507.00\nEnter PIN"
DIAL_AGAIN = Reply("Please dial again. Nothing was charged.", ends=True)
# Eight digits that stand nowhere else: wherever they are found, a PIN leaked.
CANARY = "73195062"

_ids = count(1)


def _without_sending() -> Program:
    """The next version: nothing can be sent, nor is the screen there that asks for the PIN."""
    home = PROGRAM.states["home"]
    assert isinstance(home, Menu)
    emptied = replace(home, blocks=home.blocks[:1], options={})
    states = {name: state for name, state in PROGRAM.states.items() if name != "send_pin"}
    return replace(PROGRAM, digest="without sending", states={**states, "home": emptied})


WITHOUT_SENDING = _without_sending()


class Shelf:
    """`Packs`: the first program is live, and all of them are found by those who began there
    - until the books are lost."""

    def __init__(self, *programs: Program) -> None:
        self.programs = programs
        self.lost = False
        self.gone: tuple[Program, ...] = ()
        self.stops: frozenset[str] = frozenset()

    def live(self, _pack: str, *, msisdn: str, route: str) -> Program:  # noqa: ARG002
        return self.programs[0]

    def known(self, _pack: str) -> Program:
        return self.programs[0]

    def pinned(self, _pack: str, digest: str) -> Program | None:
        if self.lost:
            raise BooksLost("of the test")
        return next((each for each in self.programs if each.digest == digest), None)

    def retired(self, _pack: str, digest: str) -> Program | None:
        return next((each for each in self.gone if each.digest == digest), None)

    def stopped(self) -> frozenset[str]:
        return self.stops


class Nobody:
    """`Recorder`: no number is recorded."""

    def wants(self, _msisdn: str) -> bool:
        return False

    def keep(self, *_: object, **__: object) -> None:
        raise AssertionError("nobody is recorded")


class Phone:
    """Sends what an aggregator would: every input so far, joined by `*`."""

    route = "at"

    def __init__(self, turn: Turn, who: Profile = AMINA, session: str = "") -> None:
        self._turn = turn
        self._who = who
        self.session = SessionId(session or f"turn-{next(_ids)}")
        self.text = ""

    def dials(self, text: str = "") -> Reply:
        return self.sends(text)

    def types(self, *inputs: str) -> Reply:
        replies = [self.sends(f"{self.text}*{each}" if self.text else each) for each in inputs]
        return replies[-1]

    def sends(self, text: str) -> Reply:
        self.text = text
        return self.repeats()

    def repeats(self) -> Reply:
        return self._turn.answer(self.request)

    @property
    def request(self) -> Request:
        return Request(
            route=self.route,
            session_id=self.session,
            msisdn=self._who.msisdn,
            service_code="*384#",
            network="63902",
            text=self.text,
        )

    @property
    def key(self) -> str:
        return f"ussd:{self.route}:{self.session}"


class NewestOnly(Phone):
    """Of an aggregator that sends the newest input only; with a name for each hop, or not."""

    route = "latest"

    def __init__(self, turn: Turn, *, names_hops: bool) -> None:
        super().__init__(turn)
        self._names_hops = names_hops
        self.hop = 0
        self.begins: bool | None = True

    def dials(self, text: str = "") -> Reply:
        self.begins = True
        return self._next(text)

    def types(self, *inputs: str) -> Reply:
        self.begins = False
        return [self._next(each) for each in inputs][-1]

    @property
    def request(self) -> Request:
        name = f"hop-{self.hop}" if self._names_hops else ""
        return replace(super().request, begins=self.begins, hop_id=name)

    def _next(self, text: str) -> Reply:
        self.hop += 1
        return self.sends(text)


def turn_of(
    bank: Bank,
    sessions: Sessions,
    *,
    packs: Packs = Shelf(PROGRAM),  # noqa: B008  # it never changes
    answer_within_s: int = 15,
    septets_max: int = 160,
    clock: Clock = WallClock(),  # noqa: B008  # it never changes
    counting: Counting | None = None,
) -> Turn:
    return Turn(
        packs=packs,
        routes=_narrowed(answer_within_s, septets_max),
        actions=bank.actions,
        sessions=sessions,
        profiles=bank,
        truth=bank,
        counting=counting or Counting(),
        recorder=Nobody(),
        clock=clock,
        random=Counted(),
        mac_key=b"a key of the tests, thirty-two o",
    )


def _narrowed(within_s: int, septets_max: int) -> Routes:
    by_name = {
        name: replace(route, answer_within_s=within_s, septets_max=septets_max)
        for name, route in ROUTES.by_name.items()
    }
    return replace(ROUTES, by_name=by_name)


def at_pin(turn: Turn) -> Phone:
    phone = Phone(turn)
    phone.dials()
    assert phone.types(*TO_PIN) == Reply(COMMIT, ends=False)
    return phone


def at_once(times: int, work: Callable[[], Reply]) -> list[Reply]:
    barrier = threading.Barrier(times)

    def one(_: int) -> Reply:
        barrier.wait()
        return work()

    with ThreadPoolExecutor(times) as pool:
        return list(pool.map(one, range(times)))
