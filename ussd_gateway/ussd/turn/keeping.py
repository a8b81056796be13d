"""Sessions between hops: loaded and locked, saved and unlocked; twins are waited for."""

import time
from collections.abc import Iterator

import structlog

from ussd_gateway.ports import Clock, Held, Left, Loaded, Saved, Sessions, SessionsLost
from ussd_gateway.ussd.turn import heard, row
from ussd_gateway.ussd.turn.acting import answer_margin_s
from ussd_gateway.ussd.turn.hop import Hop, Shown, carried, who
from ussd_gateway.ussd.turn.row import Row

# A row lives on after the session could have gone on, for repeats that come late.
replay_window_s = 60

# A twin is waited for until the lease of a killed one would have lapsed, and it is our turn.
twin_waits_s_max = 9.0
twin_wait_first_s = 0.02
twin_wait_longest_s = 0.25

log = structlog.get_logger()


class Keeping:
    def __init__(self, sessions: Sessions, clock: Clock, mac_key: bytes) -> None:
        """`mac_key` hashes the texts of sessions, in every process alike."""
        self._sessions = sessions
        self._clock = clock
        self._mac_key = mac_key

    def extends(self, hop: Hop, before: Row) -> bool:
        """Whether more was typed after what was heard."""
        return heard.extends(self._mac_key, hop.request, hop.route, before.heard)

    def repeats(self, hop: Hop, before: Row) -> bool:
        """Whether this is the callback that was answered last, come again."""
        return heard.repeats(self._mac_key, hop.request, hop.route, before.heard)

    def load(self, hop: Hop) -> Loaded:
        """Waits while a twin of this callback is being answered. Raises SessionsLost."""
        loaded = self._load_once(hop)
        for wait_s in _twin_waits(hop.route.answer_within_s - answer_margin_s):
            if loaded.held is not Held.BUSY:
                break
            time.sleep(wait_s)
            loaded = self._load_once(hop)
        hop.locked = self._clock.now()
        return loaded

    def _load_once(self, hop: Hop) -> Loaded:
        request = hop.request
        return self._sessions.load(
            request.route,
            request.session_id,
            knock=heard.knock(self._mac_key, request, hop.route),
            phone=hop.phone,
            holder=hop.holder,
        )

    def save(self, hop: Hop, shown: Shown) -> Saved:
        """What the hop came to is true, saved or not; but where it takes the place of a session
        that has gone on meanwhile."""
        request, key, program = hop.request, self._mac_key, hop.program
        session = None if shown.screen.ends else shown.session
        reply = carried(hop.route, shown.screen)
        kept = Row(
            hop.pack,
            hop.began_in or program.digest,
            request.route,
            request.session_id,
            hop.visit,
            self.now_ms(),
            heard.remember(key, request, hop.route, shown.hidden),
            reply.text,
            session,
            _plain(shown.asks_of) if session is not None else None,
        )
        try:
            saved = self._sessions.save(
                request.route,
                request.session_id,
                row=row.pack(kept),
                hop=hop.number,
                knock=heard.knock(key, request, hop.route),
                mark=heard.mark(key, request, hop.route, secret=bool(shown.hidden)),
                phone=hop.phone,
                ended=session is None,
                takes=shown.takes,
                holder=hop.holder,
                kept_s=program.idle_s + max(program.resume_s, replay_window_s),
            )
        except SessionsLost as lost:
            log.error("sessions.lost", on="save", reason=str(lost), **who(request))
            return Saved.NOT_OURS
        if saved is Saved.NOT_OURS:
            log.error("turn.unsaved", hop=hop.number, **who(request))
        return saved

    def now_ms(self) -> int:
        return int(self._clock.now().timestamp() * 1000)


def _plain(left: Left | None) -> tuple[str, str, int] | None:
    return (left.route, left.session_id, left.hop) if left else None


def _twin_waits(route_s: float) -> Iterator[float]:
    waited_s, wait_s = 0.0, twin_wait_first_s
    while waited_s < min(twin_waits_s_max, route_s):
        yield wait_s
        waited_s += wait_s
        wait_s = min(wait_s * 1.5, twin_wait_longest_s)
