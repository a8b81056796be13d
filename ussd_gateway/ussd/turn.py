"""One turn of a conversation: a callback in, a screen out, and what must be true of both.

    load and lock --FRESH-----> begin, and what was dialled ------> save --> reply
                  --LOCKED----> the next input, step, act, step --> save --> reply
                  --ANSWERED--> the same reply again
                  --BUSY------> wait for the twin, then the same reply

Where the session is lost, or the text is not what can follow, the session ends politely: with
the truth, where the books hold an answer for it, else with "nothing was charged". Input is
never logged, of no state; nor is the text of a screen.
"""

import itertools
import secrets
import time
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime

import structlog

from ussd_gateway.domain.msisdn import masked
from ussd_gateway.ports import (
    TIMEOUT,
    Action,
    Answer,
    BooksLost,
    Call,
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
from ussd_gateway.ussd import dialled, engine, heard, row
from ussd_gateway.ussd.events import Answered, Event, New, Screen, Session, Typed, Wanted
from ussd_gateway.ussd.heard import Span
from ussd_gateway.ussd.menu import Program, Text
from ussd_gateway.ussd.render import render
from ussd_gateway.ussd.routes import Routes
from ussd_gateway.ussd.row import Row
from ussd_gateway.ussd.versions import Packs

# A hop has answered by then, its actions included: before the lease on its session lapses.
hop_s_max = 7.0
# What is left to carry the answer to the aggregator before it gives up.
answer_margin_s = 1.0
# A hop that was dialled can pass several states that call; the last ones are told `timeout`.
calls_max = 4

# A twin is waited for until the lease of a killed one would have lapsed, and it is our turn.
twin_waits_s_max = 9.0
twin_wait_first_s = 0.02
twin_wait_longest_s = 0.25

log = structlog.get_logger()


@dataclass(slots=True)
class _Hop:
    """One callback while it is answered. Until its session is known, `number` is 0 and
    `program` the live one; `began_in` is the digest of the one that the session began in."""

    request: Request
    pack: str
    program: Program
    origin: Origin
    holder: str
    began: datetime
    number: int = 0
    visit: str = ""
    began_in: str = ""
    calls: int = 0
    locked: datetime | None = None


@dataclass(frozen=True, slots=True)
class _Shown:
    """What a hop came to. `hidden`: the parts of its text that are kept nowhere."""

    session: Session | None
    screen: Screen
    hidden: tuple[Span, ...]


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
        clock: Clock,
        random: Random,
        mac_key: bytes,
    ) -> None:
        """`mac_key` hashes the texts of sessions, in every process alike."""
        self._packs = packs
        self._routes = routes
        self._actions = actions
        self._sessions = sessions
        self._profiles = profiles
        self._truth = truth
        self._clock = clock
        self._random = random
        self._mac_key = mac_key
        # Tells this Turn's locks from other processes'. It is kept nowhere after the hop.
        self._instance = secrets.token_hex(6)
        self._holders = itertools.count()

    def answer(self, request: Request) -> Reply:
        pack = self._routes.service_codes.get(request.service_code)
        if pack is None:
            return self._not_served(request)

        hop = _Hop(
            request=request,
            pack=pack,
            program=self._packs.known(pack),
            origin=Origin(request.route, request.session_id, request.msisdn),
            holder=f"{self._instance}.{next(self._holders)}",
            began=self._clock.now(),
        )
        try:
            loaded = self._load(hop)
        except SessionsLost as lost:
            log.error("sessions.lost", on="load", reason=str(lost), **_who(request))
            return self._replied(hop, self._truth_or(hop, hop.program.notices.dial_again))
        try:
            return self._found(hop, loaded)
        except BooksLost as lost:
            # A look-up failed before anything was asked to move.
            log.error("books.lost", reason=str(lost), **_who(request))
            return self._replied(hop, _said(hop.program, hop.program.notices.dial_again))

    def broken(self, request: Request) -> Reply:
        """What a person sees when we are at fault ourselves: nobody knows how far it got."""
        program = self._packs.known(self._routes.service_codes[request.service_code])
        screen = _said(program, program.notices.checking)
        return Reply(screen.text, screen.ends)

    def _found(self, hop: _Hop, loaded: Loaded) -> Reply:
        match loaded.held:
            case Held.FRESH:
                return self._first(hop)
            case Held.LOCKED:
                return self._next(hop, loaded)
            case Held.ANSWERED:
                return self._repeated(hop, loaded)
            case Held.BUSY:
                # The twin may be moving money still: nothing can be said of it but that.
                log.error("turn.twin_never_answered", **_who(hop.request))
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

    def _first(self, hop: _Hop) -> Reply:
        request = hop.request
        program = hop.program = self._packs.live(hop.pack)
        hop.number = 1
        hop.visit = str(self._random.uuid7())
        profile = self._profiles.profile(request.msisdn)
        session = engine.begin(program, profile)
        # A session that Redis lost looks as if all of it had just been dialled.
        settled = self._truth.settled(hop.origin) if request.text else None
        if settled is not None:
            shown = _ended(engine.tell(program, settled, profile.language), _all(request))
        else:
            shown = self._begin(hop, session)
        return self._keep(hop, shown)

    def _next(self, hop: _Hop, loaded: Loaded) -> Reply:
        request = hop.request
        hop.number = loaded.hop + 1
        before = row.unpack(loaded.row)
        hop.began_in = before.program if before else ""
        if before is None or not heard.extends(self._mac_key, request, before.heard):
            return self._refuse(hop, "does not follow" if before else "row not readable")
        hop.visit = before.visit
        offset = heard.fresh_from(before.heard)
        rest = (offset, len(request.text) - offset)
        if before.session is None:
            return self._keep(hop, _ended(Screen(before.reply), (*before.heard.hidden, rest)))
        if not self._pinned(hop):
            return self._refuse(hop, "its version is not to be found")

        program = hop.program
        text = request.text[offset:]
        if heard.JOINT in text:
            return self._refuse(hop, "more than one input")
        if hop.number > program.hops_max:
            notice = render(program.notices.too_many_hops, before.session.language, {})
            return self._keep(hop, _ended(Screen(notice), (*before.heard.hidden, rest)))

        secret = engine.asks_secret(program, before.session)
        session, screen = self._run(hop, before.session, Typed(text))
        hidden = (*before.heard.hidden, rest) if secret else before.heard.hidden
        return self._keep(hop, _Shown(session, screen, hidden))

    def _repeated(self, hop: _Hop, loaded: Loaded) -> Reply:
        hop.number = loaded.hop
        before = row.unpack(loaded.row)
        hop.began_in = before.program if before else ""
        if before is None or not heard.repeats(self._mac_key, hop.request, before.heard):
            # The session itself is left alone: this is a callback from before, or not its own.
            log.warning("turn.anomaly", reason="does not follow", **_who(hop.request))
            return self._replied(hop, self._truth_or(hop, hop.program.notices.dial_again))

        log.info("turn.repeated", hop=hop.number, **_who(hop.request))
        screen = Screen(before.reply, ends=before.session is None)
        if screen.ends and hop.number == 1 and hop.request.text:
            # If Redis had lost the session while it paid, the books know better by now.
            with suppress(BooksLost):
                screen = self._told(hop) or screen
        return Reply(screen.text, screen.ends)

    def _pinned(self, hop: _Hop) -> bool:
        """Goes on in the version that the session began in; False where it is not to be
        found. Raises BooksLost."""
        if hop.began_in and hop.began_in != hop.program.digest:
            found = self._packs.pinned(hop.pack, hop.began_in)
            if found is None:
                return False
            hop.program = found
        return True

    def _refuse(self, hop: _Hop, reason: str) -> Reply:
        """Ends a session whose text cannot be what was typed."""
        log.warning("turn.anomaly", reason=reason, **_who(hop.request))
        screen = self._truth_or(hop, hop.program.notices.dial_again)
        return self._keep(hop, _ended(screen, _all(hop.request)))

    def _not_served(self, request: Request) -> Reply:
        log.warning("turn.not_served", code=request.service_code, **_who(request))
        try:
            language = self._profiles.profile(request.msisdn).language
        except BooksLost:
            language = None
        return Reply(self._routes.says_not_served(language), ends=True)

    # --- steps

    def _begin(self, hop: _Hop, session: Session) -> _Shown:
        session, screen = self._run(hop, session, New())
        if not hop.request.text:
            return _Shown(session, screen, ())
        if screen.ends:
            return _ended(screen, _all(hop.request))
        return self._dial(hop, session, screen)

    def _dial(self, hop: _Hop, session: Session, screen: Screen) -> _Shown:
        """What was dialled, as far as it goes: never into a secret, nor on after bad input."""
        program, text = hop.program, hop.request.text
        jump = dialled.shortcut(program, session, text)
        if jump is not None:
            session, screen = self._run(hop, session, jump)
            return _Shown(session, screen, ())

        for offset, token in dialled.tokens(text):
            rest = ((offset, len(text) - offset),)
            if screen.rejected or screen.ends:
                return _Shown(session, screen, rest)
            if engine.asks_secret(program, session):
                notice = render(program.notices.pin_dialled, session.language, {})
                return _ended(Screen(notice), rest)
            session, screen = self._run(hop, session, Typed(token))
        return _Shown(session, screen, ())

    def _run(self, hop: _Hop, session: Session, event: Event) -> tuple[Session, Screen]:
        session, shown = engine.step(hop.program, session, event)
        # Ends: states that call come to a screen, whatever they are answered (lint, E07).
        while isinstance(shown, Wanted):
            answer = self._act(hop, shown)
            session, shown = engine.step(hop.program, session, Answered(answer))
        return session, shown

    def _act(self, hop: _Hop, wanted: Wanted) -> Answer:
        left_s = self._left_s(hop)
        hop.calls += 1
        if left_s <= 0 or hop.calls > calls_max:
            log.error("turn.no_time_to_act", action=wanted.action, **_who(hop.request))
            return Answer(TIMEOUT, {})

        action = self._actions[wanted.action]
        call = Call(
            key=f"{hop.visit}:{wanted.state}:{hop.number}",
            origin=hop.origin,
            args=wanted.args,
            secret=wanted.secret,
            within_s=min(wanted.within_s, left_s),
        )
        try:
            answer = action.run(call)
        except BooksLost as lost:
            log.error("books.lost", on=wanted.action, reason=str(lost), **_who(hop.request))
            return Answer(TIMEOUT, {})
        assert answer.outcome in action.outcomes, f"{action.name}: outcome {answer.outcome}"
        return answer

    def _left_s(self, hop: _Hop) -> float:
        """Seconds until this hop must have its answer."""
        now = self._clock.now()
        since_locked_s = (now - (hop.locked or hop.began)).total_seconds()
        since_asked_s = (now - hop.began).total_seconds()
        route_s = self._routes.answer_within_s - answer_margin_s
        return min(hop_s_max - since_locked_s, route_s - since_asked_s)

    # --- what is kept, and said

    def _load(self, hop: _Hop) -> Loaded:
        """Loads the session, waiting while a twin of this callback is being answered."""
        loaded = self._load_once(hop)
        for wait_s in _twin_waits(self._routes.answer_within_s - answer_margin_s):
            if loaded.held is not Held.BUSY:
                break
            time.sleep(wait_s)
            loaded = self._load_once(hop)
        hop.locked = self._clock.now()
        return loaded

    def _load_once(self, hop: _Hop) -> Loaded:
        request = hop.request
        return self._sessions.load(
            request.route,
            request.session_id,
            input_length=len(request.text),
            holder=hop.holder,
        )

    def _keep(self, hop: _Hop, shown: _Shown) -> Reply:
        """Saves what the hop came to, and replies. What it came to is true, saved or not."""
        request = hop.request
        session = None if shown.screen.ends else shown.session
        kept = Row(
            hop.began_in or hop.program.digest,
            hop.visit,
            heard.remember(self._mac_key, request, shown.hidden),
            shown.screen.text,
            session,
        )
        try:
            saved = self._sessions.save(
                request.route,
                request.session_id,
                row=row.pack(kept),
                hop=hop.number,
                input_length=len(request.text),
                holder=hop.holder,
                idle_s=hop.program.idle_s,
            )
        except SessionsLost as lost:
            log.error("sessions.lost", on="save", reason=str(lost), **_who(request))
        else:
            if not saved:
                log.error("turn.unsaved", hop=hop.number, **_who(request))
        return self._replied(hop, shown.screen, shown.session)

    def _replied(self, hop: _Hop, screen: Screen, session: Session | None = None) -> Reply:
        took = self._clock.now() - hop.began
        log.info(
            "turn.replied",
            hop=hop.number,
            screen=session.state if session else None,
            ends=screen.ends,
            ms=round(took.total_seconds() * 1000),
            **_who(hop.request),
        )
        return Reply(screen.text, screen.ends)

    def _truth_or(self, hop: _Hop, otherwise: Text) -> Screen:
        """The END that the books know of for this session, or else this one."""
        program = hop.program
        try:
            wished = self._profiles.profile(hop.request.msisdn).language
            return self._told(hop) or _said(program, otherwise, wished)
        except BooksLost as lost:
            log.error("books.lost", reason=str(lost), **_who(hop.request))
            return _said(program, program.notices.checking)

    def _told(self, hop: _Hop) -> Screen | None:
        """What the books say was answered to this session; None where they know nothing."""
        settled = self._truth.settled(hop.origin)
        if settled is None:
            return None
        self._pinned(hop)
        wished = self._profiles.profile(hop.request.msisdn).language
        return engine.tell(hop.program, settled, wished)


def _said(program: Program, notice: Text, wished: str | None = None) -> Screen:
    return Screen(render(notice, program.language(wished), {}), ends=True)


def _ended(screen: Screen, hidden: tuple[Span, ...]) -> _Shown:
    return _Shown(None, Screen(screen.text, ends=True), hidden)


def _all(request: Request) -> tuple[Span, ...]:
    return ((0, len(request.text)),)


def _who(request: Request) -> dict[str, str]:
    return {
        "route": request.route,
        "session": request.session_id,
        "msisdn": masked(request.msisdn),
    }


def _twin_waits(route_s: float) -> Iterator[float]:
    waited_s, wait_s = 0.0, twin_wait_first_s
    while waited_s < min(twin_waits_s_max, route_s):
        yield wait_s
        waited_s += wait_s
        wait_s = min(wait_s * 1.5, twin_wait_longest_s)
