"""A town that a seed decides: people and what they ask, two servers on one database, the order
of everything, disks, a carrier, lost and late replies, killed programs, and the clock.

    errand --try--> service --command--> queue --batch--> books
      ^                                                     |
      +---- reply: lost, late, or heard <---- outcome ------+

All of it happens on one thread at a time and in an order drawn from the seed, so that a seed
gives the same log, octet by octet. After each batch the books are looked at (`checks`); in the
end everybody is answered, and they are held against what was asked for and `ledger verify`.
"""

from collections import deque
from collections.abc import Callable
from datetime import UTC, datetime
from hashlib import sha256
from random import Random

from tests.simulation.carrier import SimulatedCarrier
from tests.simulation.checks import Checks
from tests.simulation.databases import SqliteFile
from tests.simulation.disk import CALM, MOODS, Died
from tests.simulation.errands import AGREED, Errand, new_errand
from tests.simulation.server import Asked, Server
from tests.simulation.turns import Piece
from tests.store.conftest import SetClock
from ussd_gateway import app
from ussd_gateway.app.chance import SeededRandom
from ussd_gateway.domain.money import Money
from ussd_gateway.ports import CONFLICT, TIMEOUT, UNKNOWN, Answer, BooksLost, PurchasesLost
from ussd_gateway.services.purchases.buy_airtime import KIND as AIRTIME
from ussd_gateway.settings import Settings

# 22:30 in Nairobi, on the last day of a month.
STARTS = datetime(2026, 11, 30, 19, 30, tzinfo=UTC)
# How long nothing happens, in seconds, and how likely.
WAITS_S = {0.2: 20, 3.0: 10, 60.0: 4, 1_800.0: 2, 40_000.0: 1}
SERVERS = ("one", "two")
shown_max = 40  # of the log, where something is wrong
tries_max = 12
rounds_max = 500  # of the end, until everybody is answered

reply_lost, gives_up = 0.12, 0.1


class Wrong(AssertionError):
    """A promise that was broken, and the seed that breaks it."""


def prepare(url: str) -> None:
    """Books with the demo cast in them."""
    settings = Settings(database_url=url)
    clock = SetClock(STARTS)
    app.upgrade(settings)
    app.seed_demo(settings, clock=clock, random=SeededRandom(clock, 1))


def simulate(
    seed: int, operations: int, file: SqliteFile, tell: Callable[[str], None] | None = None
) -> str:
    """The digest of the run's log, each line of which is also told. An operation is a try of an
    errand: somebody asks a service for something, for the first time or again. Raises Wrong."""
    file.renew()
    town = _Town(seed, file.url, tell)
    try:
        town.lives(operations)
        town.settles()
    except Exception as error:
        again = f"again: python -m tests.simulation {seed} --operations {operations}"
        last = "\n".join(town.last)
        raise Wrong(f"seed {seed}: {error!r}\n{again}\n{last}") from error
    finally:
        town.closes()
    return town.digest.hexdigest()


