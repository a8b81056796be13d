"""Who the phones can be: the demo cast of fixtures/people.yaml, as the page shows it."""

from dataclasses import dataclass
from pathlib import Path

import yaml

from ussd_gateway.domain.msisdn import Msisdn

CUSTOMER_CODE = "*384#"
AGENT_CODE = "*385#"
# Where phones send an SMS to us.
SHORT_CODE = "20384"


@dataclass(frozen=True, slots=True)
class Person:
    """A number to choose. `hint` is what a newcomer needs to play the part, its PIN too; those
    of one `group` stand together under its name, first those of none."""

    msisdn: Msisdn
    name: str
    hint: str
    code: str = CUSTOMER_CODE
    group: str = ""


def read_cast(path: Path) -> tuple[Person, ...]:
    """The cast, customers first, then agents, then businesses; nobody where there is no
    file."""
    if not path.exists():
        return ()

    # This loader builds no objects, and leaves each scalar the string that is written.
    people = yaml.load(path.read_text("utf-8"), Loader=yaml.CBaseLoader)  # noqa: S506
    customers = (
        Person(
            Msisdn(one["msisdn"]),
            one["name"],
            f"PIN {one['pin']}, {_LANGUAGES[one['language']]}, starts with {one['balance']}",
        )
        for one in people["customers"]
    )
    strangers = (
        Person(Msisdn(one["msisdn"]), "Nobody we know", "Not registered")
        for one in people["unregistered"]
    )
    agents = (
        Person(Msisdn(one["msisdn"]), one["name"], f"PIN {one['pin']}, {place}", AGENT_CODE)
        for group, place in (("assistants", "assistant"), ("super_agents", "super-agent"))
        for one in people[group]
    )
    businesses = (
        Person(Msisdn(one["msisdn"]), one["name"], f"{paid} {one[number]}", group="Business")
        for trade, paid, number in _TRADES
        for one in people[trade]
    )
    return (*customers, *strangers, *agents, *businesses)


# Who is paid, how, and by which of its numbers.
_TRADES = (
    ("merchants", "Paid by till", "till"),
    ("billers", "Paid by pay bill", "number"),
    ("carrier_merchants", "Paid on the phone bill,", "number"),
)
_LANGUAGES = {"en": "English", "sw": "Kiswahili", "fr": "Français"}
