"""Staff at the command line: what is asked of them, and what is said to whoever is wrong."""

import re
from pathlib import Path

import pyotp
import pytest

from tests.cli.office import SEEDS, Office

HOURS_9_S = str(9 * 3600)


def test_whoever_signs_in_is_shown_and_signs_out(office: Office) -> None:
    office.signs_in("njeri")
    shown = office.staff("list").lines
    assert re.fullmatch(r"njeri +maker +added by installation \S+  signed in here", shown[0])
    assert re.fullmatch(r"odhiambo +checker +added by installation \S+", shown[1])

    assert office.staff("sign-out").stdout == "Nobody is signed in here.\n"
    assert "signed in here" not in office.staff("list").stdout
    assert office.menu("publish").code == 1


def test_one_signs_in_in_the_place_of_another(office: Office) -> None:
    office.signs_in("njeri")
    office.signs_in("odhiambo")
    shown = office.staff("list").stdout
    assert re.search(r"^odhiambo .* signed in here$", shown, re.MULTILINE)
    assert shown.count("signed in here") == 1


def test_a_wrong_password_signs_nobody_in(office: Office) -> None:
    said = office.staff("sign-in", "njeri", typed=f"njeri-dem0\n{office.code('njeri')}\n")
    assert (said.code, said.stdout) == (1, "")
    assert "name, password and code do not go together" in said.stderr
    assert "njeri-dem0" not in said.stderr
    assert "signed in here" not in office.staff("list").stdout


def test_a_code_is_not_taken_again(office: Office) -> None:
    typed = f"njeri-demo\n{office.code('njeri')}\n"
    assert office.staff("sign-in", "njeri", typed=typed).code == 0
    office.staff("sign-out")
    again = office.staff("sign-in", "njeri", typed=typed)
    assert again.code == 1
    assert again.stderr == "njeri: this code was used already: wait for the next\n"


def test_after_eight_hours_one_signs_in_again(office: Office) -> None:
    office.comments("Another.")
    office.signs_in("njeri")
    late = office.does("menu", "publish", CLOCK_OFFSET_S=HOURS_9_S)
    assert late.code == 1
    assert "nobody is signed in here: sign in with" in late.stderr
    assert office.menu("publish").code == 0


def test_an_account_is_made_with_what_its_owner_needs_to_sign_in(office: Office) -> None:
    office.signs_in("njeri")
    said = office.staff("add", "wambui", "--role", "maker", typed="a long password\n")
    assert said.code == 0, said.stderr
    (uri,) = re.findall(r"otpauth://\S+", said.stdout)
    totp = pyotp.parse_uri(uri)
    assert isinstance(totp, pyotp.TOTP)
    signed = office.staff("sign-in", "wambui", typed=f"a long password\n{totp.now()}\n")
    assert signed.stdout.startswith("Signed in as wambui")


def test_the_first_of_each_role_are_made_by_the_installation(tmp_path: Path) -> None:
    office = Office(tmp_path)
    (tmp_path / "menus").symlink_to(Path("menus").resolve())
    assert office.does("db", "upgrade").code == 0
    assert "Nobody yet" in office.staff("list").stdout
    nobody = office.menu("publish")
    assert "add somebody with `ussd-gateway staff add`" in nobody.stderr

    for name, role in (("njeri", "maker"), ("odhiambo", "checker")):
        assert office.staff("add", name, "--role", role, typed="a long password\n").code == 0
    third = office.staff("add", "wambui", "--role", "maker", typed="a long password\n")
    assert third.code == 1
    assert "there is a maker already, who adds the next" in third.stderr


@pytest.mark.parametrize("typed", ["short\n", "\n", ""])
def test_a_password_is_long(office: Office, typed: str) -> None:
    office.signs_in("njeri")
    said = office.staff("add", "wambui", "--role", "maker", typed=typed)
    assert said.code == 1
    assert said.stderr == "a password has 10 to 200 characters\n"


def test_whoever_is_disabled_does_nothing_more(office: Office) -> None:
    office.signs_in("njeri")
    office.staff("add", "wambui", "--role", "maker", typed="a long password\n")
    other = Office(office.folder)
    assert office.staff("disable", "njeri").stdout == "njeri is disabled.\n"
    assert "nobody is signed in here" in office.menu("publish").stderr
    typed = f"njeri-demo\n{office.code('njeri')}\n"
    assert other.staff("sign-in", "njeri", typed=typed).code == 1
    assert re.search(r"^njeri .* disabled$", office.staff("list").stdout, re.MULTILINE)

    office.signs_in("odhiambo")
    refused = office.staff("enable", "njeri")
    assert "makers enable njeri" in refused.stderr
    last = office.staff("disable", "odhiambo")
    assert last.stderr == "odhiambo is the only checker: add another first\n"


def test_keys_are_shown_nowhere(office: Office) -> None:
    office.signs_in("njeri")
    (token,) = office.folder.glob("signed-in-*")
    shown = office.staff("list").stdout + office.does("doctor").stdout
    for secret in (*SEEDS.values(), "njeri-demo", token.read_text(), "argon2"):
        assert secret not in shown
