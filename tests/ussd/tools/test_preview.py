"""What the phone shows, as a person sees it before it is published."""

from collections.abc import Mapping

import pytest

from ussd_gateway.ports import Action
from ussd_gateway.ussd.menu import Call, Decide, End, Input, Program, Secret
from ussd_gateway.ussd.pages import reason_septets
from ussd_gateway.ussd.render import septets_at_worst
from ussd_gateway.ussd.tools import phone
from ussd_gateway.ussd.tools.preview import notices, preview
from ussd_gateway.ussd.tools.samples import Size


def test_a_screen_stands_in_a_phone_with_what_it_takes(
    customer: Program, actions: Mapping[str, Action]
) -> None:
    [shown] = preview(customer, actions, states=["send_pin"], languages=["en"])

    assert shown.text.split("\n")[0] == "Send KES 500.00 to Juma Otieno 0711000002"
    assert shown.septets == len(shown.text)
    assert shown.framed == [
        "╭─ en ───────────────────────────╮",
        "│ Send KES 500.00 to Juma Otieno │",
        "│ 0711000002                     │",
        "│ Fee KES 7.00 Total KES 507.00  │",
        "│ Enter PIN                      │",
        "╰────────────────────────────────╯",
        " 81/160                           ",
    ]


@pytest.mark.parametrize("pack", ["customer", "agent"])
def test_every_state_with_a_screen_is_shown_in_every_language(
    packs: Mapping[str, Program], actions: Mapping[str, Action], pack: str
) -> None:
    program = packs[pack]
    shown = {(each.state, each.language) for each in preview(program, actions)}
    silent = (Call, Decide)

    assert shown == {
        (name, language)
        for name, state in program.states.items()
        for language in program.languages
        if not isinstance(state, silent)
    }


@pytest.mark.parametrize("pack", ["customer", "agent"])
def test_the_worst_case_is_what_lint_measures_and_fits(
    packs: Mapping[str, Program], actions: Mapping[str, Action], pack: str
) -> None:
    program = packs[pack]
    for shown in preview(program, actions, size=Size.WORST):
        assert shown.septets <= shown.septets_max, shown
        state = program.states[shown.state]
        match state:
            case End():
                wanted = septets_at_worst(state.text, shown.language)
            case Input():
                reasons = [state.bad, *(check.say for check in state.checks)]
                wanted = (
                    septets_at_worst(state.text, shown.language)
                    + 1
                    + max(septets_at_worst(reason, shown.language) for reason in reasons)
                )
            case _:
                continue
        assert shown.septets == wanted, shown


def test_a_long_list_is_shown_page_by_page(
    customer: Program, actions: Mapping[str, Action]
) -> None:
    pages = list(
        preview(customer, actions, states=["content_offers"], languages=["en"], size=Size.WORST)
    )

    assert [each.page for each in pages] == list(range(1, len(pages) + 1))
    assert {each.pages for each in pages} == {len(pages)}
    assert "98. More" in pages[0].text
    assert "98. More" not in pages[-1].text


def test_a_screen_that_does_not_fit_says_so(
    customer: Program, actions: Mapping[str, Action]
) -> None:
    [shown] = preview(customer, actions, states=["send_pin"], languages=["en"], septets_max=60)

    assert shown.framed[-1].strip() == "81/60  TOO LONG"


def test_what_the_gateway_itself_says_is_shown_too(customer: Program) -> None:
    said = {each.state: each.text for each in notices(customer, languages=["en"])}

    assert said["back"] == "Back"
    assert said["resume"].endswith("2. Start again")
    assert max(each.septets for each in notices(customer, size=Size.WORST)) <= 160


def test_phones_stand_side_by_side_however_long_they_are() -> None:
    lines = phone.beside([phone.framed("one"), phone.framed("one\ntwo\nthree")])

    assert len(lines) == 5
    assert len({line.index("╮", 40) for line in lines[:1]}) == 1
    assert lines[2].endswith("│ two                            │")


def test_the_reasons_above_a_page_leave_it_a_page(customer: Program) -> None:
    assert all(reason_septets(customer.notices, each) < 80 for each in customer.languages)


def test_a_secret_is_shown_under_its_longest_reason(
    customer: Program, actions: Mapping[str, Action]
) -> None:
    assert isinstance(customer.states["balance_pin"], Secret)
    [shown] = preview(
        customer, actions, states=["balance_pin"], languages=["en"], size=Size.WORST
    )

    assert shown.text == "Wrong PIN. Tries left: 999999\nEnter PIN"