class _Town:
    def __init__(self, seed: int, url: str, tell: Callable[[str], None] | None) -> None:
        self.digest = sha256()
        self.last: deque[str] = deque(maxlen=shown_max)
        self._tell = tell
        self._random = Random(f"town {seed}")
        self._settings = Settings(database_url=url)
        self._clock = SetClock(STARTS)
        self._carrier = SimulatedCarrier(Random(f"carrier {seed}"))
        self._disks = Random(f"disks {seed}")
        self._checks = Checks(url)
        self._errands: list[Errand] = []
        self._tries: dict[Piece, Errand | None] = {}
        self._others: set[Piece] = (
            set()
        )  # that ask for something else under a key that is taken
        self._begun = 0
        self._servers = [self._new_server(name) for name in SERVERS]

    # --- the days -------------------------------------------------------------------------

    def lives(self, operations: int) -> None:
        happens: dict[Callable[[], None], int] = {
            self._somebody_asks: 30,
            self._somebody_asks_again: 14,
            self._somebody_asks_for_something_else: 1,
            self._a_command_is_queued: 60,
            self._a_writer_steps: 32,
            self._an_outcome_arrives: 60,
            self._somebody_stops_waiting: 4,
            self._the_clock_goes_on: 10,
            self._a_disk_changes: 4,
            self._a_server_is_killed: 1,
            self._the_carrier_reports: 4,
        }
        events, weights = list(happens), list(happens.values())
        while self._begun < operations:
            self._random.choices(events, weights)[0]()

    def settles(self) -> None:
        """Nothing goes wrong any more, and everybody asks until they are answered."""
        self._log("the weather clears")
        for server in self._servers:
            server.disk.mood = server.other_disk.mood = CALM
        self._carrier.honest = True
        for _ in range(rounds_max):
            self._finishes()
            waiting = [each for each in self._errands if each.open]
            if not waiting and not self._checks.due_ms():
                break
            for errand in waiting:
                self._tries_again(errand)
            self._passes(30_000)
        else:
            raise AssertionError("not everybody was answered")
        self._checks.all(self._errands, self._carrier.orders)
        self._log(f"in the end {self._checks.balances()}")

    def closes(self) -> None:
        for server in self._servers:
            for asked in server.dies():
                asked.piece.go_on(Died("it is over"))
            server.close()
        self._checks.close()

    # --- what may happen --------------------------------------------------------------------

    def _somebody_asks(self) -> None:
        sent = [
            one
            for one in self._errands
            if one.action == "send_money" and one.answer and one.answer.outcome == "ok"
        ]
        errand = new_errand(self._random, len(self._errands) + 1, sent)
        self._errands.append(errand)
        self._begins(errand)

    def _somebody_asks_again(self) -> None:
        """Without an answer, or with one: a callback may come twice. Most ask what is new."""
        if self._errands:
            newest = self._errands[-20:] if self._random.random() < 0.9 else self._errands
            self._tries_again(self._random.choice(newest))

    def _somebody_asks_for_something_else(self) -> None:
        known = [one for one in self._errands if one.answer and "amount" in one.args]
        known = [one for one in known if self._checks.is_stored(one.key)]
        if known:
            errand = self._random.choice(known)
            amount = errand.args["amount"]
            assert isinstance(amount, Money)
            other = errand.args | {"amount": amount + Money(1_00, "KES")}
            server = self._random.choice(self._servers)
            self._log(f"{errand.key} at {server} for something else")
            piece = Piece(lambda: server.actions[errand.action].run(errand.call(other)))
            self._others.add(piece)
            self._turn(server, piece, errand)

    def _a_command_is_queued(self) -> None:
        parked = [one for one in self._asked() if one.ticket is None and one.outcome is None]
        if parked:
            asked = self._random.choice(parked)
            asked.server.submit(asked)

    def _a_writer_steps(self) -> None:
        self._steps(self._random.choice(self._servers))

    def _an_outcome_arrives(self) -> None:
        """In any order."""
        if some := [one for one in self._asked() if one.outcome is not None]:
            self._goes_on(self._random.choice(some))

    def _somebody_stops_waiting(self) -> None:
        if some := [one for one in self._asked() if one.outcome is None]:
            self._random.choice(some).stops_waiting()

    def _the_clock_goes_on(self) -> None:
        waits, weights = list(WAITS_S), list(WAITS_S.values())
        self._passes(int(1_000 * self._random.choices(waits, weights)[0]))

    def _a_disk_changes(self) -> None:
        server = self._random.choice(self._servers)
        disk = self._random.choice((server.disk, server.disk, server.other_disk))
        disk.mood = self._random.choice(MOODS)

    def _a_server_is_killed(self) -> None:
        self._dies(self._random.choice(self._servers), "anywhere")

    def _the_carrier_reports(self) -> None:
        report = self._carrier.report()
        if report is not None:
            server = self._random.choice(self._servers)
            self._log(f"report of {report.supplier_id} at {server}")
            piece = Piece(lambda: server.fulfilment.reported(AIRTIME, report))
            self._turn(server, piece, None)

    # --- how it happens ---------------------------------------------------------------------

    def _tries_again(self, errand: Errand) -> None:
        if errand.tries < tries_max or self._carrier.honest:
            self._begins(errand)

    def _begins(self, errand: Errand) -> None:
        self._begun += 1
        server = self._random.choice(self._servers)
        errand.tries += 1
        self._log(f"{errand.key} at {server}: {errand.person} {errand.args}")
        self._turn(server, Piece(lambda: _do(server, errand)), errand)

    def _turn(self, server: Server, piece: Piece, errand: Errand | None) -> None:
        self._tries[piece] = errand
        server.piece = piece
        piece.begin()
        self._after(server, piece)

    def _goes_on(self, asked: Asked) -> None:
        server, outcome = asked.server, asked.outcome
        assert outcome is not None, "it has an outcome"
        server.asked.remove(asked)
        key = asked.work.key
        self._log(f"{key} is told {outcome.name} {dict(outcome.values)}")
        self._checks.answered(key, outcome, other=asked.piece in self._others)
        server.piece = asked.piece
        asked.piece.go_on(outcome)
        self._after(server, asked.piece)

    def _after(self, server: Server, piece: Piece) -> None:
        if not piece.done:
            self._checks.asked(piece.waits_for.work.key)
            return
        self._ends(piece)
        if isinstance(piece.error, Died):
            self._dies(server, str(piece.error))

    def _ends(self, piece: Piece) -> None:
        errand = self._tries.pop(piece)
        match piece.error:
            case None:
                if errand is not None:
                    self._replies(errand, piece)
            case Died() | BooksLost() | PurchasesLost():
                self._log(f"{errand.key if errand else 'a look'}: {piece.error!r}")
            case error:
                raise error

    def _replies(self, errand: Errand, piece: Piece) -> None:
        answer: Answer = piece.result
        if piece in self._others:
            assert answer.outcome in (CONFLICT, TIMEOUT, UNKNOWN), f"{errand}: {answer}"
            return
        if self._random.random() < reply_lost:
            self._log(f"{errand.key}: its reply is lost")
            return
        self._log(f"{errand.key} hears {answer.outcome} {dict(answer.values)}")
        assert answer.outcome != CONFLICT, f"{errand}: the same under the same key"
        if answer.outcome in (TIMEOUT, UNKNOWN):
            # In good weather nobody has to: all are answered.
            bored = self._random.random() < gives_up and not self._carrier.honest
            errand.left = errand.left or bored
        elif errand.answer is None:
            errand.answer = answer
        elif errand.action != AIRTIME:
            # What is ordered may be refused later, which another hop then hears.
            assert answer == errand.answer, f"{errand} hears {answer}"

    def _steps(self, server: Server) -> None:
        if not server.queued or server.stepping:
            return
        self._log(f"{server} steps with {len(server.queued)}")
        try:
            server.step()
        except Died as died:
            self._dies(server, str(died))
        self._log(self._checks.now())

    def _meanwhile(self, server: Server) -> None:
        """While its writer rests: callers may stop waiting, and the other writer may step."""
        in_hand = [one for one in server.asked if one.ticket and one.outcome is None]
        for asked in in_hand:
            if self._random.random() < 0.1:
                asked.stops_waiting()
        if self._random.random() < 0.5:
            self._steps(self._random.choice(self._servers))

    def _dies(self, server: Server, where: str) -> None:
        self._log(f"{server} is killed {where}")
        for asked in server.dies():
            asked.piece.go_on(Died("with its server"))
            assert asked.piece.done, "what is killed ends"
            self._ends(asked.piece)

    def _passes(self, wait_ms: int) -> None:
        """Time; and whoever looks after purchases does so when each falls due."""
        until_ms = self._now_ms + wait_ms
        for _ in range(rounds_max):
            due_ms = self._checks.due_ms()
            if due_ms is None or due_ms > until_ms:
                break
            self._clock.wait(max(0, due_ms - self._now_ms) / 1_000)
            self._checks.one_is_due(self._now_ms)
            self._follows_up()
        self._clock.wait(max(0, until_ms - self._now_ms) / 1_000)

    def _follows_up(self) -> None:
        server = self._random.choice(self._servers)
        self._log(f"{server} looks after purchases")
        # One that cannot look now would do so together with the next.
        mood, server.other_disk.mood = server.other_disk.mood, CALM
        self._turn(server, Piece(server.fulfilment.follow_up), None)
        server.other_disk.mood = mood

    def _finishes(self) -> None:
        """All that is under way."""
        for _ in range(rounds_max):
            asked = self._asked()
            if not asked:
                return
            for one in asked:
                if one.ticket is None and one.outcome is None:
                    one.server.submit(one)
            for server in self._servers:
                self._steps(server)
            for one in asked:
                if one.outcome is not None:
                    self._goes_on(one)
        raise AssertionError("not everything ended")

    def _asked(self) -> list[Asked]:
        return [one for server in self._servers for one in server.asked]

    def _new_server(self, name: str) -> Server:
        return Server(
            name,
            self._settings,
            clock=self._clock,
            random=self._disks,
            carrier=self._carrier,
            meanwhile=self._meanwhile,
        )

    @property
    def _now_ms(self) -> int:
        return int(self._clock.at.timestamp() * 1_000)

    def _log(self, words: str) -> None:
        line = f"{self._clock.at:%d %H:%M:%S.%f} {words}"
        self.digest.update(line.encode() + b"\n")
        self.last.append(line)
        if self._tell is not None:
            self._tell(line)


def _do(server: Server, errand: Errand) -> Answer:
    """As a menu does: a look at the price, and then what was agreed to, once for each key."""
    if errand.refused is not None:
        return errand.refused
    if errand.action in AGREED and not errand.agreed:
        look, names = AGREED[errand.action]
        quote = server.actions[look].run(errand.call(errand.args))
        if quote.outcome != "ok":
            errand.refused = quote
            return quote
        errand.args |= {arg: quote.values[name] for arg, name in names.items()}
        errand.agreed = True
    return server.actions[errand.action].run(errand.call(errand.args))
