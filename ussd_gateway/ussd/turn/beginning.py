"""How a session begins: with its first screen, with all that was dialled, or with what its
phone has left open."""

from dataclasses import replace

from ussd_gateway.ports import (
    Left,
    Loaded,
    Origin,
    Profile,
    Profiles,
    Random,
    SessionId,
    Truth,
)
from ussd_gateway.ussd import engine
from ussd_gateway.ussd.events import New, Redialled, Screen, Session, Typed
from ussd_gateway.ussd.menu import Secret
from ussd_gateway.ussd.render import render
from ussd_gateway.ussd.turn import dialled, recording, row, telling
from ussd_gateway.ussd.turn.acting import Acting
from ussd_gateway.ussd.turn.heard import Span
from ussd_gateway.ussd.turn.hop import Hop, Shown, all_of, ended, said
from ussd_gateway.ussd.turn.recording import Recorder
from ussd_gateway.ussd.versions import Packs


class Beginning:
    def __init__(
        self,
        packs: Packs,
        acting: Acting,
        *,
        profiles: Profiles,
        truth: Truth,
        random: Random,
        recorder: Recorder,
    ) -> None:
        self._packs = packs
        self._acting = acting
        self._profiles = profiles
        self._truth = truth
        self._random = random
        self._recorder = recorder

    def begin(self, hop: Hop, loaded: Loaded) -> Shown:
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
            shown = ended(telling.tell(program, settled, profile.language), all_of(request))
        elif request.begins is False:
            again = said(program, program.notices.dial_again, profile.language)
            shown = ended(again, all_of(request))
        else:
            shown = self._redialled(hop, loaded, profile) or self._entered(
                hop, engine.begin(program, profile)
            )
        return shown

    def anew(self, hop: Hop, hidden: tuple[Span, ...]) -> Shown:
        """The live version, as if the phone had never been lost."""
        request = hop.request
        hop.program = self._packs.live(hop.pack, msisdn=request.msisdn, route=request.route)
        hop.began_in = ""
        begun = engine.begin(hop.program, self._profiles.profile(request.msisdn))
        session, screen = self._acting.run(hop, begun, New())
        return Shown(session, screen, hidden)

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
        left = lost.asks_of or Left(lost.route, SessionId(lost.session_id), loaded.lost_hop)
        if isinstance(program.states[lost.session.state], Secret):
            origin = Origin(left.route, left.session_id, hop.request.msisdn)
            settled = self._truth.settled(origin)
            told = telling.told_end(program, settled, profile.language) if settled else None
            if told is not None:
                return replace(ended(told, ()), takes=left)
            if loaded.lost_held:
                # Its PIN is being answered in this moment: nothing else can be said of it.
                return ended(said(program, program.notices.checking, profile.language), ())
        if not engine.can_resume(program, lost.session):
            return None
        hop.program = program
        session, screen = self._acting.run(hop, lost.session, Redialled(engine.about(profile)))
        return Shown(session, screen, (), asks_of=left)

    def _entered(self, hop: Hop, session: Session) -> Shown:
        session, screen = self._acting.run(hop, session, New())
        if not hop.request.text:
            return Shown(session, screen, ())
        if screen.ends:
            return ended(screen, all_of(hop.request))
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
