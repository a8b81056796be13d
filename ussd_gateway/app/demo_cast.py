"""Puts the demo cast into an empty set of books: people, tills, the money they begin with, and
the staff.

    1010 trust bank   debit   the cash that was paid in
    20xx              credit  each wallet and float

    1210 airtime      debit   what the house has to sell
    3010 equity       credit

Who is there already is left alone, with whatever they own by now.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any

import yaml
from sqlalchemy import Connection, Engine, insert, select

from ussd_gateway.app import staffing
from ussd_gateway.app.files import limits, market
from ussd_gateway.app.publishing import INSTALLATION
from ussd_gateway.app.wiring import database, writer
from ussd_gateway.domain import accounts
from ussd_gateway.domain.accounts import Code, house_id
from ussd_gateway.domain.book import Book, Decision, Trade, Work
from ussd_gateway.domain.journal import Leg, Posting
from ussd_gateway.domain.limits import STANDARD
from ussd_gateway.domain.money import Money, parse_typed
from ussd_gateway.domain.pin import SALT_OCTETS
from ussd_gateway.ports import Clock, Random, Secret
from ussd_gateway.settings import Purpose, Settings
from ussd_gateway.store.database import reading, writing
from ussd_gateway.store.house import open_house
from ussd_gateway.store.ledger.writer import Writer
from ussd_gateway.store.numbers import next_account
from ussd_gateway.store.pins import HmacPinVerifier
from ussd_gateway.store.schema import account, assistant, business, subscriber
from ussd_gateway.store.staff import Role, SqlStaff

PEOPLE = Path(__file__).parents[2] / "fixtures" / "people.yaml"
OPENING_S = 30.0

_Cast = dict[str, Any]


@dataclass(frozen=True, slots=True)
class _Opening:
    """An account to open, and what is paid into it."""

    ref: str
    code: Code
    balance: Money
    cap: int | None = None


def seed_demo(settings: Settings, *, clock: Clock, random: Random) -> None:
    """Opens whoever is missing. Safe to run at every start."""
    engine = database(settings)
    cast: _Cast = yaml.load(PEOPLE.read_text("utf-8"), yaml.CSafeLoader)
    currency = market(settings).currency
    wallet_max = limits(settings)[STANDARD].balance_max
    openings = list(_openings(cast, wallet_max))
    open_house(engine, currency)
    with writing(engine) as connection:
        _open_accounts(connection, openings, currency)
        _register(settings, connection, cast, random)
        _found_businesses(connection, cast)
    _pay_in(writer(settings, engine, clock), engine, cast, openings, clock)
    _employ(SqlStaff(engine, clock), cast)
    engine.dispose()


def commission_ref(number: str) -> str:
    """The public reference of the account where a store's commission accrues, or its head
    office's part of it."""
    return f"{number}-{accounts.COMMISSION.number}"


def _people(cast: _Cast) -> list[_Cast]:
    """Whoever has a PIN. Agents are customers too, with nothing in their own wallets."""
    return [*cast["customers"], *cast["assistants"], *cast["super_agents"]]


def _openings(cast: _Cast, wallet_max: Money) -> Iterator[_Opening]:
    nothing = Money(0, wallet_max.currency)
    for one in _people(cast):
        held = _money(one["balance"]) if "balance" in one else nothing
        yield _Opening(one["msisdn"], accounts.WALLET, held, wallet_max.minor)
    for one in cast["super_agents"]:
        yield _Opening(one["number"], accounts.SUPER_AGENT_FLOAT, _money(one["float"]))
    for one in cast["stores"]:
        yield _Opening(one["till"], accounts.AGENT_FLOAT, _money(one["float"]))
        yield _Opening(commission_ref(one["till"]), accounts.COMMISSION, nothing)
    for one in cast["head_offices"]:
        yield _Opening(commission_ref(one["number"]), accounts.COMMISSION, nothing)
    for one in cast["merchants"]:
        yield _Opening(one["till"], accounts.TILL, nothing)
    for one in cast["billers"]:
        yield _Opening(one["number"], accounts.BILLER, nothing)
    for one in cast["carrier_merchants"]:
        yield _Opening(one["number"], accounts.CONTENT_MERCHANT, nothing)


def _money(text: str) -> Money:
    currency, amount = text.split()
    money = parse_typed(amount, currency)
    assert money is not None, f"fixtures/people.yaml: no amount: {text}"
    return money


def _open_accounts(connection: Connection, openings: list[_Opening], currency: str) -> None:
    known = _ids(connection)
    rows = [
        _account(next_account(connection), one, currency)
        for one in openings
        if one.ref not in known
    ]
    if rows:
        connection.execute(insert(account), rows)


def _ids(connection: Connection) -> dict[str, int]:
    """Every account's id, by its public reference."""
    rows = connection.execute(select(account.c.public_ref, account.c.id))
    return {row.public_ref: row.id for row in rows}


