"""From settings to parts that work together."""

from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import Engine

from ussd_gateway.aggregators.table import Table, load_table
from ussd_gateway.aggregators.wire import Wire
from ussd_gateway.app import chance
from ussd_gateway.app.compiled import load_messages, load_pack, offered
from ussd_gateway.app.counts import CountsWriter
from ussd_gateway.app.files import Faulty, market, read
from ussd_gateway.app.live_packs import LivePacks, Load
from ussd_gateway.app.logs import unlogged
from ussd_gateway.app.providers import sms_plan
from ussd_gateway.app.services import TEMPLATES, Carriers, Services, services
from ussd_gateway.domain.money import Money
from ussd_gateway.ports import Action, Clock, Ledger, Random
from ussd_gateway.services.answer_sms import AnswerSmsService
from ussd_gateway.services.orders.decide_reversal import let_go
from ussd_gateway.services.orders.desk import Desk
from ussd_gateway.services.orders.hold_money import HoldsOverdue
from ussd_gateway.services.orders.taking_back import BY_PHONE, KINDS
from ussd_gateway.services.purchases.fulfilment import Fulfilment
from ussd_gateway.services.vouchers.give_back_voucher import VouchersOverdue
from ussd_gateway.settings import Purpose, Settings
from ussd_gateway.store import database as databases
from ussd_gateway.store import migrate
from ussd_gateway.store.days.clocks import SlowerClock
from ussd_gateway.store.days.end_of_day import EndOfDay
from ussd_gateway.store.house import open_house
from ussd_gateway.store.inquiry import SqlRecords
from ussd_gateway.store.ledger.batch import Books, Numbering
from ussd_gateway.store.ledger.postgres import PostgresBooks
from ussd_gateway.store.ledger.sqlite import SqliteBooks
from ussd_gateway.store.ledger.writer import Writer
from ussd_gateway.store.menus.counts import SqlCounts
from ussd_gateway.store.menus.proposals import SqlProposals
from ussd_gateway.store.menus.recordings import SqlRecordings
from ussd_gateway.store.menus.stops import SqlStops
from ussd_gateway.store.menus.versions import SqlVersions
from ussd_gateway.store.numbers import AccountNumbers
from ussd_gateway.store.outbox import Outbox
from ussd_gateway.store.price_books import SqlPriceBooks
from ussd_gateway.store.reads import SqlReads
from ussd_gateway.store.sessions.client import RedisSessions
from ussd_gateway.store.staff import SqlStaff
from ussd_gateway.store.waiting.purchases import SqlPurchases
from ussd_gateway.store.waiting.vouchers import SqlVouchers
from ussd_gateway.ussd.menu import Program
from ussd_gateway.ussd.messages import Messages
from ussd_gateway.ussd.routes import Routes
from ussd_gateway.ussd.turn import Turn
from ussd_gateway.ussd.turn.counting import Counting

# The greatest amount that texts are measured by: more than any wallet or agent's float holds.
MONEY_MAX = 9_999_999_99

# Files in the operators' folder that are not packs.
NOT_PACKS = frozenset({"limits", "providers", "routes", "sms"})


@dataclass(frozen=True, slots=True)
class Gateway:
    """What answers phones. Its writer is started; who asked for the gateway closes it."""

    turn: Turn
    wires: Mapping[str, Wire]  # by the name of the route
    writer: Writer
    reads: SqlReads
    outbox: Outbox
    answering: AnswerSmsService
    fulfilment: Fulfilment
    purchases: SqlPurchases
    versions: SqlVersions
    counts: CountsWriter
    engine: Engine
    clock: Clock
    days: EndOfDay  # by this program's own clock, as its payments are

    def close(self) -> None:
        """Ends after the commands that are queued now."""
        self.writer.stop()
        self.counts.stop()
        self.reads.close()
        self.engine.dispose()


