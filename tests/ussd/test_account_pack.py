"""What is typed beside numbers and amounts, texts in `with`, and secrets one after another."""

import pytest

from tests.ussd.account_pack import ACCOUNT, load_account
from tests.ussd.small_pack import line_of
from tests.ussd.stand_in import AMINA, kes
from ussd_gateway.domain import gsm7
from ussd_gateway.ports import Answer, Scalar, Settled
from ussd_gateway.ussd import engine
from ussd_gateway.ussd.events import Answered, Event, Jump, New, Screen, Session, Typed, Wanted
from ussd_gateway.ussd.menu import End, Program
from ussd_gateway.ussd.render import septets_at_worst
from ussd_gateway.ussd.turn import dialled, telling


def loaded() -> Program:
    program = load_account()
    assert isinstance(program, Program), "\n".join(map(str, program))
    return program


PROGRAM = loaded()


def changed(old: str, new: str) -> str:
    assert ACCOUNT.count(old) == 1, f"{ACCOUNT.count(old)} of {old!r}"
    return ACCOUNT.replace(old, new)


class Walk:
    def __init__(self) -> None:
        self.session: Session = engine.begin(PROGRAM, AMINA)
        self._step(New())

    def types(self, *texts: str) -> Screen | Wanted:
        for text in texts:
            self._step(Typed(text))
        return self.shown

    def answered(self, outcome: str, **values: Scalar) -> str:
        self._step(Answered(Answer(outcome, values)))
        return self.text

    @property
    def text(self) -> str:
        assert isinstance(self.shown, Screen)
        return self.shown.text

    @property
    def args(self) -> dict[str, Scalar]:
        assert isinstance(self.shown, Wanted)
        return self.shown.args

    def at_new_pin(self) -> "Walk":
        self.types("2", "4826")
        self.answered("ok", proof="a proof", name="Amina Wafula")
        return self

    def _step(self, event: Event) -> None:
        self.session, self.shown = engine.step(PROGRAM, self.session, event, 160)


# code, what is changed, into what, and a mark of the line that is told (default: the change).
BROKEN = [
    ("E01", "speaks: fr", "speaks: sw", "speaks: sw"),
    ("E01", "digits(6-8)", "digits", "id_number: {"),
    ("E01", "digits(6-8)", "digits(8-6)", "id_number: {"),
    ("E01", "digits(6-8)", "digits(6-21)", "id_number: {"),
    ("E01", "digits(6-8)", "digits(0)", "id_number: {"),
    ("E01", "{type: text(20)}", "{type: text(2-20)}", "name: {"),
    ("E01", "{ticket: id}", "{ticket: id, told: lines(6)}", "chosen: {"),
    ("E01", "{type: digits(6)}", "{type: digits(6), region: KE}", "till: {"),
    ("E08", "  bad_text: {en: Letters only., fr: Des lettres seulement.}\n", "", "bad_choice"),
    ("E09", "Letters only.", '"{digits} letters."', "bad_text"),
    ("E09", "{till: till, amount: amount}", "{till: name, amount: amount}", "till: name"),
    ("E09", "{name: name, document: id_number}", "{name: name, document: name}", "document:"),
    ("E09", "\"'fr'\"", "\"'french'\"", "'french'"),
    ("E09", "\"'fr'\"", "\"'fr\"", "'fr"),
    ("E09", "\"'fr'\"", "fr", "language: fr"),
    ("E09", "{proof: proved.proof}", "{proof: \"'proof'\"}", "'proof'"),
    ("E09", 'en: "{result.lines}"', 'en: "{result.lines|upper}"', "lines|upper"),
    ("E10", "{proof: proved.proof, ticket: chosen.ticket}",
     "{proof: result.proof, ticket: chosen.ticket}", "pin_again:"),
    ("E10", 'fr: "Change {result.at}."', 'fr: "Change {proved.name}."', "Change {proved"),
    ("E10", "{en: Too easy.,", '{en: "{proved.name}!",', "proved.name}!"),
    ("E10", "{en: Too easy.,", '{en: "{result.name}!",', "result.name}!"),
    ("E11", "{en: Till,", "{en: '" + "x" * 146 + "',", "xxx"),
    ("E13", "{type: digits(6)}", "{type: digits(1-6)}", "into: till"),
    ("E18", "ok: paid,", "ok: home,", "  home:"),
    ("E18", "unknown: stopped}\n  pin_changed:", "unknown: home}\n  pin_changed:", "  home:"),
    ("E20", "do: pay\n", "do: pay\n      save: chosen  # money\n", "# money"),
    ("E20", "save: proved", "save: proof", "save: proof"),
    ("E20", "save: chosen", "save: proved  # another's", "# another's"),
    ("E21", '"3*{till}*{amount}"', '"3*{name}*{amount}"', "{name}*"),
    ("E21", ": pay_pin\n", ": pin_new\n", "pin_new"),
    ("E28", "fr: Numero de carte}", "fr: Votre code secret}", "code secret"),
    ("E28", "fr: Numero de carte}", "fr: Votre mot de passe}", "mot de passe"),
    ("E28", "fr: Numero de carte}", "fr: Votre NIP}", "NIP"),
    ("E28", "fr: Numero de carte}", "fr: Votre code PIN}", "code PIN"),
]  # fmt: skip


