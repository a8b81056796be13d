"""Two versions of a pack: what a person sees in the one beside what they see in the other, and
what has become of the keys that they know."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from ussd_gateway.ports import Action
from ussd_gateway.ussd.menu import Menu, Program
from ussd_gateway.ussd.tools import phone
from ussd_gateway.ussd.tools.preview import Shown, notices, preview


@dataclass(frozen=True, slots=True)
class Pair:
    """A screen that looks different, in one language; empty where a version does not have
    it."""

    state: str
    language: str
    before: tuple[Shown, ...]
    after: tuple[Shown, ...]

    @property
    def framed(self) -> list[str]:
        lines: list[str] = []
        for page in range(max(len(self.before), len(self.after))):
            sides = (("before", self.before), ("after", self.after))
            lines += phone.beside([_framed(title, shown, page) for title, shown in sides])
        return lines


def _framed(title: str, shown: tuple[Shown, ...], page: int) -> list[str]:
    if page < len(shown):
        return shown[page].framed_as(title)
    return phone.framed("", title=f" {title}: none ")


@dataclass(frozen=True, slots=True)
class Rerouted:
    """A key of a menu that leads elsewhere now."""

    state: str
    key: str
    before: str
    after: str

    def __str__(self) -> str:
        return f"{self.state}: key {self.key} led to {self.before}, and leads to {self.after}"


def pairs(old: Program, new: Program, actions: Mapping[str, Action]) -> Iterator[Pair]:
    """The screens that differ in what is shown, notices first; what only one version has stands
    alone. States that `map` moves stand beside what takes their place."""
    for language in dict.fromkeys((*old.languages, *new.languages)):
        before = _shown(old, actions, language, new.moves)
        after = _shown(new, actions, language, {})
        for state in dict.fromkeys((*before, *after)):
            was, now = before.get(state, ()), after.get(state, ())
            if [each.text for each in was] != [each.text for each in now]:
                yield Pair(state, language, was, now)


def rerouted(old: Program, new: Program) -> Iterator[Rerouted]:
    """What people know by heart and would now be led astray by."""
    for name, state in old.states.items():
        target = new.states.get(new.moves.get(name, name))
        if not isinstance(state, Menu) or not isinstance(target, Menu):
            continue
        for key, option in state.options.items():
            now = target.options.get(key)
            if now is not None and now.go != new.moves.get(option.go, option.go):
                yield Rerouted(name, key, option.go, now.go)


def _shown(
    program: Program, actions: Mapping[str, Action], language: str, moves: Mapping[str, str]
) -> dict[str, tuple[Shown, ...]]:
    """By the names that states have in the newer version."""
    found: dict[str, tuple[Shown, ...]] = {}
    if language not in program.languages:
        return found
    for each in notices(program, languages=[language]):
        found[f"notice {each.state}"] = (each,)
    for each in preview(program, actions, languages=[language]):
        name = moves.get(each.state, each.state)
        found[name] = (*found.get(name, ()), each)
    return found
