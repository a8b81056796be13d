"""Every no has its words: a screen for each Reason. The loader sees to the languages."""

from ussd_gateway import app
from ussd_gateway.domain.refusals import Reason
from ussd_gateway.settings import Settings
from ussd_gateway.ussd.menu import Call, Secret


def test_every_reason_has_a_screen_in_the_customers_pack() -> None:
    settings = Settings()
    engine, clock = app.database(settings), app.clock(settings)
    ledger = app.writer(settings, engine, clock)
    pack = app.packs(settings, app.actions(settings, engine, ledger, clock))["customer"]
    shown = {
        outcome
        for state in pack.states.values()
        if isinstance(state, Call | Secret)
        for outcome in state.act.outcomes
    }

    assert {reason.value for reason in Reason} <= shown
