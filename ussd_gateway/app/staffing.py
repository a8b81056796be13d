"""Who works for the house: accounts, and signing in with a password and a one-time code.

    password --argon2--> a hash, kept      code --TOTP--> its period, each used once
    token: in a file of DATA_DIR that its owner alone can read; the database keeps a hash of it

Makers add makers and checkers add checkers: nobody gains, by adding somebody, a key that they
do not have. The installation adds the first of each, and no other ever.
"""

import hashlib
import os
import re
import secrets
from collections.abc import Sequence
from contextlib import suppress
from datetime import datetime, timedelta
from pathlib import Path

import pyotp
from argon2 import PasswordHasher
from argon2.exceptions import VerificationError

from ussd_gateway.app.chance import SystemClock
from ussd_gateway.app.publishing import INSTALLATION, NotPossible
from ussd_gateway.ports import Clock, Secret
from ussd_gateway.settings import Settings
from ussd_gateway.store.staff import Keys, LastOfRole, Member, NameTaken, Role, SqlStaff

ISSUER = "USSD gateway"

tries_max = 5
rest = timedelta(minutes=15)
lasts = timedelta(hours=8)
password_characters_min = 10
password_characters_max = 200
# A code is taken for this many periods of 30 s before and after its own.
periods_around = 1

_NAME = re.compile(r"[a-z][a-z0-9._-]{1,31}")
_hasher = PasswordHasher()


class NotSignedIn(NotPossible):
    """Nobody is signed in here, or no longer."""


def add(staff: SqlStaff, name: str, role: Role, password: Secret, *, by: Member | None) -> str:
    """An account; gives the address, `otpauth://...`, that its owner's authenticator reads, and
    that nobody can ask for again. Raises NotPossible."""
    # Of those who are disabled too: or whoever disables them would be the installation.
    first = not any(member.role is role for member in staff.members())
    if by is None and not first:
        raise NotSignedIn(
            f"there is a {role.value} already, who adds the next: sign in with "
            "`ussd-gateway staff sign-in NAME`"
        )
    if by is not None and by.role is not role:
        adds = (
            "the installation adds the first: `ussd-gateway staff sign-out`, then add"
            if first
            else f"a {role.value} adds the next"
        )
        raise NotPossible(f"{by.name} is a {by.role.value}: {adds}")
    if not _NAME.fullmatch(name) or name == INSTALLATION:
        raise NotPossible(
            f"{name}: a name has 2 to 32 of a-z 0-9 . _ - and begins with a letter"
        )
    seed = pyotp.random_base32()
    enrol(staff, name, role, password, seed, added_by=by.name if by else INSTALLATION)
    return pyotp.TOTP(seed).provisioning_uri(name=name, issuer_name=ISSUER)


def enrol(
    staff: SqlStaff, name: str, role: Role, password: Secret, seed: str, *, added_by: str
) -> None:
    """Raises NotPossible."""
    length = len(password.reveal())
    if not password_characters_min <= length <= password_characters_max:
        raise NotPossible(
            f"a password has {password_characters_min} to {password_characters_max} characters"
        )
    keys = Keys(_hasher.hash(password.reveal()), seed)
    try:
        staff.add(name, role, keys, added_by=added_by)
    except NameTaken:
        raise NotPossible(f"{name}: somebody has this name; see `staff list`") from None


