"""Signing in: what it takes, how often it may be tried, and what is left of it."""

import stat
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pyotp
import pytest
from sqlalchemy import text

from ussd_gateway.app import NotPossible, staffing
from ussd_gateway.ports import Secret
from ussd_gateway.settings import Settings
from ussd_gateway.store.database import connect, reading, writing
from ussd_gateway.store.migrate import upgrade
from ussd_gateway.store.staff import Member, Role, SqlStaff

SEED = "NJERIDEMOSEED234NJERIDEMOSEED234"
PASSWORD = "njeri-demo"
period = timedelta(seconds=30)


@dataclass(slots=True)
class Hands:
    """A clock that is set by hand."""

    at: datetime = field(default_factory=lambda: datetime(2026, 11, 21, 6, 0, tzinfo=UTC))

    def now(self) -> datetime:
        return self.at


class Office:
    """One machine, on which njeri, a maker, can sign in."""

    def __init__(self, folder: Path) -> None:
        self.settings = Settings(data_dir=folder)
        self.clock, self.phones = Hands(), Hands()
        self.engine = connect(self.settings.database_url)
        upgrade(self.engine)
        self.staff = SqlStaff(self.engine, self.clock)
        staffing.enrol(
            self.staff, "njeri", Role.MAKER, Secret(PASSWORD), SEED, added_by="installation"
        )

    def code(self, *, periods: int = 0) -> str:
        return pyotp.TOTP(SEED).at(self.phones.at + periods * period)

    def signs_in(
        self, code: str | None = None, *, name: str = "njeri", password: str = PASSWORD
    ) -> None:
        staffing.sign_in(
            self.settings,
            self.staff,
            name,
            Secret(password),
            self.code() if code is None else code,
            phones=self.phones,
        )

    def present(self) -> str | None:
        member = staffing.signed_in(self.settings, self.staff)
        return member.name if member else None

    def waits(self, span: timedelta) -> None:
        self.clock.at += span
        self.phones.at += span


@pytest.fixture
def office(tmp_path: Path) -> Iterator[Office]:
    office = Office(tmp_path)
    yield office
    office.engine.dispose()


def member(office: Office, name: str) -> Member:
    (found,) = (one for one in office.staff.members() if one.name == name)
    return found


def test_password_and_code_sign_in_for_eight_hours(office: Office) -> None:
    office.signs_in()
    assert staffing.required(office.settings, office.staff).name == "njeri"
    office.waits(timedelta(hours=8, seconds=-1))
    assert office.present() == "njeri"
    office.waits(timedelta(seconds=1))
    assert office.present() is None
    with pytest.raises(staffing.NotSignedIn, match="staff sign-in"):
        staffing.required(office.settings, office.staff)


@pytest.mark.parametrize(
    "wrong",
    [
        {"password": "odhiambo-demo"},
        {"password": ""},
        {"name": "nobody"},
        {"code": "000000"},
        {"code": ""},
        {"code": "١٢٣٤٥٦"},
    ],
    ids=["password", "no password", "name", "code", "no code", "other digits"],
)
def test_what_is_wrong_is_not_told(office: Office, wrong: dict[str, str]) -> None:
    with pytest.raises(NotPossible, match="name, password and code do not go together"):
        office.signs_in(**wrong)
    assert office.present() is None


@pytest.mark.parametrize("periods", [-1, 0, 1])
def test_the_codes_around_the_moment_are_taken(office: Office, periods: int) -> None:
    office.signs_in(office.code(periods=periods))
    assert office.present() == "njeri"


@pytest.mark.parametrize("periods", [-2, 2])
def test_older_and_later_codes_are_not(office: Office, periods: int) -> None:
    with pytest.raises(NotPossible):
        office.signs_in(office.code(periods=periods))


def test_a_code_with_a_space_is_read_as_it_is_shown(office: Office) -> None:
    code = office.code()
    office.signs_in(f"{code[:3]} {code[3:]}")
    assert office.present() == "njeri"


def test_a_code_works_once(office: Office) -> None:
    office.signs_in()
    staffing.sign_out(office.settings, office.staff)
    with pytest.raises(NotPossible, match="wait for the next"):
        office.signs_in()
    with pytest.raises(NotPossible, match="wait for the next"):
        office.signs_in(office.code(periods=-1))
    assert office.present() is None
    office.signs_in(office.code(periods=1))
    assert office.present() == "njeri"


def test_after_five_wrong_tries_the_right_one_rests_too(office: Office) -> None:
    for _ in range(staffing.tries_max):
        with pytest.raises(NotPossible):
            office.signs_in("000000")
    with pytest.raises(NotPossible, match="rests for 15 minutes"):
        office.signs_in()
    office.waits(staffing.rest)
    office.signs_in()
    assert office.present() == "njeri"


