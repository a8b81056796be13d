"""The runner itself: what it reads, what it refuses, how it tells a difference and mends it."""

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.world import NewDatabase, SqliteCast
from ussd_gateway.cli.stage.world import GatewayWorld
from ussd_gateway.simulators.transcripts import Played, Transcript, parse, play


@pytest.fixture
def new_database(sqlite_cast: SqliteCast, tmp_path: Path) -> Iterator[NewDatabase]:
    """On one database: what is tested here does not lean on it."""
    with sqlite_cast.databases(tmp_path) as new:
        yield new


def played(world: GatewayWorld, text: str) -> Played:
    transcript = parse(text, file="talk.txt")
    assert isinstance(transcript, Transcript), transcript
    return play(transcript, world)


def test_what_is_said_as_written_is_left_as_it_was_written(world: GatewayWorld) -> None:
    text = """\
# Spaces are the writer's own.
given   Juma     KES 250.00

Juma dials *384#
    |  CON Pesa
"""
    text = text.replace("|  CON", "| CON") + "    | ...\nledger\n   | Juma         KES 250.00\n"
    found = played(world, text)

    assert found.differences == ()
    assert found.text == text


def test_a_difference_names_file_line_and_step_and_shows_both(world: GatewayWorld) -> None:
    found = played(world, "# A comment.\nJuma dials *384*5#\n  | CON Akaunti\n  | 1. Salio\n")

    [difference] = found.differences
    assert str(difference) == (
        "talk.txt:2: Juma dials *384*5#\n"
        "  - | CON Akaunti\n"
        "  + | CON Akaunti yangu\n"
        "    | 1. Salio\n"
        "  + | 2. Taarifa\n"
        "  + | 3. Lugha\n"
        "  + | 4. Badili PIN\n"
        "  + | 5. Vikomo\n"
        "  + | 0. Rudi"
    )


def test_what_is_said_takes_the_place_of_what_was_written_and_comments_stay(
    world: GatewayWorld,
) -> None:
    found = played(
        world,
        """\
# Before.
Juma dials *384*5*1#
# Between.
Juma enters <PIN>
  | END Salio KES 9.00
  | ...
  | ...

sms
  | to Juma: nothing
ledger
# After.
""",
    )

    assert (
        found.text
        == """\
# Before.
Juma dials *384*5*1#
  | CON Weka PIN
# Between.
Juma enters <PIN>
  | END Salio KES 250.00
  | 21/11/26 09:05

sms
ledger
  | Juma    KES 250.00
# After.
"""
    )
    assert played(world, found.text).differences == ()


@pytest.mark.parametrize(
    ("written", "agrees"),
    [
        ("| ...", True),
        ("| CON Akaunti yangu\n| ...", True),
        ("| ...\n| 0. Rudi", True),
        ("| CON Akaunti yangu\n| ...\n| 0. Rudi\n| ...", True),
        ("| ...\n| 1. Salio", False),
        ("| ...\n| 6. Mkopo\n| ...", False),
        ("", False),
    ],
)
def test_three_dots_stand_for_any_lines(
    world: GatewayWorld, written: str, *, agrees: bool
) -> None:
    found = played(world, f"Juma dials *384*5#\n{written}\n")

    assert (found.differences == ()) is agrees


def test_the_ledger_shows_who_is_named_whose_money_moved_and_who_is_listed(
    world: GatewayWorld,
) -> None:
    found = played(
        world,
        "given Grace KES 1,000.00\n"
        "Amina dials *384*1*0711000002*101#\n"
        "Amina enters <PIN>\n"
        "ledger\n"
        "| transfer fees KES 0.00\n"
        "| 500500 KES 0.00\n"
        "| lost and found KES 0.00\n",
    )

    assert found.text.split("ledger\n")[1].splitlines() == [
        "  | transfer fees KES 6.09",
        "  | 500500  KES 0.00",
        "  | lost and found (no such account)",
        "  | Grace   KES 1,000.00",
        "  | Amina   KES 4,892.00",
        "  | Juma    KES 351.00",
    ]


@pytest.mark.parametrize(
    ("step", "says"),
    [
        ("Pendo dials *384#", "(nobody is called Pendo)"),
        ("Amina enters 1", "(no session is open)"),
        ("Amina repeats", "(there is nothing to repeat)"),
        ("Amina dials 384", "(Not a USSD code)"),
        ("given 999999 KES 5.00", "(no account is 999999)"),
        ("never stored <PIN>", "(nobody typed a PIN)"),
    ],
)
def test_what_cannot_be_done_is_said_in_brackets(
    world: GatewayWorld, step: str, says: str
) -> None:
    assert played(world, f"{step}\n").text == f"{step}\n  | {says}\n"


def test_a_secret_that_is_stored_is_told_with_its_places(world: GatewayWorld) -> None:
    found = played(world, "Amina dials *384#\n| ...\nnever stored ATUid_0001\n")

    assert "  | a log\n" in found.text
    assert "  | Redis ussd:africastalking:ATUid_0001\n" in found.text


def test_what_is_no_step_is_told_with_its_line() -> None:
    found = parse(
        "  | too early\n"
        "Amina dials *384#\n"
        "\n"
        "  | too late\n"
        "Amina laughs\n"
        "given Amina 500\n"
        "waits for ever\n",
        file="talk.txt",
    )

    assert found == [
        "talk.txt:1: what is said stands right below a step",
        "talk.txt:4: what is said stands right below a step",
        "talk.txt:5: no step of a transcript: Amina laughs",
        "talk.txt:6: no step of a transcript: given Amina 500",
        "talk.txt:7: no step of a transcript: waits for ever",
    ]


def test_the_command_plays_a_file_and_ends_with_0_1_or_2(tmp_path: Path) -> None:
    talk = tmp_path / "talk.txt"
    talk.write_text("Amina dials *384*5*1#\n  | CON Enter PIN\n", "utf-8")
    assert replay(talk) == (0, f"Amina dials *384*5*1#\n  | CON Enter PIN\n\nok  {talk}\n", "")

    talk.write_text("Amina dials *384*5*1#\n", "utf-8")
    code, said, _ = replay(talk)
    assert (code, said.splitlines()[-1]) == (1, f"differs  {talk}")
    assert f"{talk}:1: Amina dials *384*5*1#\n  + | CON Enter PIN\n" in said
    assert talk.read_text("utf-8") == "Amina dials *384*5*1#\n"

    code, said, _ = replay(talk, "--update")
    assert (code, said.splitlines()[-1]) == (0, f"rewritten  {talk}")
    assert talk.read_text("utf-8") == "Amina dials *384*5*1#\n  | CON Enter PIN\n"

    talk.write_text("Amina laughs\n", "utf-8")
    assert replay(talk) == (2, "", f"{talk}:1: no step of a transcript: Amina laughs\n")


def replay(*words: str | Path) -> tuple[int, str, str]:
    done = subprocess.run(
        [sys.executable, "-m", "ussd_gateway", "replay", *map(str, words)],
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    return done.returncode, done.stdout, done.stderr
