"""What is read of an SMS that somebody sent to us, and what is taken for a PIN."""

import pytest

from ussd_gateway.domain.texted import Ask, Asked, plain, read

WORDS = {
    "BAL": Ask.BALANCE,
    "SALIO": Ask.BALANCE,
    "STMT": Ask.STATEMENT,
    "CHECK": Ask.CHECK,
    "VERIFIER": Ask.CHECK,
    "REVERSE": Ask.REVERSE,
    "STOP": Ask.STOP,
    "START": Ask.START,
    "LANG": Ask.LANGUAGE,
    "HELP": Ask.HELP,
    "ደህና": Ask.HELP,
}
RECEIPT = "UCM7HK2P9X"
NOTHING, PIN = Asked(Ask.NOTHING), Asked(Ask.PIN)


@pytest.mark.parametrize(
    ("text", "asked"),
    [
        ("BAL", Asked(Ask.BALANCE)),
        ("bal", Asked(Ask.BALANCE)),
        (" Bal. ", Asked(Ask.BALANCE)),
        ("#BAL!", Asked(Ask.BALANCE)),
        ("ＢＡＬ", Asked(Ask.BALANCE)),
        ("bal please, quick", Asked(Ask.BALANCE)),
        ("Salio\n", Asked(Ask.BALANCE)),
        ("stmt", Asked(Ask.STATEMENT)),
        ("ደህና", Asked(Ask.HELP)),
        ("STOP", Asked(Ask.STOP)),
        ("STOP kusoma", Asked(Ask.STOP, word="KUSOMA")),
        ("LANG sw", Asked(Ask.LANGUAGE, word="SW")),
        ("lang: fr", Asked(Ask.LANGUAGE, word="FR")),
        ("LANG", Asked(Ask.LANGUAGE)),
        (f"CHECK {RECEIPT}", Asked(Ask.CHECK, RECEIPT)),
        (f"vérifier {RECEIPT.lower()}.", Asked(Ask.CHECK, RECEIPT)),
        ("check ucm-7hk-2p9x", Asked(Ask.CHECK, RECEIPT)),
        ("check UCM7H K2P9X", Asked(Ask.CHECK, RECEIPT)),
        (f"check {RECEIPT} 500", Asked(Ask.CHECK, RECEIPT, "500")),
        (f"check {RECEIPT} KES 1,500.00", Asked(Ask.CHECK, RECEIPT, "1,500.00")),
        (f"check {RECEIPT} kes500/= please", Asked(Ask.CHECK, RECEIPT, "500")),
        (f"check {RECEIPT} 4826", Asked(Ask.CHECK, RECEIPT, "4826")),
        (f"check {RECEIPT[:-1]}", Asked(Ask.CHECK, RECEIPT[:-1])),
        ("check", Asked(Ask.CHECK)),
        (f"reverse {RECEIPT}", Asked(Ask.REVERSE, RECEIPT)),
        ("reverse", Asked(Ask.REVERSE)),
    ],
)
def test_a_command_is_read_however_it_is_written(text: str, asked: Asked) -> None:
    assert read(text, WORDS) == asked


@pytest.mark.parametrize("text", ["", " ", "...", "hello", "balance", "500", "*384#", "BALx"])
def test_what_is_no_command_asks_for_nothing(text: str) -> None:
    assert read(text, WORDS) == NOTHING


@pytest.mark.parametrize(
    "text",
    [
        "4826",
        " 4826. ",
        "4 8 2 6",
        "48-26",
        "٤٨٢٦",
        "PIN 4826",
        "PIN:4826",
        "*384*1*0711000002*500*4826#",
        "0711000002 4826",
        "pin4826",
        "my pin is 4826",
        "BAL 4826",
        "BAL4826",
        "BAL.4826",
        "stmt pin 48 26",
        "LANG sw 4826",
        "STOP 4826",
        f"reverse {RECEIPT} 4826",
        f"check {RECEIPT} 500 pin 4826",
        "check 4826",
        "90817263",
        "BAL 90817263",
        "pin 90817263",
        "siri yangu 48261",
    ],
)
def test_a_pin_is_told_wherever_it_stands_and_nothing_else_is_read(text: str) -> None:
    assert read(text, WORDS) == PIN


@pytest.mark.parametrize(
    "text", ["call 0711000002", "+254 711 000 002", "send 500 to him", "hello 12", RECEIPT]
)
def test_other_numbers_are_no_pins(text: str) -> None:
    assert read(text, WORDS) == NOTHING


def test_of_a_long_text_only_the_beginning_is_read() -> None:
    assert read("BAL " + "x " * 10_000 + "4826", WORDS) == Asked(Ask.BALANCE)


def test_words_are_compared_without_accents_and_case() -> None:
    assert plain("Relevé ٣") == "RELEVE 3"
