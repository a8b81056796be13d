"""E18 and E10: what comes of a secret is told though the session is lost."""

from collections.abc import Mapping

from ussd_gateway.files.faults import Faults
from ussd_gateway.ports import UNKNOWN, Action, Effect
from ussd_gateway.ussd.lint.texts import line_of
from ussd_gateway.ussd.menu import Again, Decide, End, Guard, Program, Secret, Text


def check(program: Program, actions: Mapping[str, Action], faults: Faults) -> None:
    """What comes of a secret must be tellable from the books alone: a session may be lost.

    So it is with every END that a secret leads to, and every rule on the way there. A screen
    is never told: of a lost session, one that moved no money may be begun again. What has moved
    it, or may have, ends the session, and is not asked again.
    """
    for name, state in program.states.items():
        if not isinstance(state, Secret):
            continue
        ends = {UNKNOWN}
        if state.act.effect is Effect.MONEY:
            ends |= actions[state.act.action].moves
        for outcome, target in state.act.outcomes.items():
            must_end = outcome in ends
            if not isinstance(target, Again):
                _check_told(name, outcome, target, program, faults, must_end=must_end)
                continue
            _check_tellable(outcome, target.note, faults)
            if must_end:
                advice = (
                    f"{outcome} of {name} has moved money, or may have: lead it to an `end`"
                )
                faults.add("E18", target.note.line, "again", advice)


def _check_told(
    name: str, outcome: str, target: str, program: Program, faults: Faults, *, must_end: bool
) -> None:
    passed: set[str] = set()
    ahead = [target]
    while ahead:  # ends: each state is taken once
        state_name = ahead.pop()
        if state_name in passed:
            continue
        passed.add(state_name)
        match program.states[state_name]:
            case End(text=text):
                _check_tellable(outcome, text, faults)
            case Decide(rules=rules):
                for rule in rules:
                    ahead.append(rule.go)
                    if rule.when is not None:
                        _check_tellable(outcome, rule.when, faults)
            case state if must_end:
                advice = f"{outcome} of {name} must end the session here"
                faults.add("E18", state.line, state_name, advice)
            case _:
                pass


def _check_tellable(outcome: str, user: Text | Guard, faults: Faults) -> None:
    for name in sorted(user.names):
        if not name.startswith("result."):
            advice = f"after a secret ({outcome}) use result.* only: the session may be lost"
            faults.add("E10", line_of(user, name), name, advice)
