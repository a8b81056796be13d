"""The phone is lost at every screen of every flow, and dialled again: whoever continues pays
once, whoever starts again has paid nothing, and nobody comes to a dead end.

    dial, type, ..., lost --dial again--> Continue -----> the same screen --...--> END
                          \\--> Start again --> the first screen
"""

import json
import re
import shutil
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

import pytest

from tests.journeys.golden import ROOT
from tests.world import NOBODY, SqliteCast, rows
from ussd_gateway.app import unbound_packs
from ussd_gateway.cli.stage.world import GatewayWorld, opened
from ussd_gateway.domain.money import Money
from ussd_gateway.settings import Settings
from ussd_gateway.simulators.handset import Handset, Screen
from ussd_gateway.store.sessions import in_flight
from ussd_gateway.store.verify import verify
from ussd_gateway.ussd.menu import Input, List, Menu, Program, Secret
from ussd_gateway.ussd.turn.row import unpack

CONTINUE, START_AGAIN = "1", "2"
PIN, NEW_PIN, WRONG_PIN = "4826", "7305", "4827"
# Grace has sent a code to this number, in every world, and has a receipt for it.
UNPAID, CODE, OF_GRACE = "0711000008", "<code>", "<receipt>"
# Of what was sent last by whoever asks for it back.
WRONGLY = "<sent to the wrong person>"
RECEIPT = re.compile(r"\b[0-9A-Z]{10}\b")


@dataclass(frozen=True, slots=True)
class Journey:
    """What somebody types, from the first screen to the END."""

    name: str
    who: str
    code: str
    typed: tuple[str, ...]
    pays: bool = False
    behind: tuple["Journey", ...] = ()  # what others have done before it


@dataclass(frozen=True, slots=True)
class Books:
    balances: Mapping[str, Money]
    journals: int
    purchases: int


@dataclass(frozen=True, slots=True)
class Told:
    """How a journey ends: its last screen, whatever the receipt, and the books after it."""

    text: str
    books: Books


MISSENT = Journey("missent", "Amina", "*384#", ("1", "0711000003", "500", PIN))
TEXTED = Journey("texted", "Amina", "", ("REVERSE", WRONGLY))
ASKED_BACK = Journey(
    "asked_back", "Amina", "*384#", ("3", "5", WRONGLY, PIN), behind=(MISSENT,)
)
JOURNEYS = (
    Journey("send_money", "Amina", "*384#", ("1", "0711000002", "500", PIN), pays=True),
    Journey("voucher", "Amina", "*384#", ("1", "0711000009", "500", "1", PIN), pays=True),
    Journey("withdraw", "Amina", "*384#", ("2", "100200", "1000", PIN), pays=True),
    Journey(
        "pay_bill",
        "Amina",
        "*384#",
        ("3", "1", "600600", "12345678", "1200", PIN),
        pays=True,
    ),
    Journey("buy_goods", "Amina", "*384#", ("3", "2", "500500", "350", PIN), pays=True),
    Journey("content", "Amina", "*384#", ("3", "3", "2", PIN), pays=True),
    Journey("airtime", "Amina", "*384#", ("4", "50", PIN), pays=True),
    Journey("receipt", "Amina", "*384#", ("3", "4", OF_GRACE, "500")),
    ASKED_BACK,
    Journey(
        "given_back",
        "Grace",
        "*384#",
        ("3", "5", "1", "5937"),
        pays=True,
        behind=(MISSENT, ASKED_BACK),
    ),
    Journey("kept", "Grace", "*384#", ("3", "5", "2", "5937"), behind=(MISSENT, ASKED_BACK)),
    Journey("texted_back", "Amina", "*384#", ("3", "5", "1", PIN), behind=(MISSENT, TEXTED)),
    Journey("balance", "Amina", "*384#", ("5", "1", PIN)),
    Journey("statement", "Amina", "*384#", ("5", "2", PIN)),
    Journey("language", "Amina", "*384#", ("5", "3", "1")),
    Journey("limits", "Amina", "*384#", ("5", "5", "1", PIN)),
    Journey("cap_payment", "Amina", "*384#", ("5", "5", "2", "600", PIN)),
    Journey("cap_day", "Amina", "*384#", ("5", "5", "3", "900", PIN)),
    Journey("no_cap_payment", "Amina", "*384#", ("5", "5", "4", PIN)),
    Journey("no_cap_day", "Amina", "*384#", ("5", "5", "5", PIN)),
    Journey("pin", "Amina", "*384#", ("5", "4", PIN, NEW_PIN, WRONG_PIN, NEW_PIN, NEW_PIN)),
    Journey("deposit", "Wanjiru", "*385#", ("1", "0711000003", "1000", "6174"), pays=True),
    Journey("pay_out", "Wanjiru", "*385#", ("5", "1", UNPAID, CODE, "6174"), pays=True),
    Journey("agents_receipt", "Wanjiru", "*385#", ("5", "2", OF_GRACE, "500")),
    Journey("float", "Wanjiru", "*385#", ("3", "6174")),
    Journey("commission", "Wanjiru", "*385#", ("4", "6174")),
    Journey(
        "register",
        NOBODY,
        "*384#",
        ("1", "Pendo Achieng", "12345678", "1", NEW_PIN, WRONG_PIN, NEW_PIN, NEW_PIN),
    ),
)
SENT = Journey("sent", "Grace", "*384#", ("1", UNPAID, "500", "1", "5937"))
SCREENS = [
    pytest.param(journey, hop, id=f"{journey.name}-{hop}")
    for journey in JOURNEYS
    for hop in range(len(journey.typed))
]


