"""What goes into a step of the engine, and what comes out of it.

`Session` and `Mark` are also what is kept of a session between hops. These are msgspec structs
rather than dataclasses: a step makes several of them, at a tenth of the cost.
"""

from msgspec import Struct

from ussd_gateway.domain.money import Money
from ussd_gateway.ports import Answer, Scalar, Secret

# ports.Scalar, spelled out for the decoder.
Kept = str | int | bool | Money


class Mark(Struct, frozen=True, array_like=True):
    """A screen to go back to, and what the vars set since then held there (None: unset)."""

    state: str
    undo: dict[str, Kept | None]


class Session(Struct, frozen=True, array_like=True):
    """Where a phone is in a program. No secret is ever in it."""

    state: str
    language: str
    values: dict[str, Kept]
    back: tuple[Mark, ...]
    tries: int  # bad inputs in a row at this state


class New(Struct, frozen=True):
    """The session begins, at the entry."""


class Typed(Struct, frozen=True):
    """The phone sent `text`, which may be a PIN: it prints as nothing."""

    text: str

    def __repr__(self) -> str:
        return "Typed(***)"


class Jump(Struct, frozen=True):
    """A shortcut was dialled."""

    state: str
    values: dict[str, Scalar]


class Answered(Struct, frozen=True):
    """The action that the last step wanted has answered."""

    answer: Answer


Event = New | Typed | Jump | Answered


class Screen(Struct, frozen=True):
    """What the phone shows. `rejected`: the input was bad, and this is its screen again."""

    text: str
    ends: bool = False
    rejected: bool = False


class Wanted(Struct, frozen=True):
    """An action to run; its answer is the next event."""

    action: str
    state: str
    args: dict[str, Scalar]
    secret: Secret | None
    within_s: float


Step = tuple[Session, Screen | Wanted]
