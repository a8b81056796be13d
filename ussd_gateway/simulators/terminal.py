"""A phone in the terminal: the same handset as on the page, with the keyboard for a keypad.

On a terminal it is a full-screen phone. Where stdin is a pipe or a file it reads lines instead,
so that scripts can use a phone:

    printf '1\\n0711000002\\n500\\n' | ussd-gateway phone --from +254711000001 --dial '*384#'

Without a session a line is dialled; in a session it is the reply. Lines that begin with `/` are
keys: /hangup, /repeat, /sms, and /text, which sends what stands behind it by SMS: `/text BAL`.
At the end of the input the phone hangs up.
"""

import asyncio
import sys
import time
from collections.abc import Iterable
from typing import ClassVar, TextIO

import requests
from rich.text import Text
from textual import work
from textual.app import App, ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical, VerticalScroll
from textual.widgets import Footer, Input, Label, Static

from ussd_gateway.domain.msisdn import Msisdn, local
from ussd_gateway.settings import Settings
from ussd_gateway.simulators.handset import Busy, Handset, NoSession, Screen, local_http
from ussd_gateway.simulators.main import callback_url, gateway_url
from ussd_gateway.simulators.page import parse_number
from ussd_gateway.simulators.vendors import VENDORS

FIRST_CODE = "*384#"
TEXT_KEY = "/text "

inbox_timeout_s = 2
sms_wait_max_s = 3.0
poll_s = 0.5
messages_shown_max = 20


class RemoteInbox:
    """A phone's messages, read from the simulator; none while the simulator is not there."""

    def __init__(self, simulator_url: str, msisdn: Msisdn) -> None:
        self._url = f"{simulator_url}/phones/{msisdn}/messages"
        self._http = local_http()

    def messages(self) -> list[dict[str, str]]:
        """Oldest first, each with `from`, `text` and `received_at`."""
        try:
            response = self._http.get(self._url, timeout=inbox_timeout_s)
        except requests.RequestException:
            return []
        return list(response.json()) if response.ok else []


def run_phone(settings: Settings, msisdn: str, dial: str | None, route: str) -> None:
    """Until the person leaves, or stdin ends. Raises ValueError where `msisdn` is no number, or
    there is no such route."""
    number = parse_number(msisdn)
    if number is None:
        raise ValueError(f"{msisdn} is not a phone number")
    if route not in VENDORS:
        raise ValueError(f"{route} is not a route: {', '.join(VENDORS)} are")

    url = callback_url(gateway_url(settings), settings.callback_tokens[0], route)
    handset = Handset(url, number)
    inbox = RemoteInbox(f"http://127.0.0.1:{settings.sim_port}", number)
    if sys.stdin.isatty():
        PhoneApp(handset, inbox, dial).run()
    else:
        LinePhone(handset, inbox, sys.stdout).run(sys.stdin, dial)


class LinePhone:
    """The phone for scripts: screens and messages as plain text, one input a line."""

    def __init__(self, handset: Handset, inbox: RemoteInbox, out: TextIO) -> None:
        self._handset = handset
        self._inbox = inbox
        self._out = out
        self._known = len(inbox.messages())

    def run(self, lines: Iterable[str], dial: str | None) -> None:
        if dial:
            self._show(self._handset.dial(dial))
        for line in lines:
            self._press(line.rstrip("\r\n"))
        self._handset.hang_up()

    def _press(self, line: str) -> None:
        match line:
            case "/hangup":
                self._handset.hang_up()
                self._say("(hung up)")
            case "/repeat":
                self._repeat()
            case "/sms":
                self._show_new(wait_s=0)
            case _ if line.startswith(TEXT_KEY):
                self._text(line.removeprefix(TEXT_KEY))
            case _ if self._handset.open:
                self._show(self._handset.enter(line))
            case "":
                pass
            case _:
                self._show(self._handset.dial(line))

    def _text(self, words: str) -> None:
        trouble = self._handset.text(words)
        self._say(f"({trouble})" if trouble else "(sent)")
        if not trouble:
            self._show_new(wait_s=sms_wait_max_s)

    def _repeat(self) -> None:
        try:
            again = self._handset.repeat()
        except NoSession:
            self._say("(nothing to repeat)")
            return
        self._say("(identical answer)" if again.identical else "(another answer)")
        self._say(again.screen.text)

    def _show(self, screen: Screen) -> None:
        self._say(screen.text)
        if screen.trouble:
            self._say(f"({screen.trouble})")
        elif screen.ends:
            self._show_new(wait_s=sms_wait_max_s)
        else:
            self._say("")

    def _show_new(self, *, wait_s: float) -> None:
        """Prints what came since; waits at most `wait_s` for a first message."""
        last_s = time.monotonic() + wait_s
        while len(messages := self._inbox.messages()) <= self._known:
            if time.monotonic() >= last_s:
                return
            time.sleep(poll_s)
        for message in messages[self._known :]:
            self._say(f"SMS from {message['from']}: {message['text']}")
        self._known = len(messages)

    def _say(self, text: str) -> None:
        print(text, file=self._out, flush=True)