def sign_in(
    settings: Settings,
    staff: SqlStaff,
    name: str,
    password: Secret,
    code: str,
    *,
    phones: Clock | None = None,
) -> None:
    """Whoever was signed in here is signed out. `phones`: the time of the authenticators, which
    nobody sets forward; the machine's. Raises NotPossible."""
    keys = staff.count_try(name, tries_max=tries_max, rest_ms=rest // timedelta(milliseconds=1))
    now = (phones or SystemClock()).now()
    period = _period(keys, password, code.replace(" ", ""), now)
    if period is None:
        raise NotPossible(
            f"{name}: name, password and code do not go together; after {tries_max} such tries "
            f"the account rests for {rest // timedelta(minutes=1)} minutes"
        )
    token = secrets.token_urlsafe(32).encode()
    signed = staff.sign_in(
        name,
        code=period,
        token_hash=_hashed(token),
        lasts_ms=lasts // timedelta(milliseconds=1),
    )
    if not signed:
        raise NotPossible(f"{name}: this code was used already: wait for the next")
    sign_out(settings, staff)
    _keep(settings, token)


def sign_out(settings: Settings, staff: SqlStaff) -> None:
    token = _kept(settings)
    if token is not None:
        staff.sign_out(_hashed(token))
        _path(settings).unlink(missing_ok=True)


def signed_in(settings: Settings, staff: SqlStaff) -> Member | None:
    """Raises BooksLost."""
    token = _kept(settings)
    return None if token is None else staff.signed_in(_hashed(token))


def required(settings: Settings, staff: SqlStaff) -> Member:
    """Who is signed in. Raises NotSignedIn, and BooksLost."""
    member = signed_in(settings, staff)
    if member is None:
        first = "" if staff.members() else "add somebody with `ussd-gateway staff add`, then "
        raise NotSignedIn(
            f"nobody is signed in here: {first}sign in with `ussd-gateway staff sign-in NAME` "
            f"(it lasts {lasts // timedelta(hours=1)} hours)"
        )
    return member


def check_role(member: Member, role: Role, what: str) -> None:
    """Raises NotPossible."""
    if member.role is not role:
        raise NotPossible(
            f"{member.name} is a {member.role.value}: {role.value}s {what}; "
            "sign in as one of them"
        )


def disable(staff: SqlStaff, name: str) -> None:
    """Anybody of the staff may; never the last of a role. Raises NotPossible."""
    member = _named(staff.members(), name)
    if member.disabled:
        raise NotPossible(f"{name}: disabled already")
    try:
        staff.disable(name)
    except LastOfRole:
        raise NotPossible(
            f"{name} is the only {member.role.value}: add another first"
        ) from None


def enable(staff: SqlStaff, name: str, *, by: Member) -> None:
    """Ends what `disable` did, and forgets wrong tries. Raises NotPossible."""
    member = _named(staff.members(), name)
    check_role(by, member.role, f"enable {name}")
    staff.enable(name)


def _named(members: Sequence[Member], name: str) -> Member:
    for member in members:
        if member.name == name:
            return member
    known = ", ".join(member.name for member in members) or "nobody"
    raise NotPossible(f"{name}: not of the staff; who is: {known}")


def _period(keys: Keys | None, password: Secret, code: str, now: datetime) -> int | None:
    """Of the code, if it and the password are right. Who is not there takes as long."""
    try:
        _hasher.verify(keys.password_hash if keys else _NOBODY, password.reveal())
    except VerificationError:
        return None
    if keys is None:
        return None
    totp = pyotp.TOTP(keys.totp_seed)
    for around in range(-periods_around, periods_around + 1):
        if secrets.compare_digest(totp.at(now, counter_offset=around).encode(), code.encode()):
            return totp.timecode(now) + around
    return None


# Of a password that nobody has.
_NOBODY = (
    "$argon2id$v=19$m=65536,t=3,p=4$"
    "c29tZWJvZHlzc2FsdA$MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nzg5MDE"
)


def _hashed(token: bytes) -> str:
    return hashlib.sha256(token).hexdigest()


def _path(settings: Settings) -> Path:
    """One for each user of the machine, who share the folder."""
    return settings.data_dir / f"signed-in-{os.getuid()}"


def _kept(settings: Settings) -> bytes | None:
    with suppress(OSError):
        return _path(settings).read_bytes()
    return None


def _keep(settings: Settings, token: bytes) -> None:
    path = _path(settings)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.unlink(missing_ok=True)
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
        file.write(token)
