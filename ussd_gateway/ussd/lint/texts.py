"""Every text of a program, with where it is shown: what the rules of words look through."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from ussd_gateway.ports import Scalar
from ussd_gateway.ussd.menu import (
    Again,
    Call,
    Decide,
    End,
    Guard,
    Input,
    List,
    Menu,
    Notices,
    Program,
    Secret,
    State,
    Text,
)


@dataclass(frozen=True, slots=True)
class Said:
    """A text, and what it is in: `home`, `option 2 of home`, `notice back`. `state`: None where
    it can stand on any screen."""

    where: str
    state: State | None
    text: Text


def all_said(program: Program) -> Iterator[Said]:
    for name in Notices.__dataclass_fields__:
        yield Said(f"notice {name}", None, getattr(program.notices, name))
    for name, state in program.states.items():
        for where, text in _of(name, state):
            yield Said(where, state, text)


def line_of(user: Guard | Text, name: str) -> int:
    """Where `name` is used: in a text, the first language that shows it."""
    if isinstance(user, Text):
        for language, parts in user.parts.items():
            if any(not isinstance(part, str) and part.name == name for part in parts):
                return user.line_in(language)
    return user.line


def spoken(text: Text, language: str, samples: Mapping[str, Scalar]) -> str:
    """The text as it may be shown, with `samples` for its values where there are any."""
    shown = []
    for part in text.parts[language]:
        if isinstance(part, str):
            shown.append(part)
        elif part.name in samples:
            shown.append(part.show(samples[part.name]))
    return "".join(shown)


def _of(name: str, state: State) -> Iterator[tuple[str, Text]]:
    match state:
        case Menu():
            yield name, state.text
            for key, option in state.options.items():
                yield f"option {key} of {name}", option.text
        case Input():
            yield name, state.text
            for check in state.checks:
                yield f"a check of {name}", check.say
        case Secret():
            yield name, state.text
            for outcome, target in state.act.outcomes.items():
                if isinstance(target, Again):
                    yield f"{outcome} of {name}", target.note
        case List():
            yield name, state.text
            yield f"row of {name}", state.row
        case End():
            yield name, state.text
        case Call() | Decide():
            pass