def test_the_token_is_for_its_owner_alone_and_the_database_has_but_a_hash(
    office: Office,
) -> None:
    office.signs_in()
    (file,) = office.settings.data_dir.glob("signed-in-*")
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    with reading(office.engine) as connection:
        rows = connection.execute(text("SELECT * FROM staff_sign_in")).all()
    assert file.read_text() not in str(rows)


def test_signing_in_again_ends_what_was_before(office: Office) -> None:
    office.signs_in()
    (file,) = office.settings.data_dir.glob("signed-in-*")
    before = file.read_bytes()
    office.waits(period)
    office.signs_in()
    file.write_bytes(before)
    assert office.present() is None


@pytest.mark.parametrize("left", [b"", b"\xff\x00", b"made up"])
def test_a_token_that_is_none_signs_nobody_in(office: Office, left: bytes) -> None:
    office.signs_in()
    (file,) = office.settings.data_dir.glob("signed-in-*")
    file.write_bytes(left)
    assert office.present() is None


def test_the_first_of_each_role_needs_nobody_and_the_next_one_of_their_own(
    office: Office,
) -> None:
    def add(name: str, role: Role, by: Member | None) -> str:
        return staffing.add(office.staff, name, role, Secret("long enough"), by=by)

    with pytest.raises(staffing.NotSignedIn, match="there is a maker already"):
        add("wambui", Role.MAKER, None)
    uri = add("odhiambo", Role.CHECKER, None)
    assert uri.startswith("otpauth://totp/USSD%20gateway:odhiambo?secret=")
    njeri, odhiambo = member(office, "njeri"), member(office, "odhiambo")
    add("wambui", Role.MAKER, njeri)
    with pytest.raises(NotPossible, match="njeri is a maker: a checker adds the next"):
        add("njeri2", Role.CHECKER, njeri)
    with pytest.raises(NotPossible, match="odhiambo is a checker: a maker adds the next"):
        add("odhiambo2", Role.MAKER, odhiambo)
    assert member(office, "wambui").added_by == "njeri"


def test_nobody_adds_the_first_of_another_role(office: Office) -> None:
    njeri = member(office, "njeri")
    with pytest.raises(NotPossible, match="the installation adds the first"):
        staffing.add(office.staff, "odhiambo", Role.CHECKER, Secret("long enough"), by=njeri)


def test_where_all_of_a_role_are_disabled_no_other_adds_one(office: Office) -> None:
    """As no command leaves it, and a database that was written to by hand may."""
    staffing.add(office.staff, "odhiambo", Role.CHECKER, Secret("long enough"), by=None)
    with writing(office.engine) as connection:
        connection.execute(text("UPDATE staff SET disabled = true WHERE role = 'maker'"))

    with pytest.raises(NotPossible, match="a maker adds the next"):
        staffing.add(
            office.staff,
            "wambui",
            Role.MAKER,
            Secret("long enough"),
            by=member(office, "odhiambo"),
        )
    with pytest.raises(staffing.NotSignedIn, match="there is a maker already"):
        staffing.add(office.staff, "wambui", Role.MAKER, Secret("long enough"), by=None)


@pytest.mark.parametrize(
    "name", ["", "N", "njeri wambui", "../njeri", "installation", "n" * 33]
)
def test_a_name_is_a_plain_word(office: Office, name: str) -> None:
    with pytest.raises(NotPossible, match="a name has 2 to 32"):
        staffing.add(office.staff, name, Role.CHECKER, Secret("long enough"), by=None)


def test_a_short_password_is_refused_and_shown_nowhere(office: Office) -> None:
    with pytest.raises(NotPossible, match="10 to 200 characters") as refused:
        staffing.add(office.staff, "wambui", Role.CHECKER, Secret("short"), by=None)
    assert "short" not in str(refused.value)


def test_the_last_of_a_role_stays(office: Office) -> None:
    with pytest.raises(NotPossible, match="the only maker"):
        staffing.disable(office.staff, "njeri")
    njeri = member(office, "njeri")
    staffing.add(office.staff, "wambui", Role.MAKER, Secret("long enough"), by=njeri)
    office.signs_in()
    staffing.disable(office.staff, "njeri")
    assert office.present() is None
    with pytest.raises(NotPossible, match="the only maker"):
        staffing.disable(office.staff, "wambui")
    staffing.enable(office.staff, "njeri", by=member(office, "wambui"))
    assert not member(office, "njeri").disabled
