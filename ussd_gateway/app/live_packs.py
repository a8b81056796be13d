"""The packs of menus that this process serves: what is published, followed while it runs.

    menu_live ---look, at most once a second---> newest version that loads --> live
    menu_version --source, once a version------> compiled, kept -------------> pinned

New sessions begin in the live version; one that is open goes on in its own. A version that does
not load here (another release published it, or an action is gone) is told of once, and the one
before it goes on. While the database is away, what is known goes on.
"""

import threading
import time
from collections.abc import Callable, Collection

import structlog

from ussd_gateway.files.faults import Fault
from ussd_gateway.ports import BooksLost
from ussd_gateway.store.versions import Move, SqlVersions
from ussd_gateway.ussd.menu import Program

# Loads the octets of a pack; faults carry the name that is given with them.
Load = Callable[[bytes, str], Program | list[Fault]]
Version = tuple[str, str]  # pack, digest

look_every_s = 1.0
# More versions than this are compiled again when a session needs one.
programs_max = 16
poisons_max = 100
# How far back a version is looked for that loads.
back_max = 20
faults_shown_max = 5

log = structlog.get_logger()


class LivePacks:
    """`ussd.versions.Packs`. Nothing is live before the first `look`."""

    def __init__(self, versions: SqlVersions, load: Load) -> None:
        self._versions = versions
        self._load = load
        self._live: dict[str, Program] = {}
        self._moves: dict[str, Move] = {}
        self._programs: dict[Version, Program] = {}
        self._poisons: dict[Version, tuple[str, ...]] = {}
        self._looking = threading.Lock()
        self._compiling = threading.Lock()
        self._look_at = 0.0

    @property
    def names(self) -> Collection[str]:
        """Of the packs of which a version is live."""
        return self._live.keys()

    def live(self, pack: str) -> Program:
        if time.monotonic() >= self._look_at and self._looking.acquire(blocking=False):
            try:
                self.look()
            except BooksLost as lost:
                log.error("menus.not_looked_for", reason=str(lost))
            finally:
                self._looking.release()
        return self._live[pack]

    def known(self, pack: str) -> Program:
        return self._live[pack]

    def pinned(self, pack: str, digest: str) -> Program | None:
        version = (pack, digest)
        found = self._programs.get(version)
        if found is not None or version in self._poisons:
            return found

        source = self._versions.source(pack, digest)
        return None if source is None else self._compile(version, source)

    def look(self) -> None:
        """Follows every move since the last look. Raises BooksLost."""
        self._look_at = time.monotonic() + look_every_s
        for pack, move in self._versions.live().items():
            if self._moves.get(pack) == move:
                continue
            newest = self._newest(pack)
            if newest is not None:
                if pack in self._live:
                    log.info("menus.live", pack=pack, version=newest.digest)
                self._live[pack] = newest
            self._moves[pack] = move

    def why_not(self, pack: str) -> tuple[str, ...]:
        """The faults for which the newest version of a pack does not load here."""
        move = self._moves.get(pack)
        return self._poisons.get((pack, move.digest), ()) if move else ()

    def _newest(self, pack: str) -> Program | None:
        """The newest of its versions that loads."""
        for move in self._versions.history(pack)[:back_max]:
            program = self.pinned(pack, move.digest)
            if program is not None:
                return program
        return None

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
