"""The packs of menus that this process serves: what is published, followed while it runs.

    menu_live ----look, at most once a second--> moves, newest first, to the one for everybody
    menu_version --source, once a version------> compiled, kept ------> live, pinned
    menu_retired, menu_stopped --the same look-> what no session goes on in, or may ask for

New sessions begin in the newest version that is for their phone and loads; one that is open
goes on in its own. A version that does not load here (another release published it, or an
action is gone) is told of once, and the one before it that was for everybody goes on: what it
took the place of for some, it ended. While the database is away, what is known goes on.
"""

import threading
import time
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass

import structlog

from ussd_gateway.files.faults import Fault
from ussd_gateway.ports import BooksLost
from ussd_gateway.store.menus.rollout import Rollout
from ussd_gateway.store.menus.versions import Heads, Move, SqlVersions
from ussd_gateway.ussd.menu import Program

# Loads the octets of a pack; faults carry the name that is given with them.
Load = Callable[[bytes, str], Program | list[Fault]]
Version = tuple[str, str]  # pack, digest

look_every_s = 1.0
# More versions than this are compiled again when a session needs one.
programs_max = 16
poisons_max = 100
# How far back a version is looked for that loads and is for everybody.
back_max = 40
faults_shown_max = 5

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Standing:
    """A move that counts now. `program`: None where the version does not load here."""

    move: Move
    program: Program | None


@dataclass(frozen=True, slots=True)
class _Served:
    """What a pack's new sessions begin in: the first of `some` that is for their phone, else
    what is for everybody."""

    some: tuple[tuple[Rollout, Program], ...]
    everybody: Program


class LivePacks:
    """`ussd.versions.Packs`. Nothing is live before the first `look`."""

    def __init__(self, versions: SqlVersions, load: Load) -> None:
        self._versions = versions
        self._load = load
        self._heads = Heads({}, retired=0, stopped=0)
        self._standing: dict[str, tuple[Standing, ...]] = {}
        self._served: dict[str, _Served] = {}
        self._retired: frozenset[Version] = frozenset()
        self._stopped: frozenset[str] = frozenset()
        self._programs: dict[Version, Program] = {}
        self._poisons: dict[Version, tuple[str, ...]] = {}
        self._looking = threading.Lock()
        self._compiling = threading.Lock()
        self._look_at = 0.0

    @property
    def names(self) -> Collection[str]:
        """Of the packs of which a version is live."""
        return self._served.keys()

    def live(self, pack: str, *, msisdn: str, route: str) -> Program:
        self._look_when_due()
        served = self._served[pack]
        for rollout, program in served.some:
            if rollout.includes(program.digest, msisdn=msisdn, route=route):
                return program
        return served.everybody

    def known(self, pack: str) -> Program:
        return self._served[pack].everybody

    def pinned(self, pack: str, digest: str) -> Program | None:
        self._look_when_due()
        return None if (pack, digest) in self._retired else self._program(pack, digest)

    def retired(self, pack: str, digest: str) -> Program | None:
        return self._program(pack, digest)

    def stopped(self) -> frozenset[str]:
        self._look_when_due()
        return self._stopped

    def look(self) -> None:
        """Follows all that has changed since the last look. Raises BooksLost."""
        self._look_at = time.monotonic() + look_every_s
        heads = self._versions.heads()
        moved = {
            pack for pack, seq in heads.moves.items() if self._heads.moves.get(pack) != seq
        }
        if heads.retired != self._heads.retired:
            retired = self._versions.retired()
            moved |= {pack for pack, _digest in retired - self._retired}
            self._retired = retired
        if heads.stopped != self._heads.stopped:
            self._stopped = self._versions.stopped()
            if self._served:
                log.info("menus.stopped", actions=sorted(self._stopped))
        for pack in sorted(moved):
            self._follow(pack)
        self._heads = heads

    def standing(self, pack: str) -> Sequence[Standing]:
        """The moves that count now, the newest first: those for some, and then the one for
        everybody; those between that do not load here, too."""
        return self._standing.get(pack, ())

    def why_not(self, pack: str) -> dict[str, tuple[str, ...]]:
        """Of the versions that stand and do not load here: the faults, by digest."""
        poisons = [one.move.digest for one in self.standing(pack) if one.program is None]
        return {digest: self._poisons.get((pack, digest), ()) for digest in poisons}

    def _look_when_due(self) -> None:
        if time.monotonic() < self._look_at or not self._looking.acquire(blocking=False):
            return
        try:
            self.look()
        except BooksLost as lost:
            log.error("menus.not_looked_for", reason=str(lost))
        finally:
            self._looking.release()

    def _follow(self, pack: str) -> None:
        standing = self._standing[pack] = tuple(self._stand(pack))
        some = []
        for one in standing:
            if one.program is not None and one.move.rollout is not None:
                some.append((one.move.rollout, one.program))
            elif one.program is not None:
                if pack in self._served:
                    log.info("menus.live", pack=pack, version=standing[0].move.digest)
                self._served[pack] = _Served(tuple(some), one.program)

    def _stand(self, pack: str) -> list[Standing]:
        standing: list[Standing] = []
        over = False  # A move for everybody was passed: it ended those for some before it.
        for move in self._versions.history(pack)[:back_max]:
            # Of a version that was widened, or narrowed, its last word counts.
            said = any(one.move.digest == move.digest for one in standing)
            if move.rollout and (over or said):
                continue
            over = over or move.rollout is None
            if (pack, move.digest) in self._retired:
                continue
            program = self._program(pack, move.digest)
            standing.append(Standing(move, program))
            if program is not None and move.rollout is None:
                break
        return standing

    def _program(self, pack: str, digest: str) -> Program | None:
        """Raises BooksLost."""
        version = (pack, digest)
        found = self._programs.get(version)
        if found is not None or version in self._poisons:
            return found

        source = self._versions.source(pack, digest)
        return None if source is None else self._compile(version, source)

    def _compile(self, version: Version, source: bytes) -> Program | None:
        with self._compiling:
            known = self._programs.get(version)
            if known is not None or version in self._poisons:
                return known

            program, faults = self._try(version, source)
            if program is None:
                self._poison(version, faults)
                return None
            if len(self._programs) >= programs_max:
                self._programs.pop(next(iter(self._programs)))
            self._programs[version] = program
            return program

    def _try(self, version: Version, source: bytes) -> tuple[Program | None, tuple[str, ...]]:
        pack, digest = version
        name = f"{pack}@{digest}"
        try:
            found = self._load(source, name)
        # These octets come from the database: whatever they do to the loader, phones go on.
        except Exception as error:
            log.exception("menus.loader_broke", pack=pack, version=digest)
            return None, (f"{name}: {type(error).__name__}",)
        if not isinstance(found, Program):
            return None, tuple(map(str, found))
        if found.digest != digest:
            return None, (f"{name}: these are the octets of {found.digest}",)
        return found, ()

    def _poison(self, version: Version, faults: tuple[str, ...]) -> None:
        if len(self._poisons) >= poisons_max:
            self._poisons.clear()
        self._poisons[version] = faults
        pack, digest = version
        shown = faults[:faults_shown_max]
        log.error("menus.do_not_load", pack=pack, version=digest, faults=shown)
