"""Acts for a step until there is a screen: actions, their time, and those that are stopped."""

from collections.abc import Mapping

import structlog

from ussd_gateway.ports import TIMEOUT, UNKNOWN, Action, Answer, BooksLost, Call, Clock
from ussd_gateway.ussd import engine
from ussd_gateway.ussd.events import Answered, Event, Screen, Session, Step, Wanted
from ussd_gateway.ussd.render import render
from ussd_gateway.ussd.turn.hop import Hop, who
from ussd_gateway.ussd.versions import Packs

# A hop has answered by then, its actions included: before the lease on its session lapses.
hop_s_max = 7.0
# What is left to carry the answer to the aggregator before it gives up.
answer_margin_s = 1.0
# A hop that was dialled can pass several states that call; the last ones are told `timeout`.
calls_max = 4

log = structlog.get_logger()


class Acting:
    def __init__(self, packs: Packs, actions: Mapping[str, Action], clock: Clock) -> None:
        self._packs = packs
        self._actions = actions
        self._clock = clock

    def run(self, hop: Hop, session: Session, event: Event) -> tuple[Session, Screen]:
        step = engine.step(hop.program, session, event, hop.route.septets_max)
        return self.settled(hop, step)

    def settled(self, hop: Hop, step: Step) -> tuple[Session, Screen]:
        """Acts until there is a screen."""
        session, shown = step
        # Ends: states that call come to a screen, whatever they are answered (lint, E07).
        while isinstance(shown, Wanted):
            if shown.secret is not None and hop.known is not None:
                answer, hop.known = hop.known, None
            elif self._is_stopped(shown.action):
                return session, self._not_now(hop, session, shown)
            else:
                answer = self._act(hop, shown)
            session, shown = engine.step(
                hop.program, session, Answered(answer), hop.route.septets_max
            )
        return session, shown

    def _not_now(self, hop: Hop, session: Session, wanted: Wanted) -> Screen:
        """Where somebody before us may have asked for it, nobody can say that it was not."""
        notices = hop.program.notices
        unsure = wanted.secret is not None and not hop.sure
        notice = notices.checking if unsure else notices.not_now
        return Screen(render(notice, session.language, {}), ends=True)

    def _is_stopped(self, action: str) -> bool:
        """Of `send_money.quote`, also by its first word."""
        stopped = self._packs.stopped()
        return action in stopped or action.partition(".")[0] in stopped

    def _act(self, hop: Hop, wanted: Wanted) -> Answer:
        left_s = self._left_s(hop)
        hop.calls += 1
        if left_s <= 0 or hop.calls > calls_max:
            log.error("turn.no_time_to_act", action=wanted.action, **who(hop.request))
            return self._none(hop, wanted)

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
            log.error("books.lost", on=wanted.action, reason=str(lost), **who(hop.request))
            return self._none(hop, wanted)
        assert answer.outcome in action.outcomes, f"{action.name}: outcome {answer.outcome}"
        return answer

    def _none(self, hop: Hop, wanted: Wanted) -> Answer:
        """No answer, to what was not asked. Somebody before us may have asked it."""
        outcomes = self._actions[wanted.action].outcomes
        unsure = wanted.secret is not None and not hop.sure and UNKNOWN in outcomes
        return Answer(UNKNOWN if unsure else TIMEOUT, {})

    def _left_s(self, hop: Hop) -> float:
        """Seconds until this hop must have its answer."""
        now = self._clock.now()
        since_locked_s = (now - (hop.locked or hop.began)).total_seconds()
        since_asked_s = (now - hop.began).total_seconds()
        route_s = hop.route.answer_within_s - answer_margin_s
        return min(hop_s_max - since_locked_s, route_s - since_asked_s)
