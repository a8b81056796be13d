"""Who is of the staff, how often they may be wrong, and how long they are signed in."""

import pytest
from sqlalchemy import Engine, select

from tests.store.conftest import SetClock
from tests.world import at_once
from ussd_gateway.store.database import reading
from ussd_gateway.store.schema import staff_sign_in
from ussd_gateway.store.staff import Keys, LastOfRole, Member, NameTaken, Role, SqlStaff

KEYS = Keys("a hash", "a seed")
SIX_O_CLOCK_MS = 1_795_240_800_000
HOUR_MS = 3_600_000
CODE = 59_841_360


@pytest.fixture
def staff(engine: Engine, clock: SetClock) -> SqlStaff:
    staff = SqlStaff(engine, clock)
    staff.add("njeri", Role.MAKER, KEYS, added_by="installation")
    return staff


def tries(staff: SqlStaff, name: str = "njeri") -> Keys | None:
    return staff.count_try(name, tries_max=3, rest_ms=HOUR_MS)


def test_an_account_is_told_without_its_keys(staff: SqlStaff) -> None:
    njeri = Member("njeri", Role.MAKER, "installation", SIX_O_CLOCK_MS, disabled=False)
    assert staff.members() == [njeri]
    assert "hash" not in repr(KEYS)
    assert "seed" not in repr(KEYS)
    with pytest.raises(NameTaken):
        staff.add("njeri", Role.CHECKER, KEYS, added_by="njeri")


def test_after_too_many_tries_an_account_rests(staff: SqlStaff, clock: SetClock) -> None:
    assert [tries(staff) for _ in range(4)] == [KEYS, KEYS, KEYS, None]
    clock.wait(3_599)
    assert tries(staff) is None
    clock.wait(1)
    assert tries(staff) == KEYS


def test_a_hundred_tries_at_the_same_moment_are_a_hundred(staff: SqlStaff) -> None:
    answers = at_once(*[lambda: tries(staff)] * 8)
    assert sum(answer is not None for answer in answers) == 3


def test_signing_in_forgets_the_tries(staff: SqlStaff) -> None:
    for code in range(CODE, CODE + 5):
        assert tries(staff) == KEYS
        assert staff.sign_in("njeri", code=code, token_hash=f"hash {code}", lasts_ms=HOUR_MS)


def test_there_is_nothing_to_try_of_somebody_unknown(staff: SqlStaff) -> None:
    assert tries(staff, "nobody") is None


def test_a_token_says_who_it_is_while_it_lasts(staff: SqlStaff, clock: SetClock) -> None:
    assert staff.sign_in("njeri", code=CODE, token_hash="hash", lasts_ms=HOUR_MS)
    assert staff.signed_in("other") is None
    clock.wait(3_599)
    member = staff.signed_in("hash")
    assert member is not None
    assert member.name == "njeri"
    clock.wait(1)
    assert staff.signed_in("hash") is None


@pytest.mark.parametrize("again", [CODE, CODE - 1])
def test_a_code_is_used_once_and_none_before_it(staff: SqlStaff, again: int) -> None:
    assert staff.sign_in("njeri", code=CODE, token_hash="one", lasts_ms=HOUR_MS)
    assert not staff.sign_in("njeri", code=again, token_hash="two", lasts_ms=HOUR_MS)
    assert staff.signed_in("two") is None
    assert staff.sign_in("njeri", code=CODE + 1, token_hash="three", lasts_ms=HOUR_MS)


def test_of_many_with_the_same_code_one_signs_in(staff: SqlStaff) -> None:
    def one(number: int) -> bool:
        return staff.sign_in("njeri", code=CODE, token_hash=f"{number}", lasts_ms=HOUR_MS)

    signed = at_once(*[lambda number=number: one(number) for number in range(4)])
    assert sorted(signed) == [False, False, False, True]


def test_signing_out_ends_it(staff: SqlStaff) -> None:
    assert staff.sign_in("njeri", code=CODE, token_hash="hash", lasts_ms=HOUR_MS)
    staff.sign_out("hash")
    assert staff.signed_in("hash") is None


def test_the_last_of_a_role_is_not_disabled(staff: SqlStaff) -> None:
    staff.add("odhiambo", Role.CHECKER, KEYS, added_by="installation")
    with pytest.raises(LastOfRole):
        staff.disable("njeri")
    staff.add("wambui", Role.MAKER, KEYS, added_by="njeri")
    staff.disable("njeri")
    with pytest.raises(LastOfRole):
        staff.disable("wambui")


def test_of_all_of_a_role_disabled_at_the_same_moment_one_stays(staff: SqlStaff) -> None:
    def disables(name: str) -> bool:
        try:
            staff.disable(name)
        except LastOfRole:
            return False
        return True

    staff.add("wambui", Role.MAKER, KEYS, added_by="njeri")
    staff.add("musa", Role.MAKER, KEYS, added_by="njeri")
    names = ("njeri", "wambui", "musa")
    for _ in range(10):
        disabled = at_once(*[lambda name=name: disables(name) for name in names])
        assert sorted(disabled) == [False, True, True]
        assert sum(not member.disabled for member in staff.members()) == 1
        for name in names:
            staff.enable(name)


def test_whoever_is_disabled_is_out_at_once_and_stays_out(staff: SqlStaff) -> None:
    staff.add("wambui", Role.MAKER, KEYS, added_by="njeri")
    assert staff.sign_in("njeri", code=CODE, token_hash="hash", lasts_ms=HOUR_MS)
    staff.disable("njeri")
    assert staff.signed_in("hash") is None
    assert tries(staff) is None
    assert not staff.sign_in("njeri", code=CODE + 1, token_hash="new", lasts_ms=HOUR_MS)

    staff.enable("njeri")
    assert staff.signed_in("hash") is None
    assert tries(staff) == KEYS


def test_tokens_that_are_over_are_not_kept(
    staff: SqlStaff, engine: Engine, clock: SetClock
) -> None:
    assert staff.sign_in("njeri", code=CODE, token_hash="old", lasts_ms=HOUR_MS)
    clock.wait(3_601)
    assert staff.sign_in("njeri", code=CODE + 1, token_hash="new", lasts_ms=HOUR_MS)

    with reading(engine) as connection:
        kept = connection.execute(select(staff_sign_in.c.token_hash)).scalars().all()
    assert kept == ["new"]
