"""What is kept of a hop and said at its end; and what the books know, where no session does."""

from dataclasses import replace

import structlog

from ussd_gateway.ports import BooksLost, Clock, Left, Origin, Profiles, Reply, Saved, Truth
from ussd_gateway.ussd.events import Screen, Session
from ussd_gateway.ussd.menu import Text
from ussd_gateway.ussd.turn import telling
from ussd_gateway.ussd.turn.counting import Counting
from ussd_gateway.ussd.turn.hop import Hop, Shown, all_of, carried, ended, pinned, said, who
from ussd_gateway.ussd.turn.keeping import Keeping
from ussd_gateway.ussd.versions import Packs

log = structlog.get_logger()


class Replying:
    def __init__(
        self,
        packs: Packs,
        keeping: Keeping,
        counting: Counting,
        *,
        profiles: Profiles,
        truth: Truth,
        clock: Clock,
    ) -> None:
        self._packs = packs
        self._keeping = keeping
        self._counting = counting
        self._profiles = profiles
        self._truth = truth
        self._clock = clock

    def keep(self, hop: Hop, shown: Shown) -> Reply:
        """Saves what the hop came to, and replies."""
        saved = self._keeping.save(hop, shown)
        if saved in (Saved.HELD, Saved.GONE_ON):
            assert shown.takes is not None, "only what is taken can have gone on"
            shown = ended(self._came_of(hop, shown.takes, saved), shown.hidden)
            self._keeping.save(hop, shown)
        self._count(hop, shown)
        return self.replied(hop, shown.screen, shown.session)

    def refuse(self, hop: Hop, reason: str) -> Reply:
        """Ends a session whose text cannot be what was typed."""
        log.warning("turn.anomaly", reason=reason, **who(hop.request))
        notices = hop.program.notices
        screen = self._truth_or(hop, notices.dial_again if hop.sure else notices.checking)
        return self.keep(hop, ended(screen, all_of(hop.request)))

    def say(self, hop: Hop, otherwise: Text) -> Reply:
        """The truth, or else this; the session itself is left alone."""
        return self.replied(hop, self._truth_or(hop, otherwise))

    def replied(self, hop: Hop, screen: Screen, session: Session | None = None) -> Reply:
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

    def told(self, hop: Hop) -> Screen | None:
        """What the books say was answered to this session; None where they know nothing."""
        settled = self._truth.settled(hop.origin)
        if settled is None:
            return None
        if not pinned(hop, self._packs):
            hop.program = self._packs.retired(hop.pack, hop.began_in) or hop.program
        wished = self._profiles.profile(hop.request.msisdn).language
        return telling.tell(hop.program, settled, wished)

    def _truth_or(self, hop: Hop, otherwise: Text) -> Screen:
        """The END that the books know of for this session, or else this one."""
        program = hop.program
        try:
            wished = self._profiles.profile(hop.request.msisdn).language
            return self.told(hop) or said(program, otherwise, wished)
        except BooksLost as lost:
            log.error("books.lost", reason=str(lost), **who(hop.request))
            return said(program, program.notices.checking)

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
