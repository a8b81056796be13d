"""Texts go to a translator and come back; of the file only they change."""

from collections.abc import Callable
from difflib import ndiff
from pathlib import Path

import polib
import pytest

from tests.ussd import small_pack
from ussd_gateway.ussd.menu import Program
from ussd_gateway.ussd.tools.texts import NotWritten
from ussd_gateway.ussd.tools.translations import exported, imported

PACKS = [Path("menus/customer.yaml"), Path("menus/agent.yaml")]
SMALL = small_pack.RIGHT.encode()


def export(source: bytes, language: str) -> polib.POFile:
    return polib.pofile(exported(source, pack="small", language=language, septets={}))


def translated(source: bytes, language: str, how: Callable[[str], str]) -> bytes:
    po = export(source, language)
    for entry in po:
        entry.msgstr = how(entry.msgid)
    return imported(source, str(po))


def changed(before: bytes, after: bytes) -> list[str]:
    lines = ndiff(before.decode().split("\n"), after.decode().split("\n"))
    return [line for line in lines if line[0] in "+-"]


def refused(source: bytes, po: polib.POFile) -> tuple[str, ...]:
    with pytest.raises(NotWritten) as wrong:
        imported(source, str(po))
    return wrong.value.reasons


@pytest.mark.parametrize("path", PACKS, ids=lambda path: path.stem)
@pytest.mark.parametrize("language", ["sw", "fr"])
def test_what_goes_out_and_comes_back_changes_no_octet(path: Path, language: str) -> None:
    source = path.read_bytes()

    assert imported(source, str(export(source, language))) == source


@pytest.mark.parametrize("path", PACKS, ids=lambda path: path.stem)
def test_what_is_translated_anew_changes_those_lines_only(path: Path) -> None:
    source = path.read_bytes()
    after = translated(source, "fr", lambda text: text.replace("Enter", "Entrer"))
    french = [line for line in changed(source, after) if "fr:" not in line]

    # Texts of several lines have their lines changed, and nothing beside them.
    assert all(line[2:].startswith("      ") for line in french), french
    assert after.count(b"\n") <= source.count(b"\n")
    assert after.count(b"#") == source.count(b"#")


@pytest.mark.parametrize("path", PACKS, ids=lambda path: path.stem)
def test_a_new_language_is_added_to_every_text(path: Path) -> None:
    source = path.read_bytes()
    after = translated(source, "de", lambda text: text)
    back = export(after, "de")

    assert b"languages: [en, sw, fr, de]\n" in after
    assert all(entry.msgstr == entry.msgid for entry in back)
    assert not [
        line for line in changed(source, after) if line[0] == "-" and line[-1] not in "]}"
    ]
    assert imported(after, str(back)) == after


def test_a_pack_with_a_new_language_loads() -> None:
    after = translated(SMALL, "lg", lambda text: f"Kale. {text}"[:60])
    program = small_pack.load(after.decode())

    assert isinstance(program, Program), "\n".join(map(str, program))
    assert program.languages == ("en", "sw", "lg")


def test_one_text_is_one_line_of_the_file() -> None:
    po = export(SMALL, "sw")
    [entry] = [entry for entry in po if entry.msgctxt == "home.menu.options.1.text"]
    entry.msgstr = "Tuma: pesa"
    option = '- {key: "1", text: {en: Send, sw: Tuma}, go: ask_to, when: me.can_send}'
    there = option.replace("Tuma", '"Tuma: pesa"')

    assert changed(SMALL, imported(SMALL, str(po))) == [
        f"-         {option}",
        f"+         {there}",
    ]


def test_every_place_has_a_name_of_its_own_and_the_first_language() -> None:
    po = export(SMALL, "sw")
    names = [str(entry.msgctxt) for entry in po]

    assert len(names) == len(set(names))
    assert "ask_to.input.check.1.say" in names
    assert "ask_pin.secret.outcomes.wrong_pin.again" in names
    assert next(entry.msgid for entry in po if entry.msgctxt == "home.menu.text") == "Home"


