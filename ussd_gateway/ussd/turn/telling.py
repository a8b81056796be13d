"""What the books' answer means to a person whose session is lost: the END it leads to."""

from ussd_gateway.ports import Scalar, Settled
from ussd_gateway.ussd import menu
from ussd_gateway.ussd.engine import beyond_decides, results
from ussd_gateway.ussd.events import Screen
from ussd_gateway.ussd.menu import Again, Program, Taken
from ussd_gateway.ussd.render import render


def tell(program: Program, settled: Settled, language: str | None) -> Screen:
    """The END that the books' answer leads to, when the session that asked is lost."""
    language = program.language(language)
    act = _act(program, settled)
    target = act.outcomes.get(settled.answer.outcome) if act else None
    # The pack has changed since: what the answer meant is not known here.
    if target is None:
        return Screen(render(program.notices.checking, language, {}), ends=True)

    again = render(program.notices.dial_again, language, {})
    if isinstance(target, Again):
        note = render(target.note, language, _values(program, settled))
        return Screen(f"{note}\n{again}", ends=True)
    # What leads on into the menu, or is told by what the session knew, moved nothing (lint,
    # E18): there is no session to go on, and a new one may begin.
    return told_end(program, settled, language) or Screen(again, ends=True)


def told_end(program: Program, settled: Settled, language: str | None) -> Screen | None:
    """The same; None where it is no END, and the session can go on."""
    language = program.language(language)
    act = _act(program, settled)
    target = act.outcomes.get(settled.answer.outcome) if act else None
    if not isinstance(target, str):
        return None
    values = _values(program, settled)
    end = _end_of(program, target, values, _promised(program, settled))
    return Screen(render(end.text, language, values), ends=True) if end else None


def _act(program: Program, settled: Settled) -> menu.Act | None:
    """What was asked there; None where the pack has no such state any more."""
    state = program.states.get(settled.state)
    return state.act if isinstance(state, menu.Secret | menu.Call) else None


def _takes(program: Program, settled: Settled) -> tuple[Taken, ...]:
    state = program.states[settled.state]
    assert isinstance(state, menu.Secret | menu.Call), "only these are answered"
    return state.takes


def _values(program: Program, settled: Settled) -> dict[str, Scalar]:
    return results(_takes(program, settled), settled.answer)


def _promised(program: Program, settled: Settled) -> frozenset[str]:
    return frozenset(taken.name for taken in _takes(program, settled))


def _end_of(
    program: Program, name: str, values: menu.Vars, promised: frozenset[str]
) -> menu.End | None:
    """The END that `name` is or decides for, if what the answer promised is all it takes."""
    for _ in program.states:
        match program.states[name]:
            case menu.End(text=text) as end:
                return end if text.names <= promised else None
            case menu.Decide(rules=rules):
                if not all(rule.when.names <= promised for rule in rules if rule.when):
                    return None
                name = beyond_decides(program, name, values)
            case _:
                return None
    raise AssertionError(f"{name} decides in a circle")