def gateway(
    settings: Settings, *, clock: Clock, random: Random, outside: Carriers | None = None
) -> Gateway:
    """`outside`: whoever is asked in the place of the carriers of the settings.

    Raises Faulty, and BooksLost: what phones are shown stands in the database."""
    engine = database(settings)
    ledger = writer(settings, engine, clock)
    reads = SqlReads(settings.database_url)
    served_by = services(
        settings,
        engine=engine,
        reads=reads,
        ledger=ledger,
        clock=clock,
        random=random,
        outside=outside,
    )
    bound = served_by.actions
    versions = SqlVersions(engine, clock)
    served, table = _served(settings, versions, bound)
    counting = Counting()
    counts = CountsWriter(counting, SqlCounts(engine), clock, market(settings))
    turn = Turn(
        packs=served,
        routes=_routes(table),
        actions=bound,
        sessions=RedisSessions(settings.redis_url),
        profiles=reads,
        truth=reads,
        counting=counting,
        recorder=SqlRecordings(engine, clock),
        clock=clock,
        random=random,
        mac_key=settings.pin_key.subkey(Purpose.SESSION),
    )
    SqlPriceBooks(engine, clock).keep(served_by.prices)
    ledger.start()
    counts.start()
    return Gateway(
        turn,
        table.wires,
        ledger,
        reads,
        Outbox(engine, clock),
        _answering(settings, served_by),
        served_by.fulfilment,
        SqlPurchases(engine, clock),
        versions,
        counts,
        engine,
        clock,
        EndOfDay(engine, clock, market(settings)),
    )


@dataclass(frozen=True, slots=True)
class Overdue:
    """What nobody has settled or decided in time."""

    purchases: Fulfilment
    holds: HoldsOverdue
    vouchers: VouchersOverdue


@contextmanager
def overdue(settings: Settings) -> Iterator[Overdue]:
    """What looks after purchases, holds and vouchers, with a ledger writer of its own."""
    here = chance.clock(settings)
    with _apart(settings, here) as apart:
        told = dict.fromkeys((*KINDS, *BY_PHONE), let_go)
        # What a clock that ran ahead let go would be gone for good. The demo's may be set.
        due_by = SlowerClock(apart.engine, here) if settings.production else here
        at = desk(settings, apart.engine, apart.ledger, due_by)
        vouchers = VouchersOverdue(at, SqlVouchers(apart.engine))
        yield Overdue(apart.made.fulfilment, HoldsOverdue(at, told), vouchers)


@contextmanager
def answering(settings: Settings, clock: Clock) -> Iterator[tuple[AnswerSmsService, SqlReads]]:
    """What answers SMS to us, with a ledger writer of its own; and where it reads. Raises
    Faulty."""
    with _apart(settings, clock) as apart:
        yield _answering(settings, apart.made), apart.reads


@dataclass(frozen=True, slots=True)
class _Apart:
    """What a program that serves no phones stands on."""

    engine: Engine
    ledger: Writer
    reads: SqlReads
    made: Services


@contextmanager
def _apart(settings: Settings, clock: Clock) -> Iterator[_Apart]:
    engine = database(settings)
    ledger = writer(settings, engine, clock)
    reads = SqlReads(settings.database_url)
    random = chance.random(settings)
    made = services(
        settings, engine=engine, reads=reads, ledger=ledger, clock=clock, random=random
    )
    ledger.start()
    try:
        yield _Apart(engine, ledger, reads, made)
    finally:
        ledger.stop()
        reads.close()
        engine.dispose()


def _answering(settings: Settings, made: Services) -> AnswerSmsService:
    said = messages(settings)
    return AnswerSmsService(
        made.teller,
        made.checking,
        made.asking_back,
        words=said.commands,
        languages=said.languages,
    )


def packs(settings: Settings, bound: Mapping[str, Action]) -> Mapping[str, Program]:
    """Every pack of menus, by name. Raises Faulty with every fault of every file."""
    load = pack_loader(settings, bound)
    faults: list[str] = []
    loaded: dict[str, Program] = {}
    for name, path in pack_files(settings).items():
        found = load(read(path), f"menus/{path.name}")
        if isinstance(found, list):
            faults += map(str, found)
        else:
            loaded[name] = found
    if faults:
        raise Faulty(tuple(faults))
    return loaded


def pack_files(settings: Settings) -> Mapping[str, Path]:
    """By the names of the packs, which are those of the files."""
    files = sorted(settings.menus_dir.glob("*.yaml"))
    return {path.stem: path for path in files if path.stem not in NOT_PACKS}


def pack_loader(settings: Settings, bound: Mapping[str, Action]) -> Load:
    """What it loads fits every route. Raises Faulty."""
    money_max = Money(MONEY_MAX, market(settings).currency)
    carried = [wire.route for wire in route_table(settings, None).wires.values()]
    known = offered(bound)
    return lambda source, file: load_pack(
        source, file=file, actions=known, money_max=money_max, routes=carried
    )


def published(
    settings: Settings, versions: SqlVersions, bound: Mapping[str, Action]
) -> LivePacks:
    """What is published, as it stands now, for a person to look at. Raises BooksLost."""
    live = LivePacks(versions, pack_loader(settings, bound))
    with unlogged():
        live.look()
    return live


