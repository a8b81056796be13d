"""From settings to parts that work together."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from zoneinfo import ZoneInfo

from sqlalchemy import Engine

from ussd_gateway.app import chance
from ussd_gateway.domain.market import Market
from ussd_gateway.domain.money import Money
from ussd_gateway.domain.tariff import Tariff
from ussd_gateway.ports import Action, Clock, Ledger, Random, Reads
from ussd_gateway.services.balance import BalanceService
from ussd_gateway.services.pins import TEMPLATES as PIN_TEMPLATES
from ussd_gateway.services.send_money import TEMPLATES as SEND_TEMPLATES
from ussd_gateway.services.send_money import SendMoneyService
from ussd_gateway.services.tariffs import read_tariffs
from ussd_gateway.settings import Purpose, Settings
from ussd_gateway.sms.africastalking import AfricasTalkingSms
from ussd_gateway.store import database as databases
from ussd_gateway.store import migrate
from ussd_gateway.store.batch import Books, Numbering
from ussd_gateway.store.outbox import Outbox
from ussd_gateway.store.pins import HmacPinVerifier
from ussd_gateway.store.postgres import PostgresBooks
from ussd_gateway.store.reads import SqlReads
from ussd_gateway.store.sessions import RedisSessions
from ussd_gateway.store.sqlite import SqliteBooks
from ussd_gateway.store.writer import Writer
from ussd_gateway.ussd.loader import load_pack
from ussd_gateway.ussd.menu import Program
from ussd_gateway.ussd.messages import Messages, load_messages
from ussd_gateway.ussd.routes import Routes, load_routes
from ussd_gateway.ussd.turn import Turn

# The greatest amount that a screen or a message ever shows: what a wallet may hold.
MONEY_MAX = 500_000_00


# Files in the operators' folder that are not packs.
NOT_PACKS = frozenset({"routes", "sms"})


class Faulty(Exception):
    """Operators' files cannot be used as they are. `faults` are lines for a person."""

    def __init__(self, faults: tuple[str, ...]) -> None:
        super().__init__("\n".join(faults))
        self.faults = faults


@dataclass(frozen=True, slots=True)
class Gateway:
    """What answers phones. Its writer is started; who asked for the gateway closes it."""

    turn: Turn
    writer: Writer
    reads: SqlReads
    outbox: Outbox
    engine: Engine

    def close(self) -> None:
        """Ends after the commands that are queued now."""
        self.writer.stop()
        self.reads.close()
        self.engine.dispose()


def gateway(settings: Settings, *, clock: Clock, random: Random) -> Gateway:
    """Raises Faulty."""
    engine = database(settings)
    ledger = writer(settings, engine, clock)
    reads = SqlReads(settings.database_url)
    bound = actions(settings, reads, ledger, clock)
    loaded = packs(settings, bound)
    turn = Turn(
        packs=loaded,
        routes=routes(settings, loaded),
        actions=bound,
        sessions=RedisSessions(settings.redis_url),
        profiles=reads,
        truth=reads,
        clock=clock,
        random=random,
        mac_key=settings.pin_key.subkey(Purpose.SESSION),
    )
    ledger.start()
    return Gateway(turn, ledger, reads, Outbox(engine, clock), engine)


def actions(
    settings: Settings, reads: Reads, ledger: Ledger, clock: Clock
) -> Mapping[str, Action]:
    """Every action that a menu may name."""
    verifier = HmacPinVerifier(lambda kid: settings.pin_key.subkey(Purpose.PIN, kid=kid))
    send = SendMoneyService(
        reads,
        ledger,
        verifier,
        clock,
        tariff=_tariff(settings, "send"),
        market=market(settings),
    )
    balance = BalanceService(reads, ledger, verifier, clock, market=market(settings))
    return {action.name: action for action in (*send.actions(), *balance.actions())}