def _account(number: int, one: _Opening, currency: str) -> dict[str, Any]:
    return {
        "id": number,
        "public_ref": one.ref,
        "code": one.code.number,
        "currency": currency,
        "side": one.code.side.value,
        "debits": 0,
        "credits": 0,
        "debits_pending": 0,
        "credits_pending": 0,
        "floor": 0,  # nobody's e-money is ever below nothing
        "cap": one.cap,
        "seq": 0,
    }


def _register(settings: Settings, connection: Connection, cast: _Cast, random: Random) -> None:
    verifier = HmacPinVerifier(lambda kid: settings.pin_key.subkey(Purpose.PIN, kid=kid))
    kid = settings.pin_key.current_kid
    wallets = _ids(connection)
    known = set(connection.execute(select(subscriber.c.msisdn)).scalars())
    for one in _people(cast):
        if one["msisdn"] in known:
            continue
        number, salt = wallets[one["msisdn"]], random.octets(SALT_OCTETS)
        pin = Secret(one["pin"])
        connection.execute(
            insert(subscriber).values(
                id=number,
                msisdn=one["msisdn"],
                name=one["name"],
                language=one.get("language", "en"),
                tier=STANDARD,
                active=True,
                wallet_id=number,
                pin_kid=kid,
                pin_salt=salt,
                pin_tag=verifier.tag(kid=kid, subscriber_id=number, salt=salt, pin=pin),
                wrong_tries=0,
            )
        )


def _found_businesses(connection: Connection, cast: _Cast) -> None:
    known = set(connection.execute(select(business.c.number)).scalars())
    ids = _ids(connection)
    rows = [row for row in _businesses(cast, ids) if row["number"] not in known]
    if rows:
        connection.execute(insert(business), rows)

    found = connection.execute(select(subscriber.c.msisdn, subscriber.c.id))
    people = {row.msisdn: row.id for row in found}
    placed = set(connection.execute(select(assistant.c.subscriber_id)).scalars())
    for one in cast["assistants"]:
        if people[one["msisdn"]] not in placed:
            row = {"subscriber_id": people[one["msisdn"]], "store": one["till"]}
            connection.execute(insert(assistant), row)


def _businesses(cast: _Cast, ids: dict[str, int]) -> Iterator[dict[str, Any]]:
    for one in cast["stores"]:
        row = _business(one["till"], Trade.STORE, one, ids)
        yield row | {
            "commission_id": ids[commission_ref(one["till"])],
            "head_office_commission_id": ids[commission_ref(one["head_office"])],
        }
    for one in cast["merchants"]:
        yield _business(one["till"], Trade.MERCHANT, one, ids)
    for one in cast["billers"]:
        row = _business(one["number"], Trade.BILLER, one, ids)
        yield row | {"account_digits": int(one["account_digits"])}
    for one in cast["carrier_merchants"]:
        yield _business(one["number"], Trade.CONTENT, one, ids)


def _business(number: str, trade: Trade, one: _Cast, ids: dict[str, int]) -> dict[str, Any]:
    return {
        "number": number,
        "trade": trade.value,
        "name": one["name"],
        "msisdn": one["msisdn"],
        "language": one.get("language", "en"),
        "account_id": ids[number],
        "commission_id": None,
        "head_office_commission_id": None,
        "account_digits": 0,
    }


def _employ(staff: SqlStaff, cast: _Cast) -> None:
    known = {member.name for member in staff.members()}
    for one in cast["staff"]:
        if one["name"] not in known:
            staffing.enrol(
                staff,
                one["name"],
                Role(one["role"]),
                Secret(f"{one['name']}-demo"),
                one["totp_seed"],
                added_by=INSTALLATION,
            )


def _pay_in(
    ledger: Writer, engine: Engine, cast: _Cast, openings: list[_Opening], clock: Clock
) -> None:
    """Through the ledger's own writer, once for each account whatever happens."""
    with reading(engine) as connection:
        ids = _ids(connection)
    stock = _money(cast["airtime_stock"])
    bank = house_id(accounts.TRUST_BANK, stock.currency)
    paid = [(one.ref, one.balance, bank, ids[one.ref]) for one in openings]
    equity = house_id(accounts.EQUITY, stock.currency)
    paid.append(("airtime", stock, house_id(accounts.AIRTIME_STOCK, stock.currency), equity))
    ledger.start()
    for name, amount, debited, credited in paid:
        if not amount.minor:
            continue
        legs = (Leg(debited, amount.minor), Leg(credited, -amount.minor))
        outcome = ledger.run(_paid_in(name, amount, legs, clock), within_s=OPENING_S)
        assert outcome.name == "ok", f"opening {name}: {outcome.name}"
    ledger.stop()


def _paid_in(name: str, amount: Money, legs: tuple[Leg, ...], clock: Clock) -> Work:
    def decide(_book: Book) -> Decision:
        return Decision("ok", {"amount": amount}, Posting("opening", legs))

    return Work(
        key=f"opening:{name}",
        content=sha256(f"opening {name} {amount}".encode()).hexdigest(),
        event_at_ms=int(clock.now().timestamp() * 1000),
        subscriber_ids=(),
        account_ids=tuple(leg.account_id for leg in legs),
        decide=decide,
    )