@pytest.mark.parametrize(("code", "old", "new", "mark"), BROKEN)
def test_a_broken_rule_is_told_by_its_code_and_line(
    code: str, old: str, new: str, mark: str
) -> None:
    source = changed(old, new)
    faults = load_account(source)
    assert isinstance(faults, list), f"{code} was not found"
    told = [(fault.code, fault.line) for fault in faults]
    assert (code, line_of(source, mark)) in told, "\n".join(map(str, faults))
    errors = {fault.code for fault in faults if not fault.warns}
    assert errors == {code}, "one slip is told once"


def test_the_pack_is_right_and_warns_of_nothing() -> None:
    assert PROGRAM.warnings == ()


def test_few_digits_may_be_asked_for_where_no_key_leads_back() -> None:
    source = changed("{type: digits(6)}", "{type: digits(1-6)}")
    source = source.replace("into: till, go", "nav: off, retries: 3, into: till, go")
    assert isinstance(load_account(source), Program)


# --- what is typed ---------------------------------------------------------------------------


def test_a_name_and_digits_are_typed_and_handed_on() -> None:
    walk = Walk()
    walk.types("1", " Wanjirũ  wa Ng’ang’a ", "00123456")
    assert walk.args == {"name": "Wanjiru wa Ng'ang'a", "document": "00123456"}
    assert walk.answered("ok", name="Wanjiru wa Ng'ang'a") == "Wanjiru wa Ng'ang'a 00123456"


@pytest.mark.parametrize(
    ("typed", "reason"),
    [
        (("1", "Juma 2"), "Letters only.\nName"),
        (("1", "x" * 21), "Letters only.\nName"),
        (("1", "Juma Otieno", "12345"), "Type 6-8 digits.\nID number"),
        (("3", "12345"), "Type 6 digits.\nTill"),
        (("2", "482"), "A PIN has 4 digits.\nOld PIN"),
    ],
)
def test_what_is_no_such_value_is_told_with_what_would_be(
    typed: tuple[str, ...], reason: str
) -> None:
    walk = Walk()
    walk.types(*typed)
    assert walk.text == reason


def test_a_shortcut_captures_digits_as_they_stand() -> None:
    session = engine.begin(PROGRAM, AMINA)
    jump = dialled.shortcut(PROGRAM, session, "3*012345*500")
    assert jump == Jump("pay_pin", {"till": "012345", "amount": kes(500)})
    assert dialled.shortcut(PROGRAM, session, "3*12345*500") is None


def test_a_text_in_quotes_is_an_argument_as_it_stands() -> None:
    walk = Walk()
    walk.types("5", "1")
    assert walk.args == {"language": "fr"}


def test_an_option_goes_on_in_the_language_that_it_speaks() -> None:
    walk = Walk()
    walk.types("5", "2")
    assert walk.text == "Nom"
    assert walk.session.values["me.language"] == "fr"
    walk.types("Juma 2")
    assert walk.text == "Des lettres seulement.\nNom"


# --- lines -----------------------------------------------------------------------------------


def test_lines_are_each_cut_and_no_more_than_promised() -> None:
    walk = Walk()
    walk.types("4", "4826")
    lines = ["{" * 20, "", "x" * 40, *(f"line {number}" for number in range(9))]
    shown = walk.answered("ok", lines="\n".join(lines))
    assert shown.split("\n") == ["{" * 15, "x" * 30, "line 0", "line 1", "line 2"]


