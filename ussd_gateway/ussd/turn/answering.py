"""A callback finds its session, and so the one that answers it.

FRESH             -> beginning -+
LOCKED, ANSWERED  -> going_on  -+-> replying
MOVED, BUSY       --------------+
"""

import itertools
import secrets
from collections.abc import Mapping

import structlog

from ussd_gateway.ports import (
    Action,
    BooksLost,
    Clock,
    Held,
    Loaded,
    Origin,
    Profiles,
    Random,
    Reply,
    Request,
    SessionId,
    Sessions,
    SessionsLost,
    Truth,
)
from ussd_gateway.ussd.routes import Routes
from ussd_gateway.ussd.turn.acting import Acting
from ussd_gateway.ussd.turn.beginning import Beginning
from ussd_gateway.ussd.turn.counting import Counting
from ussd_gateway.ussd.turn.going_on import GoingOn
from ussd_gateway.ussd.turn.hop import Hop, all_of, ended, said, who
from ussd_gateway.ussd.turn.keeping import Keeping
from ussd_gateway.ussd.turn.recording import Recorder
from ussd_gateway.ussd.turn.replying import Replying
from ussd_gateway.ussd.versions import Packs

log = structlog.get_logger()


class Turn:
    def __init__(
        self,
        *,
        packs: Packs,
        routes: Routes,
        actions: Mapping[str, Action],
        sessions: Sessions,
        profiles: Profiles,
        truth: Truth,
        counting: Counting,
        recorder: Recorder,
        clock: Clock,
        random: Random,
        mac_key: bytes,
    ) -> None:
        """`mac_key` hashes the texts of sessions, in every process alike."""
        self._packs = packs
        self._routes = routes
        self._profiles = profiles
        self._clock = clock
        acting = Acting(packs, actions, clock)
        self._keeping = Keeping(sessions, clock, mac_key)
        self._replying = Replying(
            packs, self._keeping, counting, profiles=profiles, truth=truth, clock=clock
        )
        self._beginning = Beginning(
            packs, acting, profiles=profiles, truth=truth, random=random, recorder=recorder
        )
        self._going_on = GoingOn(
            packs,
            acting,
            self._keeping,
            beginning=self._beginning,
            replying=self._replying,
            truth=truth,
            recorder=recorder,
        )
        # Tells this Turn's locks from other processes'. It is kept nowhere after the hop.
        self._instance = secrets.token_hex(6)
        self._holders = itertools.count()

    def answer(self, request: Request) -> Reply:
        pack = self._pack(request)
        if pack is None:
            return self._not_served(request)

        hop = Hop(
            request=request,
            route=self._routes.by_name[request.route],
            pack=pack,
            program=self._packs.known(pack),
            origin=Origin(request.route, request.session_id, request.msisdn),
            holder=f"{self._instance}.{next(self._holders)}",
            began=self._clock.now(),
        )
        try:
            loaded = self._keeping.load(hop)
        except SessionsLost as lost:
            log.error("sessions.lost", on="load", reason=str(lost), **who(request))
            return self._replying.say(hop, hop.program.notices.dial_again)
        try:
            return self._found(hop, loaded)
        except BooksLost as lost:
            log.error("books.lost", reason=str(lost), **who(request))
            notices = hop.program.notices
            screen = said(hop.program, notices.dial_again if hop.sure else notices.checking)
            if loaded.held not in (Held.FRESH, Held.LOCKED):
                return self._replying.replied(hop, screen)
            # Kept, so that the lock is given back: a repeat need not wait for it to lapse.
            hop.number = loaded.hop + 1
            return self._replying.keep(hop, ended(screen, all_of(request)))

    def broken(self, request: Request) -> Reply:
        """What a person sees when we are at fault ourselves: nobody knows how far it got."""
        pack = self._pack(request)
        if pack is None:
            return self._not_served(request)
        program = self._packs.known(pack)
        screen = said(program, program.notices.checking)
        return Reply(screen.text, screen.ends)

    def ended(
        self, route: str, session_id: SessionId, *, status: str, hops: int, duration_ms: int
    ) -> None:
        """The aggregator says that a session is over. Its row lapses by itself: a repeat that
        is still on its way gets its reply, and a session that ended moves nothing."""
        log.info(
            "session.ended",
            route=route,
            session=session_id,
            status=status,
            hops=hops,
            duration_ms=duration_ms,
        )

    def _found(self, hop: Hop, loaded: Loaded) -> Reply:
        match loaded.held:
            case Held.FRESH:
                return self._replying.keep(hop, self._beginning.begin(hop, loaded))
            case Held.LOCKED:
                return self._going_on.go_on(hop, loaded)
            case Held.ANSWERED:
                return self._going_on.repeat(hop, loaded)
            case Held.MOVED:
                log.warning("turn.anomaly", reason="its place is taken", **who(hop.request))
                return self._replying.say(hop, hop.program.notices.dial_again)
            case Held.BUSY:
                # The twin may be moving money still: nothing can be said of it but that.
                log.error("turn.twin_never_answered", **who(hop.request))
                return self._replying.say(hop, hop.program.notices.checking)

    def _pack(self, request: Request) -> str | None:
        """Of its service code. Where it goes on without one, that of its session will do, and
        until that is known any."""
        if not request.service_code and request.begins is False:
            return next(iter(self._routes.service_codes.values()), None)
        return self._routes.service_codes.get(request.service_code)

    def _not_served(self, request: Request) -> Reply:
        # Only how it begins: a person may have dialled a PIN behind it.
        code = "*".join(request.service_code.split("*")[:2])
        log.warning("turn.not_served", code=code, **who(request))
        try:
            language = self._profiles.profile(request.msisdn).language
        except BooksLost:
            language = None
        return Reply(self._routes.says_not_served(language), ends=True)
