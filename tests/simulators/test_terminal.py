import asyncio
import io

import pytest
from textual.widgets import Input, Static

from ussd_gateway.domain.msisdn import Msisdn
from ussd_gateway.settings import load
from ussd_gateway.simulators.handset import Handset
from ussd_gateway.simulators.terminal import LinePhone, PhoneApp, RemoteInbox, run_phone

from .stand_in import COMMIT, HOME, SENT, StandIn
from .test_sms_api import SimulatedSms

AMINA = Msisdn("+254711000001")
NO_SIMULATOR = "http://127.0.0.1:9"


def typed(gateway: StandIn, simulator_url: str, lines: str, dial: str | None) -> str:
    out = io.StringIO()
    phone = LinePhone(
        Handset(gateway.callback_url, AMINA), RemoteInbox(simulator_url, AMINA), out
    )
    phone.run(lines.splitlines(), dial)
    return out.getvalue()


def test_lines_from_a_script_are_replies(gateway: StandIn) -> None:
    shown = typed(gateway, NO_SIMULATOR, "1\n0711000002\n500\n", "*384#")

    assert shown == f"{HOME}\n\nEnter phone number\n\nEnter amount\n\n{COMMIT}\n\n"
    assert [event["status"] for event in gateway.events] == ["Incomplete"]


def test_without_a_session_a_line_is_dialled(gateway: StandIn) -> None:
    assert typed(gateway, NO_SIMULATOR, "*384#\n/repeat\n/hangup\n/repeat\n*501#\n", None) == (
        f"{HOME}\n\n(identical answer)\n{HOME}\n(hung up)\n(nothing to repeat)\n"
        "External application down. Please try again later.\n"
        "(Response should start with a CON or an END)\n"
    )


def test_new_messages_are_printed_at_the_end_and_old_ones_are_not(
    gateway: StandIn, simulator_url: str
) -> None:
    SimulatedSms(simulator_url).send("old", [AMINA], "PESA")
    out = io.StringIO()
    phone = LinePhone(
        Handset(gateway.callback_url, AMINA), RemoteInbox(simulator_url, AMINA), out
    )
    SimulatedSms(simulator_url).send("new", [AMINA], "PESA")
    phone.run([], "*384*1*0711000002*500*4826#")

    assert out.getvalue() == f"{SENT}\nSMS from PESA: new\n"


def test_a_line_of_a_script_is_sent_by_sms(gateway: StandIn) -> None:
    gateway.texts_refused = 1
    assert typed(gateway, NO_SIMULATOR, "/text BAL\n", None) == "(HTTP status 503)\n"
    out = io.StringIO()
    handset = Handset(gateway.callback_url, AMINA)
    phone = LinePhone(handset, RemoteInbox(NO_SIMULATOR, AMINA), out)
    phone.run(["/text CHECK QCM7HK2P9X"], None)

    assert out.getvalue() == "(sent)\n"
    assert [sent["text"] for sent in gateway.texts] == ["CHECK QCM7HK2P9X"]


def test_the_full_screen_phone_dials_replies_repeats_and_hangs_up(
    gateway: StandIn, simulator_url: str
) -> None:
    SimulatedSms(simulator_url).send("Karibu [Amina]", [AMINA], "PESA")

    async def use() -> None:
        app = PhoneApp(
            Handset(gateway.callback_url, AMINA), RemoteInbox(simulator_url, AMINA), "*384#"
        )

        def shows(widget: str, text: str) -> bool:
            return text in str(app.query_one(widget, Static).render())

        async with app.run_test() as pilot:

            async def until(widget: str, text: str) -> None:
                for _ in range(100):
                    if app.query(widget) and shows(widget, text):
                        return
                    await pilot.pause(0.05)
                raise AssertionError(f"{widget} never showed {text!r}")

            await until("#screen", "1. Send money")
            assert app.query_one("#typed", Input).value == ""
            await pilot.press("1", "enter")
            await until("#screen", "Enter phone number")
            await pilot.press("ctrl+r")
            await until("#state", "Identical answer")
            await until(".message", "Karibu [Amina]")
            await pilot.press("escape")
            await until("#state", "Enter dials")
            assert app.query_one("#typed", Input).value == "*384#"
            app.query_one("#typed", Input).value = "BAL"
            await pilot.press("ctrl+t")
            await until("#state", "SMS sent")
            assert [sent["text"] for sent in gateway.texts] == ["BAL"]
            await pilot.press("ctrl+q")

    asyncio.run(use())
    assert [sent["text"] for sent in gateway.callbacks] == ["", "1", "1"]
    assert [event["status"] for event in gateway.events] == ["Incomplete"]


def test_a_simulator_that_is_not_there_has_no_messages() -> None:
    assert RemoteInbox(NO_SIMULATOR, AMINA).messages() == []


@pytest.mark.parametrize("number", ["", "amina"])
def test_a_phone_needs_a_number(number: str) -> None:
    with pytest.raises(ValueError, match="not a phone number"):
        run_phone(load({}), number, None, "hubtel")


def test_a_phone_needs_a_route_that_there_is() -> None:
    with pytest.raises(ValueError, match="hubble is not a route: africastalking, hubtel,"):
        run_phone(load({}), AMINA, None, "hubble")