class PhoneApp(App[None]):
    """The phone for people."""

    CSS = """
    Screen { align: center middle; }
    #table { max-width: 92; height: 22; }
    #phone { width: 40; border: round $primary; padding: 0 1; margin: 0 2 0 0; }
    #screen { height: 1fr; padding: 1 1; }
    #state { color: $text-muted; padding: 0 1; }
    #inbox { width: 1fr; border: round $secondary; padding: 0 1; }
    .message { margin: 0 0 1 0; }
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "hang_up", "Hang up", priority=True),
        Binding("ctrl+r", "repeat", "Repeat callback", priority=True),
        Binding("ctrl+t", "text", "Send as SMS", priority=True),
        Binding("ctrl+q", "quit", "Leave", priority=True),
    ]
    ENABLE_COMMAND_PALETTE = False

    def __init__(self, handset: Handset, inbox: RemoteInbox, dial: str | None) -> None:
        super().__init__()
        self._handset = handset
        self._remote = inbox
        self._dial = dial
        self._count = -1

    def compose(self) -> ComposeResult:
        with Horizontal(id="table"):
            with Vertical(id="phone") as phone:
                phone.border_title = local(Msisdn(self._handset.msisdn))
                phone.border_subtitle = self._handset.route
                yield Static(id="screen", markup=False)
                yield Label(id="state", markup=False)
                yield Input(id="typed")
            with VerticalScroll(id="inbox") as inbox:
                inbox.border_title = "Messages"
        yield Footer()

    def on_mount(self) -> None:
        self._rest()
        self.set_interval(poll_s, self._read_inbox)
        if self._dial:
            self._send(self._dial)

    def on_input_submitted(self, event: Input.Submitted) -> None:
        if event.value or self._handset.open:
            self._send(event.value)

    def action_hang_up(self) -> None:
        self._rest()
        self._hang_up()

    async def action_quit(self) -> None:
        await asyncio.to_thread(self._handset.hang_up)
        self.exit()

    def action_repeat(self) -> None:
        self._repeat()

    def action_text(self) -> None:
        typed = self.query_one("#typed", Input)
        if typed.value:
            self._text(typed.value)
            typed.clear()

    @work(thread=True)
    def _hang_up(self) -> None:
        self._handset.hang_up()

    @work(thread=True)
    def _send(self, text: str) -> None:
        self.call_from_thread(self._wait)
        try:
            screen = (
                self._handset.enter(text) if self._handset.open else self._handset.dial(text)
            )
        except (Busy, NoSession):
            return  # hung up or still waiting: what is typed goes nowhere
        if self._handset.screen is screen:  # else it was hung up meanwhile
            self.call_from_thread(self._show, screen)

    @work(thread=True)
    def _repeat(self) -> None:
        try:
            again = self._handset.repeat()
        except (Busy, NoSession):
            self.call_from_thread(self._say, "Nothing to repeat")
            return
        words = "Identical answer" if again.identical else f"Another: {again.screen.text}"
        self.call_from_thread(self._say, words)

    @work(thread=True)
    def _text(self, words: str) -> None:
        trouble = self._handset.text(words)
        self.call_from_thread(self._say, trouble or "SMS sent")

    @work(thread=True, exclusive=True, group="inbox")
    def _read_inbox(self) -> None:
        messages = self._remote.messages()
        if len(messages) != self._count:
            self._count = len(messages)
            self.call_from_thread(self._show_inbox, messages)

    def _wait(self) -> None:
        self.query_one("#typed", Input).clear()
        self._say("Running...")

    def _show(self, screen: Screen) -> None:
        self.query_one("#screen", Static).update(Text(screen.text))
        typed = self.query_one("#typed", Input)
        typed.value = FIRST_CODE if screen.ends else ""
        typed.placeholder = "Number to dial" if screen.ends else "Reply"
        self._say(screen.trouble or ("Ended" if screen.ends else f"Hop {self._handset.hops}"))

    def _rest(self) -> None:
        self._show(Screen("", ends=True))
        self._say("Enter dials, Escape hangs up")

    def _say(self, words: str) -> None:
        self.query_one("#state", Label).update(words)

    def _show_inbox(self, messages: list[dict[str, str]]) -> None:
        inbox = self.query_one("#inbox", VerticalScroll)
        inbox.remove_children()
        inbox.mount_all(
            Static(Text.assemble((one["from"], "bold"), "\n", one["text"]), classes="message")
            for one in reversed(messages[-messages_shown_max:])
        )
