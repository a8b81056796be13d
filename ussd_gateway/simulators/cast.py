"""Who the phones can be: the demo cast of fixtures/people.yaml, as the page shows it."""

from dataclasses import dataclass
from pathlib import Path

import yaml

from ussd_gateway.domain.msisdn import Msisdn

CUSTOMER_CODE = "*384#"
AGENT_CODE = "*385#"


@dataclass(frozen=True, slots=True)
class Person:
    """A number to choose. `hint` is what a newcomer needs to play the part, its PIN too."""

    msisdn: Msisdn
    name: str
    hint: str
    code: str = CUSTOMER_CODE


def read_cast(path: Path) -> tuple[Person, ...]:
    """The cast in the order of the file, customers first; nobody where there is no file."""
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
    return (*customers, *strangers, *agents)


_LANGUAGES = {"en": "English", "sw": "Kiswahili", "fr": "Français"}
