"""Puts the demo cast into an empty set of books: people, tills, and the money they begin with.

    1010 trust bank  debit   the cash that was paid in
    20xx             credit  each wallet and float

Who is there already is left alone, with whatever they own by now.
"""

from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any

import yaml
from sqlalchemy import Connection, Engine, insert, select

from ussd_gateway.app.wiring import database, market, writer
from ussd_gateway.domain import accounts
from ussd_gateway.domain.accounts import Code, house_id, house_ref
from ussd_gateway.domain.book import Book, Decision, Work
from ussd_gateway.domain.journal import Leg, Posting
from ussd_gateway.domain.money import Money, parse_typed
from ussd_gateway.ports import Clock, Random, Secret
from ussd_gateway.settings import Purpose, Settings
from ussd_gateway.store.database import reading, writing
from ussd_gateway.store.pins import SALT_OCTETS, HmacPinVerifier
from ussd_gateway.store.schema import account, subscriber
from ussd_gateway.store.writer import Writer

PEOPLE = Path(__file__).parents[2] / "fixtures" / "people.yaml"
WALLET_CAP = 500_000_00
OPENING_S = 30.0

_HOUSE = (
    accounts.TRUST_BANK,
    accounts.BANK_IN_TRANSIT,
    accounts.DUE_FROM_TRUST,
    accounts.EXCISE,
    accounts.DUE_TO_OPERATING,
    accounts.TRANSFER_FEES,
)


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
    cast: dict[str, Any] = yaml.load(PEOPLE.read_text("utf-8"), yaml.CSafeLoader)
    currency = market(settings).currency
    openings = _openings(cast, currency)
    _open_accounts(engine, openings, currency)
    _register(settings, engine, cast, random)
    _pay_in(writer(settings, engine, clock), engine, openings, clock)
    engine.dispose()


def _openings(cast: dict[str, Any], currency: str) -> list[_Opening]:
    nothing = Money(0, currency)
    return [
        *(
            _Opening(one["msisdn"], accounts.WALLET, _money(one["balance"]), WALLET_CAP)
            for one in cast["customers"]
        ),
        *(
            _Opening(one["number"], accounts.SUPER_AGENT_FLOAT, _money(one["float"]))
            for one in cast["super_agents"]
        ),
        *(
            _Opening(one["till"], accounts.AGENT_FLOAT, _money(one["float"]))
            for one in cast["stores"]
        ),
        *(_Opening(one["till"], accounts.TILL, nothing) for one in cast["merchants"]),
        *(_Opening(one["number"], accounts.BILLER, nothing) for one in cast["billers"]),
    ]


def _money(text: str) -> Money:
    currency, amount = text.split()
    money = parse_typed(amount, currency)
    assert money is not None, f"fixtures/people.yaml: no amount: {text}"
    return money


def _open_accounts(engine: Engine, openings: list[_Opening], currency: str) -> None:
    with writing(engine) as connection:
        known = _ids(connection)
        free = max((i for i in known.values() if i < house_id(_HOUSE[0], currency)), default=0)
        rows = [
            _account(house_id(code, currency), house_ref(code, currency), code, currency)
            for code in _HOUSE
            if house_ref(code, currency) not in known
        ]
        for one in openings:
            if one.ref not in known:
                free += 1
                # Nobody's e-money is ever below nothing.
                rows.append(_account(free, one.ref, one.code, currency, floor=0, cap=one.cap))
        if rows:
            connection.execute(insert(account), rows)


def _ids(connection: Connection) -> dict[str, int]:
    """Every account's id, by its public reference."""
    rows = connection.execute(select(account.c.public_ref, account.c.id))
    return {row.public_ref: row.id for row in rows}


def _account(
    number: int,
    ref: str,
    code: Code,
    currency: str,
    *,
    floor: int | None = None,
    cap: int | None = None,
) -> dict[str, Any]:
    return {
        "id": number,
        "public_ref": ref,
        "code": code.number,
        "currency": currency,
        "side": code.side.value,
        "debits": 0,
        "credits": 0,
        "debits_pending": 0,
        "credits_pending": 0,
        "floor": floor,
        "cap": cap,
        "seq": 0,
    }


def _register(settings: Settings, engine: Engine, cast: dict[str, Any], random: Random) -> None:
    verifier = HmacPinVerifier(lambda kid: settings.pin_key.subkey(Purpose.PIN, kid=kid))
    kid = settings.pin_key.current_kid
    with writing(engine) as connection:
        wallets = _ids(connection)
        known = set(connection.execute(select(subscriber.c.msisdn)).scalars())
        for one in cast["customers"]:
            if one["msisdn"] in known:
                continue
            number, salt = wallets[one["msisdn"]], random.octets(SALT_OCTETS)
            pin = Secret(one["pin"])
            connection.execute(
                insert(subscriber).values(
                    id=number,
                    msisdn=one["msisdn"],
                    name=one["name"],
                    language=one["language"],
                    active=True,
                    wallet_id=number,
                    pin_kid=kid,
                    pin_salt=salt,
                    pin_tag=verifier.tag(kid=kid, subscriber_id=number, salt=salt, pin=pin),
                    wrong_tries=0,
                )
            )


def _pay_in(ledger: Writer, engine: Engine, openings: list[_Opening], clock: Clock) -> None:
    """Through the ledger's own writer, once for each account whatever happens."""
    with reading(engine) as connection:
        ids = _ids(connection)
    ledger.start()
    for one in openings:
        if not one.balance.minor:
            continue
        bank = house_id(accounts.TRUST_BANK, one.balance.currency)
        legs = (Leg(bank, one.balance.minor), Leg(ids[one.ref], -one.balance.minor))
        outcome = ledger.run(_paid_in(one, legs, clock), within_s=OPENING_S)
        assert outcome.name == "ok", f"opening {one.ref}: {outcome.name}"
    ledger.stop()


def _paid_in(one: _Opening, legs: tuple[Leg, ...], clock: Clock) -> Work:
    def decide(_book: Book) -> Decision:
        return Decision("ok", {"amount": one.balance}, Posting("opening", legs))

    return Work(
        key=f"opening:{one.ref}",
        content=sha256(f"opening {one.ref} {one.balance}".encode()).hexdigest(),
        event_at_ms=int(clock.now().timestamp() * 1000),
        subscriber_ids=(),
        account_ids=tuple(leg.account_id for leg in legs),
        decide=decide,
    )
