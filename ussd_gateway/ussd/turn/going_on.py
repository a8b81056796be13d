"""How a session goes on: with its next input, in the version that took the place of its own, or
not at all; and what is said to a callback that was answered before."""

from contextlib import suppress
from dataclasses import replace

import structlog

from ussd_gateway.ports import BooksLost, Loaded, Reply, Truth
from ussd_gateway.ussd import engine
from ussd_gateway.ussd.events import Screen, Session, Typed
from ussd_gateway.ussd.render import cost, render
from ussd_gateway.ussd.turn import heard, recording, row
from ussd_gateway.ussd.turn.acting import Acting
from ussd_gateway.ussd.turn.beginning import Beginning
from ussd_gateway.ussd.turn.heard import Span
from ussd_gateway.ussd.turn.hop import Hop, Shown, ended, pinned, who
from ussd_gateway.ussd.turn.keeping import Keeping
from ussd_gateway.ussd.turn.recording import Recorder
from ussd_gateway.ussd.turn.replying import Replying
from ussd_gateway.ussd.turn.row import Row
from ussd_gateway.ussd.versions import Packs

log = structlog.get_logger()


class GoingOn:
    def __init__(
        self,
        packs: Packs,
        acting: Acting,
        keeping: Keeping,
        *,
        beginning: Beginning,
        replying: Replying,
        truth: Truth,
        recorder: Recorder,
    ) -> None:
        self._packs = packs
        self._acting = acting
        self._keeping = keeping
        self._beginning = beginning
        self._replying = replying
        self._truth = truth
        self._recorder = recorder

    def go_on(self, hop: Hop, loaded: Loaded) -> Reply:
        request = hop.request
        hop.number = loaded.hop + 1
        hop.sure = not loaded.taken_over
        before = row.unpack(loaded.row)
        hop.began_in = before.program if before else ""
        if before is None or not self._follows(hop, before):
            reason = "does not follow" if before else "row not readable"
            return self._replying.refuse(hop, reason)
        hop.visit = before.visit
        offset = heard.fresh_from(before.heard) if hop.route.accumulates else 0
        hidden = (*before.heard.hidden, (offset, len(request.text) - offset))
        if before.session is None:
            return self._replying.keep(hop, ended(Screen(before.reply), hidden))
        found = pinned(hop, self._packs)
        if loaded.taken_over:
            settled = self._truth.settled(hop.origin)
            if settled is not None and settled.hop == hop.number:
                hop.known = settled.answer
        if not found and not hop.sure and hop.known is not None:
            return self._replying.refuse(hop, "its version is not to be found")
        if not found:
            return self._move_on(hop, before.session, hidden)
        return self._enter(hop, before, before.session, request.text[offset:], hidden)

    def repeat(self, hop: Hop, loaded: Loaded) -> Reply:
        hop.number = loaded.hop
        before = row.unpack(loaded.row)
        hop.began_in = before.program if before else ""
        if before is None or not self._is_repeat(hop, before):
            # The session itself is left alone: this is a callback from before, or not its own.
            log.warning("turn.anomaly", reason="does not follow", **who(hop.request))
            return self._replying.say(hop, hop.program.notices.dial_again)

        log.info("turn.repeated", hop=hop.number, **who(hop.request))
        screen = Screen(before.reply, ends=before.session is None)
        if screen.ends and hop.number == 1 and hop.request.text and hop.request.begins is None:
            # If Redis had lost the session while it paid, the books know better by now.
            with suppress(BooksLost):
                screen = self._replying.told(hop) or screen
        return Reply(screen.text, screen.ends)

    def _enter(
        self, hop: Hop, before: Row, session: Session, text: str, hidden: tuple[Span, ...]
    ) -> Reply:
        """What was typed, in the state that `before` left the session in. `hidden` counts it
        among what is kept nowhere."""
        program = hop.program
        waited_ms = max(0, self._keeping.now_ms() - before.at_ms)
        if waited_ms > program.idle_s * 1000:
            # It is kept for longer, for the phone that dials again.
            return self._replying.refuse(hop, "idle for too long")
        if hop.route.accumulates and heard.JOINT in text:
            return self._replying.refuse(hop, "more than one input")
        if hop.number > program.hops_max:
            notice = render(program.notices.too_many_hops, session.language, {})
            return self._replying.keep(hop, ended(Screen(notice), hidden))
        recording.enters(self._recorder, program, hop.request, session, text)
        takes = before.asks_of if engine.decides(session, text) else None
        if engine.starts_again(session, text):
            begun = replace(self._beginning.anew(hop, before.heard.hidden), takes=takes)
            return self._replying.keep(hop, begun)

        secret = engine.asks_secret(program, session)
        now, screen = self._acting.run(hop, session, Typed(text))
        # What was no answer may have been a PIN: of that, too, nothing is kept but its length.
        if not (secret or screen.rejected or session.paused):
            hidden = before.heard.hidden
        left = "" if session.paused else session.state
        asks_of = None if takes else before.asks_of
        shown = Shown(now, screen, hidden, asks_of, takes, left, waited_ms)
        return self._replying.keep(hop, shown)

    def _follows(self, hop: Hop, before: Row) -> bool:
        follows = self._keeping.extends(hop, before)
        return self._is_of_pack(hop, before) and follows

    def _is_repeat(self, hop: Hop, before: Row) -> bool:
        repeats = self._keeping.repeats(hop, before)
        return self._is_of_pack(hop, before) and repeats

    def _is_of_pack(self, hop: Hop, before: Row) -> bool:
        """Whether it is of the menus that the session began in; without a word, it is."""
        if not hop.request.service_code:
            hop.pack = before.pack
            hop.program = self._packs.known(hop.pack)
        return before.pack == hop.pack

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
        return self._replying.keep(hop, Shown(session, screen, hidden))
