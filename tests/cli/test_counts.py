"""`menu counts`: what became of each screen of what is live."""

from datetime import UTC, datetime

from tests.cli.office import Office
from ussd_gateway.store.database import connect
from ussd_gateway.store.menus.counts import SqlCounts


def counts(office: Office, **by_state: tuple[int, int, int, int]) -> None:
    engine = connect(f"sqlite:///{office.folder / 'gateway.sqlite'}")
    digest = office.live()
    SqlCounts(engine).add(
        datetime.now(UTC).date(),
        {("customer", digest, state): each for state, each in by_state.items()},
    )
    engine.dispose()


def test_each_screen_is_told_in_the_order_of_the_pack(office: Office) -> None:
    counts(office, sent=(6, 0, 0, 0), home=(10, 8, 2, 20_000), send_pin=(7, 6, 1, 9_000))
    said = office.menu("counts", "customer")
    assert said.code == 0, said.stderr
    assert said.lines == [
        f"customer {office.live()}, 30 days",
        "             shown  answered   wrong    left  seconds",
        "home            10         8       2       2      2.5",
        "send_pin         7         6       1       1      1.5",
        "sent             6   the end",
    ]


def test_where_nothing_was_shown_it_is_said(office: Office) -> None:
    assert office.menu("counts", "customer").lines[1] == "No screen of it was shown."


def test_a_pack_that_is_not_there_is_told(office: Office) -> None:
    said = office.menu("counts", "clients")
    assert said.code == 1
    assert "clients" in said.stderr
