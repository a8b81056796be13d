"""A pack that lists: people to pay, and a menu of many long options."""

from tests.ussd.small_pack import RIGHT
from ussd_gateway.domain.money import Money
from ussd_gateway.files.faults import Fault
from ussd_gateway.ports import Action, Answer, Call, Effect, VarType
from ussd_gateway.ussd.menu import Program
from ussd_gateway.ussd.reading.loader import load_pack

MONEY_MAX = Money(50_000_000, "KES")

_STATES = RIGHT.index("states:\n")

LISTED = """\
schema: 1
pack: listed
entry: home
languages: [en, sw]
profile: gsm7-160
nav: {back: "0", home: "00", more: "98", prev: "97"}
session: {idle: 3m, max_hops: 40, resume: {window: 5m, mode: ask}}
vars:
  payee: {type: record, fields: {item: id, name: text(20), price: money}}
@NOTICES@
states:
  home:
    menu:
      text: {en: Home, sw: Nyumbani}
      options:
        - {key: "1", text: {en: People to pay, sw: Wa kulipwa}, go: choose}
        - {key: "2", text: {en: Much to choose from, sw: Mengi}, go: many}
  choose:
    list:
      text: {en: Whom?, sw: Nani?}
      do: payees
      within: 3s
      row: {en: "{row.name} {row.price|money}", sw: "{row.name} {row.price|money}"}
      into: payee
      go: chosen
      outcomes: {empty: nobody, timeout: stopped}
  chosen:
    menu:
      text: {en: "Pay {payee.name}?", sw: "Umlipe {payee.name}?"}
      options:
        - {key: "1", text: {en: "Yes", sw: Ndiyo}, go: paid}
  paid:
    end: {text: {en: "Paid {payee.name} {payee.price|money}.", sw: "{payee.name} amelipwa."}}
  many:
    menu:
      text: {en: Choose, sw: Chagua}
      options:
        - {key: "1", text: {en: "The first of the many long options", sw: Kwanza}, go: stopped}
        - {key: "2", text: {en: "The second of the many long options", sw: Pili}, go: chosen_2}
        - {key: "3", text: {en: "The third of the many long options", sw: Tatu}, go: stopped}
        - {key: "4", text: {en: "The fourth of the many long options", sw: Nne}, go: stopped}
        - {key: "5", text: {en: "The fifth of the many long options", sw: Tano}, go: stopped}
        - {key: "6", text: {en: "The sixth of the many long options", sw: Sita}, go: chosen_2}
  chosen_2:
    menu:
      text: {en: Sure?, sw: Kweli?}
      options:
        - {key: "1", text: {en: "Yes", sw: Ndiyo}, go: stopped}
  nobody:
    end: {text: {en: Nobody to pay., sw: Hakuna wa kulipwa.}}
  stopped:
    end: {text: {en: Stopped., sw: Imesimama.}}
""".replace("@NOTICES@\n", RIGHT[RIGHT.index("notices:\n") : _STATES])


def _nothing(_call: Call) -> Answer:
    raise AssertionError("no action runs here")


PAYEES = Action(
    name="payees",
    effect=Effect.READ,
    takes={},
    gives={},
    outcomes=frozenset(("ok", "timeout")),
    takes_secret=False,
    run=_nothing,
    rows={"item": VarType("id"), "name": VarType("text", 20), "price": VarType("money")},
    rows_max=30,
)


def listed(source: str = LISTED) -> Program | list[Fault]:
    return load_pack(
        source.encode(), file="listed.yaml", actions={"payees": PAYEES}, money_max=MONEY_MAX
    )


def rows(count: int) -> Answer:
    """So many people, each to be paid as many shillings as their number."""
    return Answer(
        "ok",
        {},
        tuple(
            {
                "item": f"id-{number}",
                "name": f"Payee {number}",
                "price": Money(number * 100, "KES"),
            }
            for number in range(1, count + 1)
        ),
    )
