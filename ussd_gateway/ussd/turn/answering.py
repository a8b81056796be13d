"""The ways in which a callback finds its session, and what is said on each."""

import itertools
import secrets
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import replace

import structlog

from ussd_gateway.ports import (
    Action,
    BooksLost,
    Clock,
    Held,
    Left,
    Loaded,
    Origin,
    Profile,
    Profiles,
    Random,
    Reply,
    Request,
    Saved,
    SessionId,
    Sessions,
    SessionsLost,
    Truth,
)
from ussd_gateway.ussd import engine
from ussd_gateway.ussd.events import (
    New,
    Redialled,
    Screen,
    Session,
    Typed,
)
from ussd_gateway.ussd.menu import Program, Secret, Text
from ussd_gateway.ussd.render import cost, render
from ussd_gateway.ussd.routes import Routes
from ussd_gateway.ussd.turn import dialled, heard, recording, row, telling
from ussd_gateway.ussd.turn.acting import Acting
from ussd_gateway.ussd.turn.counting import Counting
from ussd_gateway.ussd.turn.heard import Span
from ussd_gateway.ussd.turn.hop import Hop, Shown, carried, ended, who
from ussd_gateway.ussd.turn.keeping import Keeping
from ussd_gateway.ussd.turn.recording import Recorder
from ussd_gateway.ussd.turn.row import Row
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
        self._acting = Acting(packs, actions, clock)
        self._keeping = Keeping(sessions, clock, mac_key)
        self._profiles = profiles
        self._truth = truth
        self._counting = counting
        self._recorder = recorder
        self._clock = clock
        self._random = random
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
            return self._replied(hop, self._truth_or(hop, hop.program.notices.dial_again))
        try:
            return self._found(hop, loaded)
        except BooksLost as lost:
            log.error("books.lost", reason=str(lost), **who(request))
            notices = hop.program.notices
            screen = _said(hop.program, notices.dial_again if hop.sure else notices.checking)
            if loaded.held not in (Held.FRESH, Held.LOCKED):
                return self._replied(hop, screen)
            # Kept, so that the lock is given back: a repeat need not wait for it to lapse.
            hop.number = loaded.hop + 1
            return self._keep(hop, ended(screen, _all(request)))

    def broken(self, request: Request) -> Reply:
        """What a person sees when we are at fault ourselves: nobody knows how far it got."""
        pack = self._pack(request)
        if pack is None:
            return self._not_served(request)
        program = self._packs.known(pack)
        screen = _said(program, program.notices.checking)
        return Reply(screen.text, screen.ends)

    def _pack(self, request: Request) -> str | None:
        """Of its service code. Where it goes on without one, that of its session will do, and
        until that is known any."""
        if not request.service_code and request.begins is False:
            return next(iter(self._routes.service_codes.values()), None)
        return self._routes.service_codes.get(request.service_code)

    def _found(self, hop: Hop, loaded: Loaded) -> Reply:
        match loaded.held:
            case Held.FRESH:
                return self._first(hop, loaded)
            case Held.LOCKED:
                return self._next(hop, loaded)
            case Held.ANSWERED:
                return self._repeated(hop, loaded)
            case Held.MOVED:
                log.warning("turn.anomaly", reason="its place is taken", **who(hop.request))
                return self._replied(hop, self._truth_or(hop, hop.program.notices.dial_again))
            case Held.BUSY:
                # The twin may be moving money still: nothing can be said of it but that.
                log.error("turn.twin_never_answered", **who(hop.request))
                return self._replied(hop, self._truth_or(hop, hop.program.notices.checking))

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

    # --- the four ways a callback finds its session

    def _first(self, hop: Hop, loaded: Loaded) -> Reply:
        request = hop.request
        # A session that was lost may have paid: one of this name, or one that its phone left.
        plain = request.begins is True or not (request.text or request.begins is False)
        hop.sure = plain and not loaded.lost
        live = self._packs.live(hop.pack, msisdn=request.msisdn, route=request.route)
        program = hop.program = live
        hop.number = 1
        hop.visit = str(self._random.uuid7())
        profile = self._profiles.profile(request.msisdn)
        recording.dials(self._recorder, program, request, profile)
        # A session that Redis lost looks as if all of it had just been dialled; or its
        # aggregator knows that it goes on.
        may_be_lost = request.begins is False or (request.text and request.begins is None)
        settled = self._truth.settled(hop.origin) if may_be_lost else None
        if settled is not None:
            shown = ended(telling.tell(program, settled, profile.language), _all(request))
        elif request.begins is False:
            again = _said(program, program.notices.dial_again, profile.language)
            shown = ended(again, _all(request))
        else:
            shown = self._redialled(hop, loaded, profile) or self._begin(
                hop, engine.begin(program, profile)
            )
        return self._keep(hop, shown)

    def _next(self, hop: Hop, loaded: Loaded) -> Reply:
        request = hop.request
        hop.number = loaded.hop + 1
        hop.sure = not loaded.taken_over
        before = row.unpack(loaded.row)
        hop.began_in = before.program if before else ""
        if before is None or not self._follows(hop, before):
            return self._refuse(hop, "does not follow" if before else "row not readable")
        hop.visit = before.visit
        offset = heard.fresh_from(before.heard) if hop.route.accumulates else 0
        rest = (offset, len(request.text) - offset)
        if before.session is None:
            return self._keep(hop, ended(Screen(before.reply), (*before.heard.hidden, rest)))
        pinned = self._pinned(hop)
        if loaded.taken_over:
            settled = self._truth.settled(hop.origin)
            if settled is not None and settled.hop == hop.number:
                hop.known = settled.answer
        if not pinned and not hop.sure and hop.known is not None:
            return self._refuse(hop, "its version is not to be found")
        if not pinned:
            return self._move_on(hop, before.session, (*before.heard.hidden, rest))

        program = hop.program
        waited_ms = max(0, self._keeping.now_ms() - before.at_ms)
        if waited_ms > program.idle_s * 1000:
            # It is kept for longer, for the phone that dials again.
            return self._refuse(hop, "idle for too long")
        text = request.text[offset:]
        if hop.route.accumulates and heard.JOINT in text:
            return self._refuse(hop, "more than one input")
        if hop.number > program.hops_max:
            notice = render(program.notices.too_many_hops, before.session.language, {})
            return self._keep(hop, ended(Screen(notice), (*before.heard.hidden, rest)))
        recording.enters(self._recorder, program, request, before.session, text)
        takes = _left(before) if engine.decides(before.session, text) else None
        if engine.starts_again(before.session, text):
            begun = replace(self._begin_anew(hop, before.heard.hidden), takes=takes)
            return self._keep(hop, begun)

        secret = engine.asks_secret(program, before.session)
        session, screen = self._acting.run(hop, before.session, Typed(text))
        # What was no answer may have been a PIN: of that, too, nothing is kept but its length.
        hides = secret or screen.rejected or before.session.paused
        hidden = (*before.heard.hidden, rest) if hides else before.heard.hidden
        left = "" if before.session.paused else before.session.state
        asks_of = None if takes else _left(before)
        shown = Shown(session, screen, hidden, asks_of, takes, left, waited_ms)
        return self._keep(hop, shown)

    def _follows(self, hop: Hop, before: Row) -> bool:
        follows = self._keeping.extends(hop, before)
        return self._is_of_pack(hop, before) and follows

    def _is_of_pack(self, hop: Hop, before: Row) -> bool:
        """Whether it is of the menus that the session began in; without a word, it is."""
        if not hop.request.service_code:
            hop.pack = before.pack
            hop.program = self._packs.known(hop.pack)
        return before.pack == hop.pack

    def _is_repeat(self, hop: Hop, before: Row) -> bool:
        repeats = self._keeping.repeats(hop, before)
        return self._is_of_pack(hop, before) and repeats

    def _redialled(self, hop: Hop, loaded: Loaded, profile: Profile) -> Shown | None:
        """Asks whether to go on with the session that this phone has left open; or says what
        came of it. None where there is none. A dialled string is an answer by itself."""
        lost = row.unpack(loaded.lost) if loaded.lost and not hop.request.text else None
        if lost is None or lost.session is None or lost.pack != hop.pack:
            return None
        # An aggregator may have given its name to another phone's session since.
        if lost.session.values.get("me.msisdn") != hop.request.msisdn:
            return None
        program = self._packs.pinned(lost.pack, lost.program)
        if program is None or program.resume_s == 0:
            return None

        # One that only asked itself has nothing to go on with but what it asked about.
        left = _left(lost) or Left(lost.route, SessionId(lost.session_id), loaded.lost_hop)
        if isinstance(program.states[lost.session.state], Secret):
            origin = Origin(left.route, left.session_id, hop.request.msisdn)
            settled = self._truth.settled(origin)
            told = telling.told_end(program, settled, profile.language) if settled else None
            if told is not None:
                return replace(ended(told, ()), takes=left)
            if loaded.lost_held:
                # Its PIN is being answered in this moment: nothing else can be said of it.
                return ended(_said(program, program.notices.checking, profile.language), ())
        if not engine.can_resume(program, lost.session):
            return None
        hop.program = program
        session, screen = self._acting.run(hop, lost.session, Redialled(engine.about(profile)))
        return Shown(session, screen, (), asks_of=left)

    def _begin_anew(self, hop: Hop, hidden: tuple[Span, ...]) -> Shown:
        """The live version, as if the phone had never been lost."""
        request = hop.request
        hop.program = self._packs.live(hop.pack, msisdn=request.msisdn, route=request.route)
        hop.began_in = ""
        begun = engine.begin(hop.program, self._profiles.profile(request.msisdn))
        session, screen = self._acting.run(hop, begun, New())
        return Shown(session, screen, hidden)

    def _move_on(self, hop: Hop, session: Session, hidden: tuple[Span, ...]) -> Reply:
        """The version that the session began in is no more: it goes on in its successor."""
        request = hop.request
        old = self._packs.retired(hop.pack, hop.began_in)
        live = self._packs.live(hop.pack, msisdn=request.msisdn, route=request.route)
        log.info("turn.moved", was=hop.began_in, now=live.digest, **who(request))
        hop.program, hop.began_in = live, ""
        step = engine.moved(live, session, old, hop.route.septets_max)
        session, screen = self._acting.settled(hop, step)
        changed = live.notices.menu_changed
        text = f"{render(changed, session.language, {})}\n{screen.text}"
        # What a `map` leads to by a call can be a full screen: that says enough by itself.
        if cost(text, wide=session.language in changed.wide) <= hop.route.septets_max:
            screen = Screen(text, screen.ends)
        return self._keep(hop, Shown(session, screen, hidden))

    def _repeated(self, hop: Hop, loaded: Loaded) -> Reply:
        hop.number = loaded.hop
        before = row.unpack(loaded.row)
        hop.began_in = before.program if before else ""
        if before is None or not self._is_repeat(hop, before):
            # The session itself is left alone: this is a callback from before, or not its own.
            log.warning("turn.anomaly", reason="does not follow", **who(hop.request))
            return self._replied(hop, self._truth_or(hop, hop.program.notices.dial_again))

        log.info("turn.repeated", hop=hop.number, **who(hop.request))
        screen = Screen(before.reply, ends=before.session is None)
        if screen.ends and hop.number == 1 and hop.request.text and hop.request.begins is None:
            # If Redis had lost the session while it paid, the books know better by now.
            with suppress(BooksLost):
                screen = self._told(hop) or screen
        return Reply(screen.text, screen.ends)

    def _pinned(self, hop: Hop) -> bool:
        """Goes on in the version that the session began in; False where it is not to be
        found. Raises BooksLost."""
        if hop.began_in and hop.began_in != hop.program.digest:
            found = self._packs.pinned(hop.pack, hop.began_in)
            if found is None:
                return False
            hop.program = found
        return True

    def _refuse(self, hop: Hop, reason: str) -> Reply:
        """Ends a session whose text cannot be what was typed."""
        log.warning("turn.anomaly", reason=reason, **who(hop.request))
        notices = hop.program.notices
        screen = self._truth_or(hop, notices.dial_again if hop.sure else notices.checking)
        return self._keep(hop, ended(screen, _all(hop.request)))

    def _not_served(self, request: Request) -> Reply:
        # Only how it begins: a person may have dialled a PIN behind it.
        code = "*".join(request.service_code.split("*")[:2])
        log.warning("turn.not_served", code=code, **who(request))
        try:
            language = self._profiles.profile(request.msisdn).language
        except BooksLost:
            language = None
        return Reply(self._routes.says_not_served(language), ends=True)

    # --- steps

    def _begin(self, hop: Hop, session: Session) -> Shown:
        session, screen = self._acting.run(hop, session, New())
        if not hop.request.text:
            return Shown(session, screen, ())
        if screen.ends:
            return ended(screen, _all(hop.request))
        return self._dial(hop, session, screen)

    def _dial(self, hop: Hop, session: Session, screen: Screen) -> Shown:
        """What was dialled, as far as it goes: never into a secret, nor on after bad input."""
        program, text = hop.program, hop.request.text
        jump = dialled.shortcut(program, session, text)
        if jump is not None:
            session, screen = self._acting.run(hop, session, jump)
            return Shown(session, screen, ())

        for offset, token in dialled.tokens(text):
            rest = ((offset, len(text) - offset),)
            if screen.rejected or screen.ends:
                return Shown(session, screen, rest)
            if engine.asks_secret(program, session):
                notice = render(program.notices.pin_dialled, session.language, {})
                return ended(Screen(notice), rest)
            session, screen = self._acting.run(hop, session, Typed(token))
        return Shown(session, screen, ())

    # --- what is kept, and said

    def _keep(self, hop: Hop, shown: Shown) -> Reply:
        """Saves what the hop came to, and replies."""
        saved = self._keeping.save(hop, shown)
        if saved in (Saved.HELD, Saved.GONE_ON):
            assert shown.takes is not None, "only what is taken can have gone on"
            shown = ended(self._came_of(hop, shown.takes, saved), shown.hidden)
            self._keeping.save(hop, shown)
        self._count(hop, shown)
        return self._replied(hop, shown.screen, shown.session)

    def _came_of(self, hop: Hop, left: Left, saved: Saved) -> Screen:
        """The END about a session that has gone on since its phone was asked about it."""
        notices = hop.program.notices
        otherwise = notices.checking if saved is Saved.HELD else notices.dial_again
        of = replace(hop, origin=Origin(left.route, left.session_id, hop.request.msisdn))
        return self._truth_or(of, otherwise)

    def _count(self, hop: Hop, shown: Shown) -> None:
        program, screen, session = hop.program, shown.screen, shown.session
        entered = ""
        if session is not None and not session.paused and not screen.rejected:
            entered = session.state
        self._counting.hop(
            program.name,
            program.digest,
            left=shown.left,
            wrong=screen.rejected,
            waited_ms=shown.left_ms,
            entered=entered,
        )

    def _replied(self, hop: Hop, screen: Screen, session: Session | None = None) -> Reply:
        took = self._clock.now() - hop.began
        log.info(
            "turn.replied",
            hop=hop.number,
            screen=session.state if session else None,
            ends=screen.ends,
            ms=round(took.total_seconds() * 1000),
            **who(hop.request),
        )
        return carried(hop.route, screen)

    def _truth_or(self, hop: Hop, otherwise: Text) -> Screen:
        """The END that the books know of for this session, or else this one."""
        program = hop.program
        try:
            wished = self._profiles.profile(hop.request.msisdn).language
            return self._told(hop) or _said(program, otherwise, wished)
        except BooksLost as lost:
            log.error("books.lost", reason=str(lost), **who(hop.request))
            return _said(program, program.notices.checking)

    def _told(self, hop: Hop) -> Screen | None:
        """What the books say was answered to this session; None where they know nothing."""
        settled = self._truth.settled(hop.origin)
        if settled is None:
            return None
        if not self._pinned(hop):
            hop.program = self._packs.retired(hop.pack, hop.began_in) or hop.program
        wished = self._profiles.profile(hop.request.msisdn).language
        return telling.tell(hop.program, settled, wished)


def _said(program: Program, notice: Text, wished: str | None = None) -> Screen:
    return Screen(render(notice, program.language(wished), {}), ends=True)


def _left(row: Row) -> Left | None:
    """The session that this one asks about, if it does."""
    if row.left is None:
        return None
    route, session_id, hop = row.left
    return Left(route, SessionId(session_id), hop)


def _all(request: Request) -> tuple[Span, ...]:
    return ((0, len(request.text)),)
