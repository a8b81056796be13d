"""A pack that is right, and for every rule the one change that breaks it, told by its line."""

import pytest

from tests.ussd.small_pack import ACTIONS, RIGHT, changed, line_of, load
from tests.ussd.stand_in import MONEY_MAX, shipped_pack
from ussd_gateway.ussd.menu import Input, Menu, Program, Secret
from ussd_gateway.ussd.reading.loader import load_pack
from ussd_gateway.ussd.render import screen_septets_max, septets_at_worst


def test_the_small_pack_is_right() -> None:
    program = load(RIGHT)
    assert isinstance(program, Program), "\n".join(map(str, program))
    assert program.warnings == ()
    assert (program.name, program.idle_s, program.hops_max) == ("small", 180, 40)


LONG = "x" * 150

# code, what is changed, into what, and a mark of the line that is told (default: the change).
BROKEN = [
    ("E00", "pack: small", "pack: &p small", "pack:"),
    ("E01", "pack: small", "pack: small\nflavour: mild", "flavour"),
    ("E01", "pack: small\n", "", "schema"),
    ("E01", "schema: 1", "schema: 2", "schema"),
    ("E01", "pack: small", "pack: ../small", "pack"),
    ("E01", "pack: small", "pack: small/../../etc/passwd", "pack"),
    ("E01", "pack: small", "pack: Small", "pack"),
    ("E01", "gsm7-160", "gsm7-182", "profile"),
    ("E01", "languages: [en, sw]", "languages: [en, sw, en]", "languages"),
    ("E01", "idle: 3m", "idle: 3", "session"),
    ("E01", "max_hops: 40", "max_hops: 0", "session"),
    ("E01", "retries: 3", "retries: many", "retries"),
    ("E01", "region: KE", "region: XX", "region"),
    ("E01", "region: KE", "currency: KES", "to: {"),
    ("E01", "name: text(20)", "name: text", "fields"),
    ("E01", "vars:", "vars:\n  me: {type: bool}", "  me: {"),
    ("E01", "bad_choice:", "bad_manners: {en: a, sw: b}\n  bad_choice:", "bad_manners"),
    ("E01", "{en: Amount, sw: Kiasi}", "{en: Amount, sw: Kiasi, fr: Montant}", "fr:"),
    ("E02", "languages: [en, sw]", "languages: [en, sw]\npack: again", "pack: again"),
    ("E03", "  stranger:\n    end:", "  stranger:\n    menu: {}\n    end:", "stranger:"),
    ("E03", "  stranger:\n    end: {text: {en: Not registered., sw: Haijasajiliwa.}}",
     "  stranger: {}", "stranger: {}"),
    ("E04", "entry: start", "entry: begin", "entry"),
    ("E04", "go: ask_amount", "go: ask_amout", "go: ask_amout"),
    ("E04", "ok: done", "ok: finished", "ok: finished"),
    ("E06", "end: {text: {en: Not registered., sw: Haijasajiliwa.}}",
     'menu: {text: {en: a, sw: b}, options: [{key: "1", text: {en: a, sw: b}, go: stranger}]}',
     "  stranger:"),
    ("E07", "under_minimum: stopped,", "under_minimum: ask_quote,", "  ask_quote:"),
    ("E08", "{en: Amount, sw: Kiasi}", "{en: Amount}", "{en: Amount}"),
    ("E08", "  back: {en: Back, sw: Rudi}\n", "", "bad_choice:"),
    ("E09", "{en: Amount, sw: Kiasi}", '{en: "{amont}", sw: Kiasi}', "{amont}"),
    ("E09", "when: me.registered", "when: me.member", "me.member"),
    ("E09", "{to: to, amount: amount}", "{to: amount, amount: amount}", "{to: amount,"),
    ("E09", "{to: to, amount: amount}", "{to: to}", "with: {to: to}"),
    ("E09", "{to: to, amount: amount}", "{to: to, amount: amount, x: to}", "x: to"),
    ("E09", "do: send_money\n", "do: send_mony\n", "send_mony"),
    ("E09", "into: amount", "into: quote", "into: quote"),
    ("E10", "{en: Number, sw: Namba}", '{en: "{amount|money}", sw: Namba}', "{amount|money}"),
    ("E10", "when: me.can_send", "when: amount > amount", "when: amount"),
    ("E10", '"{result.receipt} sent."', '"{quote.name} sent."', "{quote.name} sent."),
    ("E10", "{en: Stopped.,", '{en: "{me.name}.",', "me.name"),
    ("E10", '"1*{to}*{amount}"', '"1*{to}"', "{amount|money} to"),
    ("E11", "{en: Amount,", f"{{en: {LONG},", LONG),
    ("E11", "{en: Not registered.,", f"{{en: {LONG}{LONG},", LONG),
    ("E11", "{en: Wait for the SMS.,", f"{{en: {LONG}{LONG},", LONG),
    ("E13", 'key: "2"', 'key: "1"', "Stop, sw"),
    ("E13", 'key: "2"', 'key: "0"', "Stop, sw"),
    ("E13", 'key: "2"', "key: two", "Stop, sw"),
    ("E13", 'home: "00"', 'home: "0"', "nav:"),
    ("E14", "go: stopped}", "go: stopped, when: me.can_send}", "  home:"),
    ("E16", "        payee_full: stopped\n", "", "ok: done"),
    ("E16", "ok: done", "ok: done\n        late: stopped", "late:"),
    ("E16", "- {go: stranger}", "- {go: stranger, when: me.can_send}", "stranger, when"),
    ("E17", "        timeout: stopped\n", "", "ok: done"),
    ("E17", "        unknown: stopped\n", "", "ok: done"),
    ("E17", " unknown: stopped", " unknown: {again: {en: a, sw: b}}", "unknown: {"),
    ("E18", "ok: done", "ok: home", "  home:"),
    ("E19", "{en: Amount, sw: Kiasi}", '{en: "{pin}", sw: Kiasi}', "{pin}"),
    ("E20", "save: quote", "save: offer", "save: offer"),
    ("E20", "save: quote", "save: amount", "save: amount"),
    ("E20", "name: text(20), fee: money", "name: text(20), cost: money, fee: money", "save:"),
    ("E20", "into: amount", "into: sum", "into: sum"),
    ("E21", '"1*{to}*{amount}": ask_quote', '"1*{to}*{amount}": done', '"1*{to}'),
    ("E21", '"1*{to}*{amount}"', '"1*{to}*{pin}"', "{pin}"),
    ("E21", '"1*{to}*{amount}"', '"1*{to}*"', '"1*{to}*"'),
    ("E22", "within: 4s", "within: 9s", "within: 9s"),
    ("E28", "{en: Amount, sw: Kiasi}", "{en: Your PIN, sw: Kiasi}", "Your PIN"),
    ("E28", "into: amount", "into: amount\n      bad: {en: Type your PIN., sw: b}", "your PIN"),
    ("E28", "{en: Amount, sw: Kiasi}", "{en: Amount, sw: Namba ya siri}", "siri"),
]  # fmt: skip