def test_the_cost_of_lines_is_that_of_as_many_as_are_promised() -> None:
    statement = PROGRAM.states["statement"]
    assert isinstance(statement, End)
    assert septets_at_worst(statement.text, "en") == 5 * 31 - 1

    walk = Walk()
    walk.types("4", "4826")
    assert gsm7.septets(walk.answered("ok", lines="\n".join(["[" * 40] * 9))) == 5 * 31 - 1


# --- secrets one after another ---------------------------------------------------------------


def test_a_new_pin_is_chosen_by_the_old_one_and_typed_twice() -> None:
    walk = Walk().at_new_pin()
    assert walk.text == "Amina Wafula, choose a PIN"
    walk.types("7391")
    assert walk.args == {"proof": "a proof"}
    assert walk.answered("ok", ticket="a ticket") == "Amina Wafula, the same again"
    walk.types("7391")
    assert walk.args == {"proof": "a proof", "ticket": "a ticket"}
    assert walk.answered("ok", at="21/11/26 09:05") == "Changed 21/11/26 09:05."


def test_another_new_pin_can_be_chosen_when_the_two_differ() -> None:
    walk = Walk().at_new_pin()
    for ticket in ("the first", "the second"):
        walk.types("7391")
        walk.answered("ok", ticket=ticket)
        walk.types("7392")
        assert walk.args == {"proof": "a proof", "ticket": ticket}
        assert walk.answered("pins_differ") == "Amina Wafula, choose a PIN"


def test_a_secret_that_is_asked_again_saves_nothing_and_forgets_nothing() -> None:
    walk = Walk()
    walk.types("2", "0000")
    assert walk.answered("wrong_pin", tries_left=2, proof="none") == "2 left.\nOld PIN"
    assert "proved.proof" not in walk.session.values
    walk.types("4826")
    walk.answered("ok", proof="a proof", name="Amina Wafula")
    walk.types("1234")
    assert walk.answered("weak_pin") == "Too easy.\nAmina Wafula, choose a PIN"
    walk.types("7391")
    assert walk.args == {"proof": "a proof"}


def test_the_next_secret_knows_what_the_last_was_answered_without_saving_it() -> None:
    source = changed("      save: chosen\n", "").replace("chosen.ticket", "result.ticket")
    assert isinstance(load_account(source), Program)


def test_what_a_refusal_may_have_left_out_is_no_argument() -> None:
    source = changed(
        "weak_pin: {again: {en: Too easy., fr: Trop facile.}}", "weak_pin: pin_again"
    )
    source = source.replace("ticket: chosen.ticket", "ticket: result.ticket")
    faults = load_account(source)
    assert isinstance(faults, list)
    assert [(fault.code, fault.found) for fault in faults] == [("E10", "result.ticket")]


@pytest.mark.parametrize("key", ["0", "00"])
def test_across_an_answered_secret_there_is_home_and_no_way_back(key: str) -> None:
    walk = Walk().at_new_pin()
    assert walk.session.back == ()
    walk.types(key)
    assert walk.text.startswith("Home\n")
    assert set(walk.session.values) == set(engine.begin(PROGRAM, AMINA).values)


# --- the truth, when the session is lost -----------------------------------------------------

AGAIN = "Dial again. Nothing was charged."


@pytest.mark.parametrize(
    ("state", "outcome", "values", "told"),
    [
        ("pin_old", "ok", {"proof": "a proof"}, AGAIN),
        ("pin_old", "wrong_pin", {"tries_left": 2}, f"2 left.\n{AGAIN}"),
        ("pin_again", "pins_differ", {}, AGAIN),
        ("pin_again", "ok", {"at": "21/11/26 09:05"}, "Changed 21/11/26 09:05."),
        ("speak", "ok", {"language": "fr"}, "Bonjour."),
        ("speak", "ok", {"language": "en"}, AGAIN),
        ("speak", "timeout", {}, "Stopped."),
        ("register", "already", {"name": "Juma Otieno"}, "Known as Juma Otieno."),
        ("register", "ok", {"name": "Juma Otieno"}, AGAIN),
        ("register", "renamed", {}, "Wait for the SMS."),
        ("pay_pin", "ok", {"till": "012345"}, "Paid 012345."),
        ("ask_till", "ok", {}, "Wait for the SMS."),
    ],
)
def test_a_lost_session_is_told_its_end_or_to_begin_again(
    state: str, outcome: str, values: dict[str, Scalar], told: str
) -> None:
    settled = Settled(state, 1, Answer(outcome, values))
    assert telling.tell(PROGRAM, settled, "en") == Screen(told, ends=True)