def check_served(settings: Settings) -> None:
    """Looks at all that a gateway starts from, and at the SMS texts. Raises Faulty, and
    BooksLost."""
    engine = database(settings)
    try:
        versions = SqlVersions(engine, chance.clock(settings))
        with unlogged():
            _served(settings, versions, unbound_actions(settings))
        messages(settings)
        sms_plan(settings)
    finally:
        engine.dispose()


def _served(
    settings: Settings, versions: SqlVersions, bound: Mapping[str, Action]
) -> tuple[LivePacks, Table]:
    """The packs that are published, and the routes, which lead to no other."""
    live = LivePacks(versions, pack_loader(settings, bound))
    live.look()
    table = route_table(settings, {*live.names, *pack_files(settings)})
    faults: list[str] = []
    for pack in sorted(set(table.service_codes.values()) - set(live.names)):
        for reasons in live.why_not(pack).values():
            faults += reasons
        faults.append(
            f"{pack}: no version is published that this program can load: "
            "run `ussd-gateway menu publish`, and somebody else `ussd-gateway menu approve`"
        )
    if faults:
        raise Faulty(tuple(faults))
    return live, table


def routes(settings: Settings, names: Collection[str]) -> Routes:
    """`names` of the packs that there are. Raises Faulty."""
    return _routes(route_table(settings, names))


def route_table(settings: Settings, names: Collection[str] | None) -> Table:
    """`names` of the packs that there are; None: not known yet. Raises Faulty."""
    path = settings.menus_dir / "routes.yaml"
    found = load_table(read(path), file="menus/routes.yaml", packs=names)
    if isinstance(found, list):
        raise Faulty(tuple(map(str, found)))
    return found


def _routes(table: Table) -> Routes:
    by_name = {name: wire.route for name, wire in table.wires.items()}
    return Routes(table.service_codes, table.not_served, by_name)


def unbound_packs(settings: Settings) -> Mapping[str, Program]:
    """The packs in menus/, to be looked at."""
    return packs(settings, unbound_actions(settings))


def unbound_actions(settings: Settings) -> Mapping[str, Action]:
    """To check menus against: nothing is connected, and none of them is ever run."""
    here = chance.clock(settings)
    engine = database(settings)
    return services(
        settings,
        engine=engine,
        reads=SqlReads(settings.database_url),
        ledger=writer(settings, engine, here),
        clock=here,
        random=chance.random(settings),
    ).actions


def messages(settings: Settings) -> Messages:
    """Raises Faulty."""
    found = load_messages(
        read(settings.menus_dir / "sms.yaml"),
        file="menus/sms.yaml",
        templates=TEMPLATES,
        money_max=Money(MONEY_MAX, market(settings).currency),
    )
    if isinstance(found, list):
        raise Faulty(tuple(map(str, found)))
    return found


def database(settings: Settings) -> Engine:
    return databases.connect(settings.database_url)


def upgrade(settings: Settings) -> None:
    """Brings the database to the newest schema, and opens the house's accounts in it."""
    engine = database(settings)
    migrate.upgrade(engine)
    open_house(engine, market(settings).currency)
    engine.dispose()


def versions(settings: Settings, engine: Engine) -> SqlVersions:
    return SqlVersions(engine, chance.clock(settings))


def proposals(settings: Settings, engine: Engine) -> SqlProposals:
    return SqlProposals(engine, chance.clock(settings))


def stops(settings: Settings, engine: Engine) -> SqlStops:
    return SqlStops(engine, chance.clock(settings))


def staff(settings: Settings, engine: Engine) -> SqlStaff:
    return SqlStaff(engine, chance.clock(settings))


def outbox(settings: Settings, clock: Clock) -> Outbox:
    return Outbox(database(settings), clock)


def writer(settings: Settings, engine: Engine, clock: Clock) -> Writer:
    """Not started yet."""
    return Writer(lambda: _books(settings, engine), _numbering(settings), clock)


def desk(settings: Settings, engine: Engine, ledger: Ledger, clock: Clock) -> Desk:
    """Where staff order something of the ledger."""
    numbers = AccountNumbers(engine)
    return Desk(SqlRecords(engine), ledger, numbers, clock, market(settings))


def _books(settings: Settings, engine: Engine) -> Books:
    if engine.dialect.name == "sqlite":
        return SqliteBooks(engine)
    # The demo's clock can be set, on purpose.
    return PostgresBooks(engine, market(settings).zone if settings.production else None)


def _numbering(settings: Settings) -> Numbering:
    ring = settings.pin_key
    return Numbering(
        lambda kid: ring.subkey(Purpose.RECEIPT, kid=kid), ring.current_kid, market(settings)
    )