@pytest.mark.parametrize(("code", "old", "new", "mark"), BROKEN)
def test_a_broken_rule_is_told_by_its_code_and_line(
    code: str, old: str, new: str, mark: str
) -> None:
    source = changed(old, new)
    faults = load(source)
    assert isinstance(faults, list), f"{code} was not found"
    told = [(fault.code, fault.line) for fault in faults]
    assert (code, line_of(source, mark)) in told, "\n".join(map(str, faults))
    errors = {fault.code for fault in faults if not fault.warns}
    assert errors == {code}, "one slip is told once"


def test_an_input_says_in_its_own_words_what_cannot_be_read() -> None:
    words = "into: amount\n      bad: {en: Whole shillings., sw: Shilingi kamili.}"
    program = load(changed("into: amount", words))

    assert isinstance(program, Program), "\n".join(map(str, program))
    asked = program.states["ask_amount"]
    assert isinstance(asked, Input)
    assert asked.bad.parts["en"] == ("Whole shillings.",)


def test_a_receipt_is_asked_for_with_words_of_its_own_for_a_slip() -> None:
    asks = "  island:\n    input: {text: {en: Code, sw: Risiti}, into: receipt, go: stopped}\n"
    source = changed("vars:", "vars:\n  receipt: {type: receipt}") + asks
    faults = load(source)

    assert isinstance(faults, list)
    told = [(fault.code, fault.line) for fault in faults if not fault.warns]
    assert told == [("E08", line_of(source, "into: receipt"))]
    words = "into: receipt, bad: {en: A slip., sw: Kosa.}"
    program = load(source.replace("into: receipt", words))
    assert isinstance(program, Program)
    asked = program.states["island"]
    assert isinstance(asked, Input)
    assert (asked.parse("udp2kw5vqp"), asked.parse("UDP2KW5VQQ")) == ("UDP2KW5VQP", None)


