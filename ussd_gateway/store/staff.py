"""Who works for the house, and who of them is signed in.

    staff (name, role) <--name-- staff_sign_in (hash of a token, until when)

A try is counted before it is looked at: a hundred at the same moment are a hundred tries. Of a
token only its hash is kept, and of the one-time codes the period of the last one used: each
works once.
"""

from dataclasses import dataclass, field
from enum import Enum
from typing import Any

from sqlalchemy import Engine, Row, delete, insert, select, update
from sqlalchemy.exc import IntegrityError

from ussd_gateway.ports import Clock
from ussd_gateway.store.asked import asking
from ussd_gateway.store.database import writing
from ussd_gateway.store.schema import staff, staff_sign_in


class Role(Enum):
    MAKER = "maker"
    CHECKER = "checker"


@dataclass(frozen=True, slots=True)
class Member:
    """Somebody of the staff, as far as anybody may know."""

    name: str
    role: Role
    added_by: str
    added_at_ms: int
    disabled: bool


@dataclass(frozen=True, slots=True)
class Keys:
    """What somebody proves by that they are who they say. In no repr."""

    password_hash: str = field(repr=False)
    totp_seed: str = field(repr=False)


class NameTaken(Exception):
    """Somebody of the staff has this name already."""


class LastOfRole(Exception):
    """Nobody of this role would be left who can sign in."""


class SqlStaff:
    """What only reads raises BooksLost where the database does not answer."""

    def __init__(self, engine: Engine, clock: Clock) -> None:
        self._engine = engine
        self._clock = clock

    def add(self, name: str, role: Role, keys: Keys, *, added_by: str) -> None:
        """Raises NameTaken."""
        row = insert(staff).values(
            name=name,
            role=role.value,
            password_hash=keys.password_hash,
            totp_seed=keys.totp_seed,
            added_by=added_by,
            added_at_ms=self._now_ms(),
            disabled=False,
            wrong_tries=0,
            tried_at_ms=0,
            last_code=0,
        )
        try:
            with writing(self._engine) as connection:
                connection.execute(row)
        except IntegrityError:
            raise NameTaken from None

    def members(self) -> list[Member]:
        """All of them, by name."""
        with asking(self._engine) as connection:
            return [_member(row) for row in connection.execute(select(staff).order_by("name"))]

    def disable(self, name: str) -> None:
        """Whatever they are signed in with ends too. Raises LastOfRole."""
        ended = delete(staff_sign_in).where(staff_sign_in.c.name == name)
        role = select(staff.c.role).where(staff.c.name == name).scalar_subquery()
        # Held to the end, in one order: of two who disable one another the second sees it.
        able = (
            select(staff.c.name)
            .where(staff.c.role == role, staff.c.disabled.is_(False))
            .order_by(staff.c.name)
            .with_for_update()
        )
        with writing(self._engine) as connection:
            if not set(connection.execute(able).scalars()) - {name}:
                raise LastOfRole
            connection.execute(update(staff).where(staff.c.name == name).values(disabled=True))
            connection.execute(ended)

    def enable(self, name: str) -> None:
        enabled = update(staff).where(staff.c.name == name)
        with writing(self._engine) as connection:
            connection.execute(enabled.values(disabled=False, wrong_tries=0))

    def count_try(self, name: str, *, tries_max: int, rest_ms: int) -> Keys | None:
        """What a try to sign in is looked at by; None where there is nobody of this name, or
        where too many were wrong: then for as long as `rest_ms` from the last."""
        now_ms = self._now_ms()
        rested = staff.c.tried_at_ms <= now_ms - rest_ms
        with writing(self._engine) as connection:
            connection.execute(
                update(staff).where(staff.c.name == name, rested).values(wrong_tries=0)
            )
            counted = connection.execute(
                update(staff)
                .where(
                    staff.c.name == name,
                    staff.c.wrong_tries < tries_max,
                    staff.c.disabled.is_(False),
                )
                .values(wrong_tries=staff.c.wrong_tries + 1, tried_at_ms=now_ms)
                .returning(staff.c.password_hash, staff.c.totp_seed)
            ).first()
        return Keys(counted.password_hash, counted.totp_seed) if counted else None

    def sign_in(self, name: str, *, code: int, token_hash: str, lasts_ms: int) -> bool:
        """Keeps the token, and forgets the tries. False where this code, or a later one, was
        used before."""
        now_ms = self._now_ms()
        used = (
            update(staff)
            .where(staff.c.name == name, staff.c.last_code < code, staff.c.disabled.is_(False))
            .values(last_code=code, wrong_tries=0)
        )
        row = insert(staff_sign_in).values(
            token_hash=token_hash, name=name, at_ms=now_ms, ends_at_ms=now_ms + lasts_ms
        )
        over = delete(staff_sign_in).where(staff_sign_in.c.ends_at_ms <= now_ms)
        with writing(self._engine) as connection:
            if connection.execute(used).rowcount == 0:
                return False
            connection.execute(over)
            connection.execute(row)
        return True

    def signed_in(self, token_hash: str) -> Member | None:
        """Whose token it is, while it lasts."""
        found = (
            select(staff)
            .join(staff_sign_in)
            .where(
                staff_sign_in.c.token_hash == token_hash,
                staff_sign_in.c.ends_at_ms > self._now_ms(),
                staff.c.disabled.is_(False),
            )
        )
        with asking(self._engine) as connection:
            row = connection.execute(found).first()
            return _member(row) if row else None

    def sign_out(self, token_hash: str) -> None:
        with writing(self._engine) as connection:
            connection.execute(
                delete(staff_sign_in).where(staff_sign_in.c.token_hash == token_hash)
            )

    def _now_ms(self) -> int:
        return int(self._clock.now().timestamp() * 1000)


def _member(row: Row[Any]) -> Member:
    return Member(row.name, Role(row.role), row.added_by, row.added_at_ms, row.disabled)