@pytest.fixture(scope="module")
def menus_dir(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What is shipped, and one more thing to buy: there is a list to choose from."""
    folder = tmp_path_factory.mktemp("redial") / "menus"
    shutil.copytree(ROOT / "menus", folder)
    with (folder / "content.csv").open("a", encoding="utf-8") as content:
        content.write("song,700700,Song,KES,10.00\n")
    return folder


@pytest.fixture(scope="module")
def new_world(
    sqlite_cast: SqliteCast,
    menus_dir: Path,
    tmp_path_factory: pytest.TempPathFactory,
    valkey_url: str,
) -> Callable[[], AbstractContextManager[GatewayWorld]]:
    @contextmanager
    def new() -> Iterator[GatewayWorld]:
        folder = tmp_path_factory.mktemp("world")
        with (
            sqlite_cast.databases(folder) as database,
            opened(
                Settings(
                    data_dir=folder,
                    database_url=database(),
                    redis_url=_redis(valkey_url),
                    menus_dir=menus_dir,
                )
            ) as world,
        ):
            walks(world, SENT, len(SENT.typed))
            yield world

    return new


@pytest.fixture
def world(
    new_world: Callable[[], AbstractContextManager[GatewayWorld]],
) -> Iterator[GatewayWorld]:
    with new_world() as world:
        yield world


@pytest.fixture(scope="module")
def undisturbed(
    new_world: Callable[[], AbstractContextManager[GatewayWorld]],
) -> Mapping[str, Told]:
    """How each journey ends that nobody disturbs."""
    found = {}
    for journey in JOURNEYS:
        with new_world() as world:
            walked(world, journey.behind)
            last = walks(world, journey, len(journey.typed))
            found[journey.name] = Told(RECEIPT.sub("R", last.text), books(world))
    return found


@pytest.mark.parametrize(("journey", "hop"), SCREENS)
def test_whoever_continues_pays_once(
    world: GatewayWorld, undisturbed: Mapping[str, Told], journey: Journey, hop: int
) -> None:
    walked(world, journey.behind)
    before = books(world)
    lost = walks(world, journey, hop)

    phone = world.phone(number(world, journey))
    shown = phone.dial(journey.code)
    if hop:
        assert "1. Continue" in shown.text
        shown = phone.enter(CONTINUE)
    # The reason that stood above it is said once.
    assert lost.text.endswith(shown.text)
    assert books(world) == before, "nothing moves but on a PIN"
    last = types(phone, typed(world, journey)[hop:])

    assert Told(RECEIPT.sub("R", last.text), books(world)) == undisturbed[journey.name]
    assert (books(world).journals + books(world).purchases > moved(before)) is journey.pays
    assert last.ends
    assert [finding for finding in verify(world.gateway.engine) if not finding.ok] == []


@pytest.mark.parametrize(("journey", "hop"), SCREENS)
def test_whoever_starts_again_has_paid_nothing(
    world: GatewayWorld, journey: Journey, hop: int
) -> None:
    walked(world, journey.behind)
    before = books(world)
    first = walks(world, journey, 0)
    walks(world, journey, hop)
    phone = world.phone(number(world, journey))
    shown = phone.dial(journey.code)
    if hop:
        shown = phone.enter(START_AGAIN)

    assert shown == first
    assert books(world) == before


@pytest.mark.parametrize("journey", JOURNEYS, ids=lambda journey: journey.name)
def test_what_has_ended_is_not_gone_on_with(world: GatewayWorld, journey: Journey) -> None:
    walked(world, journey.behind)
    walks(world, journey, len(journey.typed))
    paid = books(world)
    shown = world.phone(number(world, journey)).dial(journey.code)

    assert not shown.ends
    assert "1. Continue" not in shown.text
    assert books(world) == paid


def test_the_phone_is_lost_at_every_screen_that_there_is(
    world: GatewayWorld, menus_dir: Path, valkey_url: str
) -> None:
    stood: dict[str, set[str]] = {"customer": set(), "agent": set()}
    for journey in JOURNEYS:
        world.client.flushdb()
        walked(world, journey.behind)
        for hop in range(len(journey.typed)):
            world.client.flushdb()
            walks(world, journey, hop)
            pack, state = stands(_redis(valkey_url))
            stood[pack].add(state)

    packs = unbound_packs(Settings(menus_dir=menus_dir))
    assert stood == {pack: screens(program) for pack, program in packs.items()}


def test_nobody_goes_on_when_it_is_too_late(world: GatewayWorld, menus_dir: Path) -> None:
    [journey, *_] = JOURNEYS
    program = unbound_packs(Settings(menus_dir=menus_dir))["customer"]
    first = walks(world, journey, 0)
    walks(world, journey, 3)
    world.wait(timedelta(seconds=program.idle_s + program.resume_s + 1))

    assert walks(world, journey, 0) == first


def number(world: GatewayWorld, journey: Journey) -> str:
    person = world.people.get(journey.who)
    return person.msisdn if person else journey.who


def walks(world: GatewayWorld, journey: Journey, hop: int) -> Screen:
    """So many inputs; then the phone is gone, and nobody is told."""
    phone = world.phone(number(world, journey))
    shown = phone.dial(journey.code)
    return types(phone, typed(world, journey)[:hop]) if hop else shown


def walked(world: GatewayWorld, journeys: tuple[Journey, ...]) -> None:
    """Each of them to its end, by phone or by SMS."""
    for journey in journeys:
        if journey.code:
            assert walks(world, journey, len(journey.typed)).ends
        else:
            world.phone(number(world, journey)).text(" ".join(typed(world, journey)))


def typed(world: GatewayWorld, journey: Journey) -> tuple[str, ...]:
    """The code and the receipts are what the SMS say that were sent in this world."""
    if WRONGLY in journey.typed:
        found = rows(world, "SELECT params FROM outbox WHERE template = 'sent' ORDER BY id")
        missent = json.loads(found[-1][0])["receipt"]
        return tuple(missent if text == WRONGLY else text for text in journey.typed)
    if not {CODE, OF_GRACE} & {*journey.typed}:
        return journey.typed
    [(code,)] = rows(world, "SELECT params FROM outbox WHERE template = 'voucher_code'")
    [(sent,)] = rows(world, "SELECT params FROM outbox WHERE template = 'voucher_sent'")
    known = {CODE: json.loads(code)["code"], OF_GRACE: json.loads(sent)["receipt"]}
    return tuple(known.get(text, text) for text in journey.typed)


def types(phone: Handset, texts: tuple[str, ...]) -> Screen:
    return [phone.enter(text) for text in texts][-1]


def books(world: GatewayWorld) -> Books:
    [(journals,)] = rows(world, "SELECT count(*) FROM journal")
    [(purchases,)] = rows(world, "SELECT count(*) FROM purchase")
    return Books(world.balances(), journals, purchases)


def moved(before: Books) -> int:
    return before.journals + before.purchases


def stands(url: str) -> tuple[str, str]:
    """The pack and the state of the one session that there is."""
    [octets] = in_flight.rows(url)
    row = unpack(octets)
    assert row is not None
    assert row.session is not None
    return row.pack, row.session.state


def screens(program: Program) -> set[str]:
    shown = (Menu, Input, Secret, List)
    return {name for name, state in program.states.items() if isinstance(state, shown)}


def _redis(valkey_url: str) -> str:
    return f"{valkey_url}?db=2"
