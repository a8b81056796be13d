"""A payment that is asked back, and decided: what staff do, and what the rows say of it."""

from typing import Any

from sqlalchemy import func, select

from tests.store.orders.staffed import AMINAS, JUMAS, Office, by, kes
from ussd_gateway.domain.book import Outcome
from ussd_gateway.domain.journal import Leg
from ussd_gateway.store.codec import decode_values
from ussd_gateway.store.database import reading
from ussd_gateway.store.schema import account, hold, journal, outbox


def ask(
    office: Office, receipt: str, minor: int | None = None, *, whole: bool = False
) -> Outcome:
    amount = None if minor is None else kes(minor)
    return office.reversals.ask(receipt, amount, by("njeri"), whole=whole)


def approve(office: Office, asked: Outcome, minor: int | None = None) -> Outcome:
    amount = None if minor is None else kes(minor)
    return office.reversals.approve(number(asked), amount, by("odhiambo"))


def refuse(office: Office, asked: Outcome) -> Outcome:
    return office.reversals.refuse(number(asked), by("odhiambo"))


def number(asked: Outcome) -> int:
    assert asked.name == "ok", asked
    return int(asked.values["hold"])


def spends(office: Office, minor: int) -> bool:
    """Juma, so that it is not there any more, if he can."""
    legs = (Leg(JUMAS, minor), Leg(AMINAS, -minor))
    return office.does("spend", legs, minor) != "timeout"


def held(office: Office, asked: Outcome) -> tuple[str, int]:
    found = select(hold.c.state, hold.c.posted).where(hold.c.id == number(asked))
    with reading(office.engine) as connection:
        state, posted = connection.execute(found).one()
        return state, posted


def used(office: Office) -> tuple[int, int]:
    """What limits count of Amina's day and month."""
    found = select(account.c.used_day, account.c.used_month).where(account.c.id == AMINAS)
    with reading(office.engine) as connection:
        day, month = connection.execute(found).one()
    return day, month


def journals(office: Office, kind: str) -> list[Any]:
    with reading(office.engine) as connection:
        return list(connection.execute(select(journal).where(journal.c.kind == kind)))


def told(office: Office, *templates: str) -> list[tuple[str, dict[str, Any]]]:
    found = select(outbox.c.template, outbox.c.msisdn, outbox.c.params)
    with reading(office.engine) as connection:
        rows = {row.template: row for row in connection.execute(found)}
    return [(rows[each].msisdn, decode_values(rows[each].params)) for each in templates]


def sent(office: Office, template: str) -> int:
    found = select(func.count()).select_from(outbox).where(outbox.c.template == template)
    with reading(office.engine) as connection:
        return int(connection.execute(found).scalar_one())
