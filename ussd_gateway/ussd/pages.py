"""Menus and lists that are too long for one screen, in pages.

    Choose                      the text, on every page
    6. Maji Water KES 20.00     as many lines as there is room for, with their own keys
    98. More                    keys that turn pages, where there is somewhere to turn to
    97. Previous
    0. Back

Where the pages begin that a session has come to is kept with it. Room is left for a reason
above, so that a page is the same page with a reason and without. A line is known by its key
whatever page is shown: what is on another page can be chosen too.
"""

from collections.abc import Iterator
from itertools import islice

from ussd_gateway.ussd.events import Session
from ussd_gateway.ussd.menu import List, Menu, Notices, Option, Program, Text, Vars
from ussd_gateway.ussd.render import cost, render, septets_at_worst


def reason_septets(notices: Notices, language: str) -> int:
    """What the longest that can stand above a page costs, with the end of its line."""
    wide = language in notices.bad_choice.wide
    above = (notices.bad_choice, notices.menu_changed)
    return max(septets_at_worst(each, language) for each in above) + 1 + wide


def shown(
    program: Program, session: Session, state: Menu | List, septets_max: int
) -> tuple[str, int | None]:
    """The page that the session is at, and the place of the line that the next begins with;
    None where there is no next. `session.pages` says where this one begins."""
    language = session.language
    wide = language in state.text.wide
    page = session.page
    begins = session.pages[page]
    text = render(state.text, language, session.values)
    more = _line(program.nav.more, program.notices.more, {}, session)
    prev = _line(program.nav.prev, program.notices.prev, {}, session) if page else ""
    back = _back(program, session, state)
    room = septets_max - program.above[language]
    room -= cost(f"{text}{prev}{back}", wide=wide)
    room_before_more = room - cost(more, wide=wide)

    lines: list[str] = []
    used = full = 0  # septets of the lines; how many of them leave room for a way to the others
    for label in _labels(session, state, begins):
        line = _line(*label, session)
        used += cost(line, wide=wide)
        if used > room and full:
            return f"{text}{''.join(lines[:full])}{more}{prev}{back}", begins + full
        lines.append(line)
        if used <= room_before_more or not full:
            full = len(lines)
    return f"{text}{''.join(lines)}{prev}{back}", None


def _labels(
    session: Session, state: Menu | List, begins: int
) -> Iterator[tuple[str, Text, Vars]]:
    """Of each line from there on: its key, its text, and what that knows beside the session."""
    match state:
        case Menu():
            options = state.options.items()
            seen = (each for each in options if _is_seen(each[1], session))
            for key, option in islice(seen, begins, None):
                yield key, option.text, {}
        case List():
            for place in range(begins, len(session.rows)):
                yield str(place + 1), state.row, session.rows[place]


def _is_seen(option: Option, session: Session) -> bool:
    return option.when is None or option.when.holds(session.values)


def _line(key: str, label: Text, known: Vars, session: Session) -> str:
    values = {**session.values, **known} if known else session.values
    return f"\n{key}. {render(label, session.language, values)}"


def _back(program: Program, session: Session, state: Menu | List) -> str:
    rooted = isinstance(state, Menu) and state.root
    if rooted or not state.nav:
        return ""
    return _line(program.nav.back, program.notices.back, {}, session)
