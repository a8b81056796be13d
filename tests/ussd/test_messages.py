"""`menus/sms.yaml`: read as strictly as packs are, each message in one segment at worst."""

import pytest

from tests.ussd.stand_in import MENUS, MONEY_MAX, kes
from ussd_gateway.app.services import TEMPLATES
from ussd_gateway.domain import gsm7
from ussd_gateway.domain.texted import COMMANDS, Ask
from ussd_gateway.files.faults import Fault
from ussd_gateway.ports import Scalar
from ussd_gateway.ussd.messages import Messages, load_messages

SHIPPED = (MENUS / "sms.yaml").read_bytes()
WORDS = "ደህና ሁኑ "


def load(source: str) -> Messages | list[Fault]:
    return load_messages(
        source.encode(), file="sms.yaml", templates=frozenset({"sent"}), money_max=MONEY_MAX
    )


def wide(text: str) -> str:
    return (
        "schema: 1\nlanguages: [en, am]\nvars: {amount: money, name: text(20)}\n"
        f'messages:\n  sent:\n    en: "Sent {{amount|money}}."\n    am: "{text}"\n'
    )


def test_the_shipped_messages_are_right_and_warn_of_nothing() -> None:
    messages = load_messages(
        SHIPPED, file="menus/sms.yaml", templates=TEMPLATES, money_max=MONEY_MAX
    )
    assert isinstance(messages, Messages), "\n".join(map(str, messages))
    assert messages.warnings == ()
    assert messages.texts.keys() == TEMPLATES


@pytest.mark.parametrize("template", sorted(TEMPLATES))
def test_a_message_is_one_segment_with_every_value_at_its_longest(template: str) -> None:
    messages = load_messages(SHIPPED, file="f", templates=TEMPLATES, money_max=MONEY_MAX)
    assert isinstance(messages, Messages)
    longest: dict[str, Scalar] = {
        name: MONEY_MAX if kind.kind == "money" else "\n".join(["€" * 60] * 9)
        for name, kind in messages.vars.items()
    }
    for language in messages.languages:
        assert gsm7.segments(messages.render(template, language, longest)) == 1


def test_a_language_that_is_not_gsm7_has_seventy_characters() -> None:
    messages = load(wide(f"{WORDS * 3}{{amount|money}}"))
    assert isinstance(messages, Messages)
    assert [(fault.code, fault.line) for fault in messages.warnings] == [("W12", 7)]
    text = messages.render("sent", "am", {"amount": kes(5)})
    assert text == f"{WORDS * 3}KES 5.00"
    assert gsm7.segments(text) == 1


def test_a_segment_of_such_a_language_is_soon_full() -> None:
    faults = load(wide(f"{WORDS * 6}{{amount|money}} {{name}}"))
    assert isinstance(faults, list)
    told = [(fault.code, fault.line) for fault in faults]
    assert told == [("E11", 7), ("W12", 7)]
    assert "shorten it to 70, one segment" in str(faults[0])


def test_values_are_folded_and_cut_and_strange_ones_left_alone() -> None:
    messages = load(wide("{name} {amount|money}"))
    assert isinstance(messages, Messages)
    values: dict[str, Scalar] = {
        "amount": kes(5),
        "name": "Ŵanjirũ\nwa Thiong'o Kĩarie",
        "pin": "4826",
    }
    assert messages.render("sent", "am", values) == "Wanjiru wa Thiong'o  KES 5.00"
    assert messages.render("sent", "sw", values) == "Sent KES 5.00."


@pytest.mark.parametrize(
    "source", ["", "# nothing\n", "- a\n", "word", "messages: 3", "messages: {sent: 3}"]
)
def test_what_are_no_messages_is_told_and_crashes_nothing(source: str) -> None:
    faults = load(source)
    assert isinstance(faults, list)
    assert faults


def commanded(commands: str) -> Messages | list[Fault]:
    return load(f"{wide('{amount|money}')}commands:\n  {commands}\n")


def test_every_shipped_command_has_a_word_in_every_language() -> None:
    messages = load_messages(SHIPPED, file="f", templates=TEMPLATES, money_max=MONEY_MAX)
    assert isinstance(messages, Messages)
    for ask in COMMANDS.values():
        words = [word for word, asked in messages.commands.items() if asked is ask]
        assert len(words) >= len(messages.languages)


def test_the_words_of_commands_are_read_without_accents_and_case() -> None:
    messages = commanded("balance: [Bal, sólde]\n  help: [ደህና]")
    assert isinstance(messages, Messages)
    assert messages.commands == {
        "BAL": Ask.BALANCE,
        "SOLDE": Ask.BALANCE,
        "ደህና": Ask.HELP,
    }


def test_without_commands_nothing_is_offered() -> None:
    messages = load(wide("{amount|money}"))
    assert isinstance(messages, Messages)
    assert messages.commands == {}


@pytest.mark.parametrize(
    ("commands", "told"),
    [
        ("ballance: [BAL]", "command ballance"),
        ("balance: BAL", "write a list here"),
        ("balance: [B]", "one word of letters"),
        ("balance: [BAL1]", "one word of letters"),
        ("balance: [MY BALANCE]", "one word of letters"),
        ("balance: [BAL, bal]", "it asks for balance already"),
        ("balance: [BAL]\n  help: [Bál]", "it asks for balance already"),
    ],
)
def test_words_that_nobody_could_text_or_that_say_two_things_are_faults(
    commands: str, told: str
) -> None:
    faults = commanded(commands)
    assert isinstance(faults, list)
    assert told in "\n".join(map(str, faults))


def test_a_var_of_lines_is_measured_and_cut_line_by_line() -> None:
    source = wide("{rows}").replace("name: text(20)", "rows: 'lines(2,5)'")
    messages = load(source.replace('"Sent {amount|money}."', '"{rows}"'))
    assert isinstance(messages, Messages)
    assert messages.render("sent", "en", {"rows": "one\n\ntwo and more\nthree"}) == "one\ntwo a"