def test_an_unlinked_state_is_a_warning_and_no_more() -> None:
    source = RIGHT + "  island:\n    end: {text: {en: Island., sw: Kisiwa.}}\n"
    program = load(source)
    assert isinstance(program, Program)
    told = [(fault.code, fault.line) for fault in program.warnings]
    assert told == [("W05", line_of(source, "island:"))]


def test_all_faults_are_told_at_once_in_the_order_of_lines() -> None:
    source = changed("entry: start", "entry: begin")
    source = source.replace("{en: Amount, sw: Kiasi}", "{en: Amount}")
    source = source.replace("when: me.registered", "when: me.member")
    faults = load(source)
    assert isinstance(faults, list)
    assert [fault.code for fault in faults] == ["E04", "E09", "E08"]


def test_advice_names_what_was_probably_meant() -> None:
    faults = load(changed("go: ask_amount", "go: ask_amout"))
    assert isinstance(faults, list)
    assert "did you mean ask_amount?" in str(faults[0])


def test_money_without_a_secret_is_refused() -> None:
    source = changed("  ask_pin:\n    secret:", "  ask_pin:\n    call:")
    asking, doing = source.index("      text:\n"), source.index("      do: send_money\n")
    source = source[:asking] + source[doing:]
    again = source.index("{again:")
    source = source[:again] + "stopped" + source[source.index("\n", again) :]
    faults = load(source)
    assert isinstance(faults, list)
    assert [fault.code for fault in faults] == ["E18"]


def test_a_secret_for_an_action_that_takes_none_is_refused() -> None:
    source = changed("do: send_money\n", "do: send_money.quote\n")
    faults = load(source)
    assert isinstance(faults, list)
    assert "E18" in [fault.code for fault in faults]


@pytest.mark.parametrize("source", [b"", b"# nothing\n", b"- a\n- b\n", b"word", b"states: 3"])
def test_what_is_no_pack_is_told_and_crashes_nothing(source: bytes) -> None:
    faults = load_pack(source, file="f", actions=ACTIONS, money_max=MONEY_MAX)
    assert isinstance(faults, list)
    assert faults


def test_the_loader_survives_any_line_left_out() -> None:
    lines = RIGHT.split("\n")
    for missing in range(len(lines)):
        load("\n".join(lines[:missing] + lines[missing + 1 :]))


def test_the_loader_survives_any_word_put_elsewhere() -> None:
    lines = RIGHT.split("\n")
    for place in range(len(lines)):
        for word in ("[]", "{}", "x", "{a: b}", "- a", '""'):
            key = lines[place].split(":")[0]
            load("\n".join([*lines[:place], f"{key}: {word}", *lines[place + 1 :]]))


# --- the pack that ships ---------------------------------------------------------------------


def test_the_shipped_pack_is_right_and_warns_of_nothing() -> None:
    assert shipped_pack().warnings == ()


def test_the_keys_are_those_of_the_public_contract() -> None:
    states = shipped_pack().states
    home, account = states["home"], states["account"]
    assert isinstance(home, Menu)
    assert isinstance(account, Menu)
    assert {key: option.go for key, option in home.options.items()} == {
        "1": "send_to",
        "2": "withdraw_till",
        "3": "pay",
        "4": "airtime_amount",
        "5": "account",
    }
    assert {key: option.go for key, option in account.options.items()} == {
        "1": "balance_pin",
        "2": "statement_pin",
        "3": "language",
        "4": "pin_old",
        "5": "caps",
    }


def test_the_commit_screen_fits_at_its_worst() -> None:
    program = shipped_pack()
    pin = program.states["send_pin"]
    assert isinstance(pin, Secret)
    for language in program.languages:
        assert septets_at_worst(pin.text, language) < screen_septets_max
