"""Lists, and menus of more than one page: what is printed is what can be chosen."""

import pytest

from tests.ussd.listed_pack import LISTED, listed, rows
from tests.ussd.stand_in import AMINA, JUMA
from ussd_gateway.domain import gsm7
from ussd_gateway.ports import Answer, Profile
from ussd_gateway.ussd import engine
from ussd_gateway.ussd.events import Answered, Event, New, Redialled, Screen, Typed, Wanted
from ussd_gateway.ussd.menu import List, Program


def program(source: str = LISTED) -> Program:
    found = listed(source)
    assert isinstance(found, Program), "\n".join(map(str, found))
    return found


class Phone:
    def __init__(
        self,
        *,
        source: str = LISTED,
        who: Profile = AMINA,
        septets_max: int = 160,
        people: int = 12,
    ) -> None:
        self.program = program(source)
        self.septets_max = septets_max
        self.people = rows(people)
        self.session = engine.begin(self.program, who)
        self.asked = 0
        self.ends = False
        self.text = self.does(New())

    def types(self, *inputs: str) -> str:
        for text in inputs:
            self.text = self.does(Typed(text))
        return self.text

    def does(self, event: Event) -> str:
        self.session, shown = engine.step(self.program, self.session, event, self.septets_max)
        if isinstance(shown, Wanted):
            self.asked += 1
            return self.does(Answered(self.people))
        assert gsm7.septets(shown.text) <= self.septets_max
        self.ends = shown.ends
        return shown.text


def test_a_list_is_shown_in_pages_and_a_row_is_chosen_by_its_number() -> None:
    phone = Phone()
    assert phone.types("1") == (
        "Whom?\n1. Payee 1 KES 1.00\n2. Payee 2 KES 2.00\n3. Payee 3 KES 3.00\n"
        "4. Payee 4 KES 4.00\n5. Payee 5 KES 5.00\n6. Payee 6 KES 6.00\n98. More\n0. Back"
    )
    second = phone.types("98")
    assert second.startswith("Whom?\n7. Payee 7 KES 7.00")
    assert second.endswith("\n98. More\n97. Previous\n0. Back")
    assert phone.types("97").startswith("Whom?\n1. ")
    phone.types("98")
    assert phone.types("7") == "Pay Payee 7?\n1. Yes\n0. Back"
    assert phone.session.values["payee.item"] == "id-7"
    assert phone.types("1") == "Paid Payee 7 KES 7.00."


def test_what_is_on_another_page_can_be_chosen_too() -> None:
    phone = Phone()
    assert phone.types("1", "11").startswith("Pay Payee 11?")


@pytest.mark.parametrize("text", ["13", "01", "-1", "97", "", "1 ", "six"])
def test_what_is_no_number_of_the_list_shows_the_same_page_again(text: str) -> None:
    phone = Phone()
    page = phone.types("1")
    shown = phone.types(text)
    if text.strip() == "1":
        assert shown.startswith("Pay Payee 1?")
    else:
        assert shown == f"No such option.\n{page}"


def test_the_last_page_has_nothing_more() -> None:
    phone = Phone(people=8)
    last = phone.types("1", "98")
    assert last == "Whom?\n7. Payee 7 KES 7.00\n8. Payee 8 KES 8.00\n97. Previous\n0. Back"
    assert phone.types("98") == f"No such option.\n{last}"


def test_a_number_is_bound_to_the_row_that_was_printed_though_the_list_has_changed() -> None:
    phone = Phone()
    phone.types("1")
    phone.people = Answer("ok", {}, phone.people.rows[::-1])
    phone.types("2")
    assert phone.session.values["payee.name"] == "Payee 2"


def test_the_way_back_reads_the_list_anew_at_the_same_page() -> None:
    phone = Phone()
    phone.types("1", "98")
    phone.types("7")
    phone.people = rows(11)
    assert phone.types("0").startswith("Whom?\n7. ")
    assert phone.asked == 2
    assert "payee.name" not in phone.session.values


def test_a_page_that_is_gone_is_the_last_there_is() -> None:
    phone = Phone()
    phone.types("1", "98", "7")
    phone.people = rows(2)
    assert phone.types("0") == ("Whom?\n1. Payee 1 KES 1.00\n2. Payee 2 KES 2.00\n0. Back")


def test_an_empty_list_leads_elsewhere() -> None:
    phone = Phone(people=0)
    assert phone.types("1") == "Nobody to pay."
    assert phone.ends


def test_an_action_that_does_not_answer_in_time_leads_elsewhere() -> None:
    phone = Phone()
    phone.people = Answer("timeout", {})
    assert phone.types("1") == "Stopped."


def test_a_list_that_was_lost_is_read_anew() -> None:
    phone = Phone()
    phone.types("1", "98")
    phone.people = rows(1)
    assert phone.does(Redialled({})) == "1. Continue\n2. Start again"
    assert phone.types("1") == "Whom?\n1. Payee 1 KES 1.00\n0. Back"


def test_more_rows_than_the_action_promises_are_left_out() -> None:
    phone = Phone(people=31)
    phone.types("1")
    state = phone.program.states["choose"]
    assert isinstance(state, List)
    assert len(phone.session.rows) == state.rows_max == 30


CHOOSING = LISTED.replace("      into: payee\n", "      into: payee\n      single: choose\n")


def test_of_one_row_there_is_nothing_to_ask() -> None:
    phone = Phone(source=CHOOSING, people=1)
    assert phone.types("1").startswith("Pay Payee 1?")
    assert phone.types("0").startswith("Home")
    assert "payee.name" not in phone.session.values
    assert Phone(source=CHOOSING, people=2).types("1").startswith("Whom?")


# --- menus ---------------------------------------------------------------------------------


def test_a_menu_that_is_too_long_is_shown_in_pages_and_keeps_its_keys() -> None:
    phone = Phone()
    assert phone.types("2") == (
        "Choose\n1. The first of the many long options\n2. The second of the many long options"
        "\n3. The third of the many long options\n98. More\n0. Back"
    )
    second = phone.types("98")
    assert second == (
        "Choose\n4. The fourth of the many long options\n5. The fifth of the many long options"
        "\n6. The sixth of the many long options\n97. Previous\n0. Back"
    )
    assert phone.types("6") == "Sure?\n1. Yes\n0. Back"
    assert phone.types("0") == second


def test_what_fits_one_screen_has_one_page() -> None:
    phone = Phone(who=JUMA)
    assert phone.types("2") == (
        "Chagua\n1. Kwanza\n2. Pili\n3. Tatu\n4. Nne\n5. Tano\n6. Sita\n0. Rudi"
    )
    assert phone.types("98").startswith("Chaguo si sahihi.\nChagua")


@pytest.mark.parametrize("septets_max", [91, 110, 130, 160, 182])
def test_every_page_fits_its_route_with_a_reason_above_it(septets_max: int) -> None:
    phone = Phone(septets_max=septets_max)
    phone.types("2")
    seen = set()
    for _ in range(6):
        seen |= {line.split(".")[0] for line in phone.text.split("\n")}
        phone.types("77")
        phone.types("98")
    assert {"1", "2", "3", "4", "5", "6"} <= seen


def test_no_screen_of_a_list_is_shown_without_its_rows() -> None:
    phone = Phone()
    phone.types("1")
    shown = engine.step(phone.program, phone.session, Typed("00"), 160)[1]
    assert isinstance(shown, Screen)
    assert shown.text.startswith("Home")