def test_translators_are_told_of_values_and_of_room() -> None:
    text = exported(SMALL, pack="small", language="sw", septets={"ask_pin": "55 of 160"})

    assert "#. ask_pin: 55 of 160\n#. keep {amount|money}, {quote.name}\n" in text


@pytest.mark.parametrize(
    ("translation", "reason"),
    [
        ("{amount|money} kwa, PIN", "ask_pin.secret.text: {quote.name} is missing"),
        (
            "{amount|money} kwa {quote.name} {to|local}, PIN",
            "ask_pin.secret.text: {to|local} is not in the text",
        ),
        (
            "{amount} kwa {quote.name}, PIN",
            "ask_pin.secret.text: {amount|money} is missing",
        ),
        ("", "ask_pin.secret.text: not translated"),
    ],
)
def test_what_would_lose_a_value_is_refused(translation: str, reason: str) -> None:
    po = export(SMALL, "sw")
    next(entry for entry in po if entry.msgctxt == "ask_pin.secret.text").msgstr = translation

    assert reason in refused(SMALL, po)


def test_words_for_one_and_many_are_the_languages_own() -> None:
    source = small_pack.RIGHT.replace(
        'en: "{result.tries_left} left."', 'en: "{result.tries_left|plural(try,tries)} left."'
    ).encode()
    po = export(source, "sw")
    name = "ask_pin.secret.outcomes.wrong_pin.again"
    entry = next(entry for entry in po if entry.msgctxt == name)
    entry.msgstr = "Bado {result.tries_left|plural(jaribio,majaribio)}."

    assert b"plural(jaribio,majaribio)" in imported(source, str(po))


def test_a_text_that_was_changed_meanwhile_is_refused() -> None:
    po = export(SMALL, "sw")
    source = small_pack.RIGHT.replace("en: Home", "en: Welcome").encode()

    assert refused(source, po) == (
        "home.menu.text: its text was changed meanwhile: export again",
    )


def test_a_text_that_is_no_more_is_refused() -> None:
    po = export(SMALL, "sw")
    po.append(polib.POEntry(msgctxt="gone.menu.text", msgid="Gone", msgstr="Hakuna"))
    po[0].obsolete = True

    assert set(refused(SMALL, po)) == {
        "gone.menu.text: the pack has no such text: export again",
        "notices.bad_choice: obsolete: remove it, or export again",
    }


def test_what_is_not_sure_is_refused() -> None:
    po = export(SMALL, "sw")
    po[0].flags.append("fuzzy")

    assert refused(SMALL, po) == ("notices.bad_choice: not translated",)


def test_a_new_language_needs_every_text() -> None:
    po = export(SMALL, "lg")
    for entry in po:
        entry.msgstr = entry.msgid
    po.remove(po[0])

    assert refused(SMALL, po) == ("notices.bad_choice: not in the file",)


@pytest.mark.parametrize("language", ["en", "eng", ""])
def test_the_first_language_is_not_translated(language: str) -> None:
    with pytest.raises(NotWritten):
        exported(SMALL, pack="small", language=language, septets={})


def test_what_is_no_po_file_is_told() -> None:
    with pytest.raises(NotWritten, match=r"no \.po file"):
        imported(SMALL, "menus\n: : nothing of the kind")


def test_texts_in_blocks_and_in_rows_get_their_language_too() -> None:
    source = (
        small_pack.RIGHT.replace("languages: [en, sw]", "languages:\n  - en\n  - sw  # Swahili")
        .replace(
            "    end: {text: {en: Not registered., sw: Haijasajiliwa.}}",
            "    end:\n      text:\n        en: |-\n          Not\n          registered.\n"
            "        sw: >\n          Haija\n          sajiliwa.   \n\n  # the last of them",
        )
        .encode()
    )
    after = translated(source, "lg", lambda text: text).decode()

    assert "languages:\n  - en\n  - sw  # Swahili\n  - lg\n" in after
    assert (
        "        sw: >\n          Haija\n          sajiliwa.   \n"
        "        lg: |-\n          Not\n          registered.\n\n  # the last of them"
    ) in after
