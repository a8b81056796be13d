"""People who pay, over an aggregator that sends a callback again until it has an answer.

What a payment came to is what its last screen says, and each of these is a promise:

    acknowledged   a receipt: in the books once, and both phones are told
    refused        nothing was charged, now or later
    checking       nobody knows yet: once or not at all, and an SMS if it was
    cut off        we know of no session: told to dial again, unless an SMS says it was done
    unanswered     the aggregator gave up: the person saw nothing, so once or not at all
"""

import time
from dataclasses import dataclass
from typing import Any, NamedTuple

import requests

from ussd_gateway.domain.receipt import is_well_formed
from ussd_gateway.simulators.handset import Handset, Screen

give_up_s = 45.0
first_wait_s = 0.02
wait_max_s = 0.5

# What each language says where nothing was charged.
NOTHING_CHARGED = ("Nothing was charged", "Hukutozwa")
STILL_CHECKING = ("We are still checking", "Bado tunahakiki")
DIAL_AGAIN = ("unless an SMS says", "isipokuwa SMS ikisema")


class Person(NamedTuple):
    """One of the demo cast."""

    msisdn: str
    pin: str

    @property
    def local(self) -> str:
        """As it is typed: 0711000001."""
        return f"0{self.msisdn.removeprefix('+254')}"


AMINA = Person("+254711000001", "4826")
JUMA = Person("+254711000002", "7391")
GRACE = Person("+254711000003", "5937")


@dataclass(frozen=True, slots=True)
class Payment:
    """One session, dialled to pay. `at` is when its last screen came, in seconds since 1970;
    `repeats` is how often the aggregator asked again until it did."""

    session_id: str
    payer: Person
    payee: Person
    shillings: int
    screen: Screen
    again: Screen  # the answer to its last callback, sent once more
    at: float
    repeats: int

    @property
    def receipts(self) -> set[str]:
        """All that either screen acknowledged: one, or none."""
        words = {screen.text.partition(" ")[0] for screen in (self.screen, self.again)}
        return set(filter(is_well_formed, words))

    @property
    def acknowledged(self) -> bool:
        return is_well_formed(self.screen.text.partition(" ")[0])

    @property
    def refused(self) -> bool:
        """Either screen said that nothing was charged."""
        screens = (self.screen, self.again)
        return any(words in screen.text for screen in screens for words in NOTHING_CHARGED)

    @property
    def checking(self) -> bool:
        return any(words in self.screen.text for words in STILL_CHECKING)

    @property
    def cut_off(self) -> bool:
        return any(words in self.screen.text for words in DIAL_AGAIN)

    @property
    def unanswered(self) -> bool:
        return bool(self.screen.trouble)


class Aggregator(requests.Session):
    """Posts a callback, and posts it again while there is no answer or a server's error."""

    def __init__(self) -> None:
        super().__init__()
        self.trust_env = False
        self.repeats = 0

    def request(self, method: Any, url: Any, *args: Any, **given: Any) -> requests.Response:
        deadline = time.monotonic() + give_up_s
        wait_s = first_wait_s
        while True:
            try:
                response = super().request(method, url, *args, **given)
            except requests.RequestException:
                if time.monotonic() > deadline:
                    raise
            else:
                if response.status_code < 500 or time.monotonic() > deadline:
                    return response
            self.repeats += 1
            time.sleep(wait_s)
            wait_s = min(2 * wait_s, wait_max_s)


class Payer:
    """A person's phone, with which they pay."""

    def __init__(self, callback_url: str, person: Person) -> None:
        self._aggregator = Aggregator()
        self._person = person
        self._phone = Handset(callback_url, person.msisdn, http=self._aggregator)
        self._asked: tuple[Person, int] = (person, 0)
        self._repeats_before = 0

    def pay(self, payee: Person, shillings: int) -> Payment:
        """From the first screen to the last; and the last callback once more."""
        self.ask(payee, shillings)
        return self.enter_pin()

    def ask(self, payee: Person, shillings: int) -> Screen:
        """To the commit screen, or to where the session ended before it. It is dialled: one
        phone has several sessions open here, and would be asked whether to go on."""
        self._asked = (payee, shillings)
        self._repeats_before = self._aggregator.repeats
        return self._phone.dial(f"*384*1*{payee.local}*{shillings}#")

    def enter_pin(self) -> Payment:
        """Where the session goes on; and the last callback once more."""
        if self._phone.open:
            self._phone.enter(self._person.pin)
        screen, session_id = self._phone.screen, self._phone.session_id
        assert screen is not None
        assert session_id is not None
        at, repeats = time.time(), self._aggregator.repeats - self._repeats_before
        again = self.repeat()
        payee, shillings = self._asked
        return Payment(session_id, self._person, payee, shillings, screen, again, at, repeats)

    def repeat(self) -> Screen:
        """The answer to the last callback, sent once more."""
        return self._phone.repeat().screen