def packs(settings: Settings, bound: Mapping[str, Action]) -> Mapping[str, Program]:
    """Every pack of menus, by name. Raises Faulty with every fault of every file."""
    money_max = Money(MONEY_MAX, market(settings).currency)
    faults: list[str] = []
    loaded: dict[str, Program] = {}
    for path in sorted(settings.menus_dir.glob("*.yaml")):
        if path.stem in NOT_PACKS:
            continue
        found = load_pack(
            _read(path), file=f"menus/{path.name}", actions=bound, money_max=money_max
        )
        if isinstance(found, list):
            faults += map(str, found)
        else:
            loaded[path.stem] = found
    if faults:
        raise Faulty(tuple(faults))
    return loaded


def routes(settings: Settings, loaded: Mapping[str, Program]) -> Routes:
    """Raises Faulty."""
    path = settings.menus_dir / "routes.yaml"
    found = load_routes(_read(path), file="menus/routes.yaml", packs=loaded)
    if isinstance(found, list):
        raise Faulty(tuple(map(str, found)))
    return found


def check(settings: Settings) -> tuple[str, ...]:
    """Reads every file that operators edit; gives warnings. Raises Faulty with all faults."""
    faults: list[str] = []
    loaded: Mapping[str, Program] = {}
    try:
        loaded = unbound_packs(settings)
        routes(settings, loaded)
    except Faulty as faulty:
        faults += faulty.faults
    try:
        messages(settings)
    except Faulty as faulty:
        faults += faulty.faults
    if faults:
        raise Faulty(tuple(faults))
    return tuple(str(fault) for pack in loaded.values() for fault in pack.warnings)


def unbound_packs(settings: Settings) -> Mapping[str, Program]:
    """The packs, to be looked at: nothing is connected, and no action is ever run."""
    here = chance.clock(settings)
    ledger = writer(settings, database(settings), here)
    return packs(settings, actions(settings, SqlReads(settings.database_url), ledger, here))


def messages(settings: Settings) -> Messages:
    """Raises Faulty."""
    found = load_messages(
        _read(settings.menus_dir / "sms.yaml"),
        file="menus/sms.yaml",
        templates=SEND_TEMPLATES | PIN_TEMPLATES,
        money_max=Money(MONEY_MAX, market(settings).currency),
    )
    if isinstance(found, list):
        raise Faulty(tuple(map(str, found)))
    return found


def market(_settings: Settings) -> Market:
    """The example market: Kenya."""
    return Market("KE", "KES", ZoneInfo("Africa/Nairobi"))


def database(settings: Settings) -> Engine:
    return databases.connect(settings.database_url)


def upgrade(settings: Settings) -> None:
    """Brings the database to the newest schema."""
    engine = database(settings)
    migrate.upgrade(engine)
    engine.dispose()


def outbox(settings: Settings, clock: Clock) -> Outbox:
    return Outbox(database(settings), clock)


def sms_sender(settings: Settings) -> AfricasTalkingSms:
    return AfricasTalkingSms(
        username=settings.at_username,
        api_key=settings.at_api_key,
        base_url=settings.at_base_url,
    )


def writer(settings: Settings, engine: Engine, clock: Clock) -> Writer:
    """Not started yet."""
    return Writer(lambda: _books(engine), _numbering(settings), clock)


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise Faulty(
            (f"{path}: {error.strerror}: start where menus/ is, or set MENUS_DIR",)
        ) from None


def _books(engine: Engine) -> Books:
    return SqliteBooks(engine) if engine.dialect.name == "sqlite" else PostgresBooks(engine)


def _numbering(settings: Settings) -> Numbering:
    ring = settings.pin_key
    return Numbering(
        lambda kid: ring.subkey(Purpose.RECEIPT, kid=kid), ring.current_kid, market(settings)
    )


def _tariff(settings: Settings, service: str) -> Tariff:
    found: dict[str, Tariff] = {}
    faults: list[str] = []
    for path in sorted((settings.menus_dir / "tariffs").glob("*.csv")):
        tariffs, wrong = read_tariffs(path.read_text("utf-8"), f"menus/tariffs/{path.name}")
        found |= tariffs
        faults += map(str, wrong)
    if not faults and service not in found:
        faults.append(f"menus/tariffs: no tariff for the service {service}: add its bands")
    if faults:
        raise Faulty(tuple(faults))
    return found[service]
