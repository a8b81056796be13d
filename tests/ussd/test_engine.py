"""Walks through the shipped pack, one pure step at a time; what actions answer is put in."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.ussd.small_pack import RIGHT, load
from tests.ussd.stand_in import AMINA, DECLARED, JUMA, NOBODY, kes, quoted, sent, shipped_pack
from ussd_gateway.domain import gsm7
from ussd_gateway.domain.money import Money
from ussd_gateway.domain.refusals import Reason
from ussd_gateway.ports import Answer, Profile, Scalar, Settled
from ussd_gateway.ussd import engine
from ussd_gateway.ussd.events import Answered, Event, Jump, New, Screen, Session, Typed, Wanted
from ussd_gateway.ussd.menu import Call, Program, Secret
from ussd_gateway.ussd.turn import row, telling
from ussd_gateway.ussd.turn.heard import Heard
from ussd_gateway.ussd.turn.row import Row

PROGRAM = shipped_pack()
REFUSED = "Nothing was charged."
HOME = "Pesa\n1. Send money\n2. Withdraw cash\n3. Pay\n4. Buy airtime\n5. My account"
SEND_OUTCOMES = DECLARED["send_money"].outcomes


class Phone:
    """A person in front of a screen. What an action answers is put in by hand."""

    def __init__(self, who: Profile = AMINA) -> None:
        self.session: Session = engine.begin(PROGRAM, who)
        self.shown = self._step(New())

    def types(self, text: str) -> str:
        self.shown = self._step(Typed(text))
        return self.shown.text if isinstance(self.shown, Screen) else ""

    def answered(self, outcome: str, values: dict[str, Scalar] | None = None) -> str:
        assert isinstance(self.shown, Wanted)
        self.shown = self._step(Answered(Answer(outcome, values or {})))
        return self.text if isinstance(self.shown, Screen) else ""

    @property
    def text(self) -> str:
        assert isinstance(self.shown, Screen)
        return self.shown.text

    @property
    def wanted(self) -> Wanted:
        assert isinstance(self.shown, Wanted)
        return self.shown

    def at_pin(self) -> "Phone":
        for text in ("1", "0711000002" if self.is_amina else "0711000001", "500"):
            self.types(text)
        self.answered("ok", quoted(500))
        return self

    @property
    def is_amina(self) -> bool:
        return self.session.values["me.msisdn"] == AMINA.msisdn

    def _step(self, event: Event) -> Screen | Wanted:
        before = repr(self.session)
        session = self.session
        self.session, shown = engine.step(PROGRAM, session, event, 160)
        assert repr(session) == before, "a step changes nothing that it was given"
        return shown


def test_amina_sends_juma_five_hundred() -> None:
    phone = Phone()
    assert phone.text == HOME
    assert phone.types("1") == "Enter phone number"
    assert phone.types("0711000002") == "Enter amount"
    phone.types("500")
    assert phone.wanted == Wanted(
        "send_money.quote", "send_quote", {"to": JUMA.msisdn, "amount": kes(500)}, None, 3
    )
    assert phone.answered("ok", quoted(500)) == (
        "Send KES 500.00 to Juma Otieno 0711000002\nFee KES 7.00 Total KES 507.00\nEnter PIN"
    )
    phone.types("4826")
    assert phone.wanted.args == {
        "to": JUMA.msisdn,
        "amount": kes(500),
        "fee": kes(7),
        "payee": "2",
    }
    assert phone.wanted.secret is not None
    assert phone.wanted.secret.reveal() == "4826"
    shown = phone.answered("ok", dict(sent(500).values))
    assert shown == (
        "9XK4M7Q2RT Sent KES 500.00 to Juma Otieno. Fee KES 7.00. Balance KES 4,493.00."
    )
    assert phone.shown == Screen(shown, ends=True)


def test_juma_reads_it_in_swahili() -> None:
    phone = Phone(JUMA)
    assert phone.text == (
        "Pesa\n1. Tuma pesa\n2. Toa pesa\n3. Lipa\n4. Nunua muda wa maongezi\n5. Akaunti yangu"
    )
    assert phone.types("1") == "Weka namba ya simu"
    assert phone.types("0711000001") == "Kiasi"
    phone.types("245")
    assert phone.answered("ok", {**quoted(245), "name": AMINA.name}) == (
        "Tuma KES 245.00 kwa Amina Wafula 0711000001\nAda KES 7.00 Jumla KES 252.00\nWeka PIN"
    )
    phone.types("7391")
    assert phone.answered("low_balance") == "Haikutumwa: salio halitoshi. Hukutozwa."


def test_the_balance_is_shown_for_a_pin() -> None:
    phone = Phone()
    assert phone.types("5") == (
        "My account\n1. Balance\n2. Statement\n3. Language\n4. Change PIN\n"
        "5. Limits and caps\n0. Back"
    )
    assert phone.types("1") == "Enter PIN"
    phone.types("4826")
    assert phone.wanted.action == "balance"
    assert phone.answered("ok", {"balance": kes(5000), "at": "21/11/26 10:00"}) == (
        "Balance KES 5,000.00\n21/11/26 10:00"
    )


def test_a_number_that_is_not_registered_is_asked_to() -> None:
    phone = Phone(NOBODY)
    assert phone.text == (
        "Welcome to Pesa. You are not registered yet.\nKaribu. Bienvenue.\n"
        "1. Register\n2. Jisajili\n3. S'inscrire"
    )


def test_a_hidden_option_renumbers_nothing_and_cannot_be_chosen() -> None:
    barred = replace(AMINA, can_send=False)
    phone = Phone(barred)
    assert phone.text == "Pesa\n5. My account"
    assert phone.types("1").startswith("Not an option.")


@pytest.mark.parametrize(
    ("typed", "reason"),
    [
        (("7",), "Not an option. Try again.\nPesa\n"),
        (("",), "Not an option. Try again.\nPesa\n"),
        (("1", "07110"), "Not a phone number. Try again.\nEnter phone number"),
        (("1", "0711000001"), "You cannot send to yourself.\nEnter phone number"),
        (("1", "0711000002", "none"), "Not a valid amount. Try again.\nEnter amount"),
        (("1", "0711000002", "500001"), "Not a valid amount. Try again.\nEnter amount"),
    ],
)
def test_bad_input_shows_the_same_screen_under_the_reason(
    typed: tuple[str, ...], reason: str
) -> None:
    phone = Phone()
    for text in typed:
        phone.types(text)
    assert phone.text.startswith(reason)
    assert isinstance(phone.shown, Screen)
    assert phone.shown.rejected
    assert not phone.shown.ends


def test_a_pin_of_another_shape_is_never_sent_on() -> None:
    phone = Phone().at_pin()
    for text in ("482", "48261", "4a26", "", "12345678"):
        assert phone.types(text).startswith("A PIN has 4 digits.\nSend KES 500.00")


def test_retries_run_out() -> None:
    phone = Phone()
    phone.types("1")
    for _ in range(3):
        assert phone.types("none").startswith("Not a phone number.")
    assert phone.types("none") == "Too many tries. Please dial again. Nothing was charged."
    assert phone.shown == Screen(phone.text, ends=True, rejected=True)


def test_tries_are_counted_anew_at_each_screen() -> None:
    phone = Phone()
    phone.types("1")
    for text in ("none", "none", "0711000002", "none", "none", "none"):
        phone.types(text)
    assert phone.text.startswith("Not a valid amount.")


def test_a_wrong_pin_is_asked_again_and_says_what_is_left() -> None:
    phone = Phone().at_pin()
    phone.types("0001")
    assert phone.answered("wrong_pin", {"tries_left": 2}).startswith(
        "Wrong PIN. Tries left: 2\nSend KES 500.00 to Juma Otieno"
    )
    phone.types("4826")
    assert phone.wanted.action == "send_money"


def test_back_pops_a_screen_and_what_was_set_since() -> None:
    phone = Phone().at_pin()
    assert phone.types("0") == "Enter amount"
    assert "quote.fee" not in phone.session.values
    assert "amount" not in phone.session.values
    assert phone.types("0") == "Enter phone number"
    assert "to" not in phone.session.values
    assert phone.types("0") == HOME
    assert phone.session.back == ()
    assert phone.types("0").startswith("Not an option.")


def test_back_restores_a_value_that_was_typed_over() -> None:
    phone = Phone().at_pin()
    phone.types("0")
    phone.types("0")
    phone.types("0711000002")
    phone.types("600")
    assert phone.wanted.args["amount"] == kes(600)


def test_home_forgets_all_but_who_it_is() -> None:
    phone = Phone().at_pin()
    assert phone.types("00") == HOME
    assert set(phone.session.values) == set(engine.begin(PROGRAM, AMINA).values)
    assert phone.session.back == ()


def test_there_is_no_way_back_across_a_secret() -> None:
    phone = Phone().at_pin()
    phone.types("4826")
    phone.answered("ok", dict(sent(500).values))
    assert phone.session.back == ()


def test_the_way_back_is_bounded() -> None:
    phone = Phone()
    for _ in range(40):
        phone.types("1")
        phone.types("00")
    for _ in range(40):
        phone.types("5")
        assert len(phone.session.back) <= engine.back_max
        phone.types("0")


def test_a_shortcut_lands_on_the_commit_screen_and_back_is_home() -> None:
    session = engine.begin(PROGRAM, AMINA)
    jump = Jump("send_quote", {"to": JUMA.msisdn, "amount": kes(500)})
    session, shown = engine.step(PROGRAM, session, jump, 160)
    assert isinstance(shown, Wanted)
    session, shown = engine.step(PROGRAM, session, Answered(Answer("ok", quoted(500))), 160)
    assert isinstance(shown, Screen)
    assert shown.text.endswith("Enter PIN")
    _, shown = engine.step(PROGRAM, session, Typed("0"), 160)
    assert shown == Screen(HOME)


@pytest.mark.parametrize("reason", [each for each in Reason if each.value in SEND_OUTCOMES])
def test_every_refusal_ends_or_asks_again_and_nothing_was_charged(reason: Reason) -> None:
    for who, charged in ((AMINA, "Nothing was charged."), (JUMA, "Hukutozwa.")):
        phone = Phone(who).at_pin()
        phone.types("4826")
        text = phone.answered(reason.value, {"tries_left": 2})
        assert isinstance(phone.shown, Screen)
        assert phone.shown.ends is (reason is not Reason.WRONG_PIN)
        assert charged in text or not phone.shown.ends


def test_a_timeout_moved_nothing_and_an_unknown_is_still_checked() -> None:
    phone = Phone().at_pin()
    phone.types("4826")
    assert REFUSED in phone.answered("timeout")
    phone = Phone().at_pin()
    phone.types("4826")
    assert phone.answered("unknown") == (
        "We are still checking. Wait for the SMS; do not pay again."
    )


def test_a_value_that_an_action_left_out_is_a_hole_and_not_a_crash() -> None:
    phone = Phone().at_pin()
    phone.types("4826")
    assert phone.answered("ok", {"receipt": "9XK4M7Q2RT"}).startswith("9XK4M7Q2RT Sent -")


def test_a_name_from_outside_is_made_fit_for_the_screen() -> None:
    phone = Phone()
    for text in ("1", "0711000002", "500"):
        phone.types(text)
    phone.answered("ok", {**quoted(500), "name": "Jùmā {Otieno}\n1. Win the lottery now"})
    assert phone.text.split("\n")[0] == "Send KES 500.00 to Jùma {Otieno} 1. W 0711000002"


def test_every_screen_fits_with_the_longest_values() -> None:
    most = Money(50_000_000, "KES")
    values: dict[str, Scalar] = {
        "name": "{" * 40,
        "fee": most,
        "total": most,
        "payee": "2",
        "receipt": "9" * 20,
        "amount": most,
        "balance": most,
        "at": "2026-11-21 10:00:00",
        "tries_left": 2,
    }
    pin = PROGRAM.states["send_pin"]
    assert isinstance(pin, Secret)
    for who in (AMINA, JUMA):
        for outcome in pin.act.outcomes:
            phone = Phone(who)
            for text in ("1", "0711000002" if who is AMINA else "0711000001", "500000"):
                phone.types(text)
            assert gsm7.septets(phone.answered("ok", values)) <= 160
            assert gsm7.septets(phone.types("12")) <= 160
            phone.types("4826")
            assert gsm7.septets(phone.answered(outcome, values)) <= 160


# --- the truth, when the session is lost -----------------------------------------------------


def told(state: str, answer: Answer, language: str | None = "en") -> str:
    screen = telling.tell(PROGRAM, Settled(state, 1, answer), language)
    assert screen.ends
    return screen.text


def test_the_books_tell_the_same_screen_as_the_session_would_have() -> None:
    phone = Phone().at_pin()
    phone.types("4826")
    assert told("send_pin", sent(500)) == phone.answered("ok", dict(sent(500).values))


def test_the_books_tell_it_in_the_language_of_the_phone() -> None:
    assert told("send_pin", sent(500), "sw").startswith("9XK4M7Q2RT Umetuma KES 500.00")
    assert told("send_pin", sent(500), None).startswith("9XK4M7Q2RT Sent KES 500.00")
    assert told("send_pin", sent(500), "fr").startswith("9XK4M7Q2RT KES 500.00 envoyés")
    assert told("send_pin", sent(500), "xx").startswith("9XK4M7Q2RT Sent KES 500.00")


def test_a_wrong_pin_of_a_lost_session_cannot_be_asked_again() -> None:
    answer = Answer("wrong_pin", {"tries_left": 1})
    assert told("send_pin", answer) == (
        "Wrong PIN. Tries left: 1\nPlease dial again. Nothing was charged."
    )


@pytest.mark.parametrize(
    ("state", "outcome"), [("renamed", "ok"), ("send_pin", "novel"), ("home", "ok")]
)
def test_an_answer_that_the_pack_does_not_know_is_still_being_checked(
    state: str, outcome: str
) -> None:
    assert told(state, Answer(outcome, {})).startswith("We are still checking.")


def test_a_refusal_that_would_lead_on_ends_a_lost_session() -> None:
    program = load(RIGHT)
    assert isinstance(program, Program)
    settled = Settled("ask_pin", 1, Answer("fee_changed", {}))
    assert telling.tell(program, settled, "en") == Screen(
        "Dial again. Nothing was charged.", ends=True
    )


# --- any walk at all -------------------------------------------------------------------------

INPUTS = (
    "1",
    "5",
    "0",
    "00",
    "7",
    "",
    "0711000002",
    "0711000001",
    "500",
    "0.01",
    "4826",
    "x*y",
)
OUTCOMES = ("ok", "wrong_pin", "timeout", "over_limit")


@given(st.lists(st.tuples(st.sampled_from(INPUTS), st.sampled_from(OUTCOMES)), max_size=40))
def test_no_walk_crashes_overflows_or_loses_its_session(walk: list[tuple[str, str]]) -> None:
    answers = {**quoted(500), **sent(500).values, "tries_left": 2, "at": "2026-11-21 10:00"}
    phone = Phone(JUMA)
    for text, outcome in walk:
        phone.types(text)
        while isinstance(phone.shown, Wanted):
            known = PROGRAM.states[phone.wanted.state]
            assert isinstance(known, Secret | Call)
            phone.answered(outcome if outcome in known.act.outcomes else "ok", answers)
        assert isinstance(phone.shown, Screen)
        assert phone.text
        assert gsm7.septets(phone.text) <= 160
        if phone.shown.ends:
            phone = Phone(JUMA)
        kept = Row(
            "customer",
            PROGRAM.digest,
            "at",
            "S1",
            "",
            0,
            Heard(0, (), b""),
            phone.text,
            phone.session,
        )
        assert row.unpack(row.pack(kept)) == kept
