"""Every no has its words: a screen for each Reason. The loader sees to the languages."""

from ussd_gateway import app
from ussd_gateway.domain.refusals import Reason
from ussd_gateway.settings import Settings
from ussd_gateway.ussd.menu import Call, Secret


def test_every_reason_has_a_screen() -> None:
    shown = {
        outcome
        for pack in app.unbound_packs(Settings()).values()
        for state in pack.states.values()
        if isinstance(state, Call | Secret)
        for outcome in state.act.outcomes
    }

    assert {reason.value for reason in Reason} <= shown
