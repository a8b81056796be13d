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
    page: int = 0


class Session(Struct, frozen=True, array_like=True):
    """Where a phone is in a program. No secret is ever in it.

    `rows` are those of the list on the screen: its numbers are bound to them. `pages` are the
    places of the first line of each page that was come to, and of the next. `quoted` is the
    first of the calls on the way to this screen: who comes back to it later asks them anew.
    `paused`: the phone was lost, dialled again, and is asked whether to go on.
    """

    state: str
    language: str
    values: dict[str, Kept]
    back: tuple[Mark, ...]
    tries: int  # bad inputs in a row at this state
    page: int = 0
    pages: tuple[int, ...] = ()
    rows: tuple[dict[str, Kept], ...] = ()
    quoted: str = ""
    paused: bool = False


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


class Redialled(Struct, frozen=True):
    """The phone dials while this session could still go on. `values` are me.* as of now."""

    values: dict[str, Scalar]


class Answered(Struct, frozen=True):
    """The action that the last step wanted has answered."""

    answer: Answer


Event = New | Typed | Jump | Redialled | Answered


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
