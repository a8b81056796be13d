"""Many customers with money and a PIN, what their phones send, and what menus make of it.

One wallet that all pay from would be measured as one lock; so there are many, and each pays
another, or all of them one biller. A payment is five hops: dial, send money, number, amount,
PIN. The last of them is what a menu's action is called with.
"""

from collections.abc import Callable, Mapping
from hashlib import sha256
from threading import Semaphore
from urllib.parse import urlencode

from sqlalchemy import func, insert, select, text

from ussd_gateway import app
from ussd_gateway.app.wiring import writer
from ussd_gateway.domain.accounts import TRUST_BANK, WALLET, house_id
from ussd_gateway.domain.book import Book, Decision, Outcome, Work
from ussd_gateway.domain.journal import Leg, Posting
from ussd_gateway.domain.money import parse_typed
from ussd_gateway.domain.msisdn import Msisdn
from ussd_gateway.domain.pin import SALT_OCTETS
from ussd_gateway.ports import Action, Call, Origin, Secret, SessionId, Value
from ussd_gateway.settings import Purpose, Settings
from ussd_gateway.store import database
from ussd_gateway.store.pins import HmacPinVerifier
from ussd_gateway.store.schema import account, journal, subscriber

count = 5_000
opening_minor = 100_000_00
at_once = 1_000  # of them are paid in: fewer than the writer's queue takes
amount = "500"

# Kinds of payments: each to another customer, and every one to this biller.
SPREAD, ONE_BILLER = KINDS = ("send_money", "pay_bill")
BILLER = "600600"

HOPS = ("dial", "menu choice", "number", "amount, quoted", "PIN, money moved")
# How each hop is answered; the last one with a receipt.
REPLIES = [*["CON "] * 4, "END [2-9A-HJ-NP-Z]{10} Sent KES 500.00 to "]

# How long a payment may wait for the ledger: nobody is turned away here.
within_s = 20.0

# Clear of the demo cast's accounts.
ID_FIRST = 100_000


def register(settings: Settings) -> None:
    """A new database, with the demo cast, and the customers, paid in by the ledger's writer."""
    clock, random = app.clock(settings), app.random(settings)
    app.upgrade(settings)
    app.seed_demo(settings, clock=clock, random=random)
    engine = app.database(settings)
    app.publish(settings, app.versions(settings, engine), author="benchmarks")
    verifier = HmacPinVerifier(lambda kid: settings.pin_key.subkey(Purpose.PIN, kid=kid))
    kid, people = settings.pin_key.current_kid, []
    for number in range(count):
        salt, pin = random.octets(SALT_OCTETS), Secret(_pin(number))
        tag = verifier.tag(kid=kid, subscriber_id=ID_FIRST + number, salt=salt, pin=pin)
        people.append(_person(number, kid=kid, salt=salt, tag=tag))
    with database.writing(engine) as connection:
        connection.execute(insert(account), list(map(_wallet, range(count))))
        connection.execute(insert(subscriber), people)

    ledger, paid = writer(settings, engine, clock), Semaphore(0)

    def answered(outcome: Outcome) -> None:
        assert outcome.name == "ok", outcome
        paid.release()

    ledger.start()
    for first in range(0, count, at_once):
        for number in range(first, first + at_once):
            ledger.submit(_paid_in(ID_FIRST + number), answered)
        for _ in range(at_once):
            assert paid.acquire(timeout=30)
    ledger.stop()
    engine.dispose()


def payments(who: str, first: int, many: int) -> list[list[str]]:
    """What is sent for payments number `first` and on; `who` tells sessions apart."""
    return [_payment(f"{who}_{first + n}", (first + n) % count) for n in range(many)]


def caller(kind: str, who: str, quote: Action) -> Callable[[int], Call]:
    """What the menus ask for with the PIN, at the price of `quote`, payment by payment. Their
    keys are as long, and come as nearly in order, as those of real sessions."""
    money = parse_typed(amount, "KES")
    assert money is not None
    fee: Value | None = None

    def call(number: int) -> Call:
        nonlocal fee
        payer = number * 2_654_435_761 % count
        origin = Origin("africastalking", SessionId(f"ATUid_{who}_{number}"), msisdn(payer))
        asked: dict[str, Value] = {"amount": money} | _payee(kind, payer)
        if fee is None:
            fee = quote.run(Call("", origin, asked, None, within_s)).values["fee"]
        key = f"01997000-0000-7000-8000-{number:012x}:{kind}:{who}"
        return Call(key, origin, asked | {"fee": fee}, Secret(_pin(payer)), within_s)

    return call


def _payee(kind: str, payer: int) -> dict[str, Value]:
    if kind == ONE_BILLER:
        return {"business": BILLER, "account": "12345678"}
    payee = (payer + count // 2) % count
    return {"to": msisdn(payee), "payee": str(ID_FIRST + payee)}


def check_books(settings: Settings, paid: Mapping[str, int]) -> str:
    """Every payment, counted by its kind, is in the books once, and every account is the sum of
    its entries."""
    engine = app.database(settings)
    with database.reading(engine) as connection:
        counted = select(journal.c.kind, func.count()).group_by(journal.c.kind)
        rows = connection.execute(counted.where(journal.c.kind.in_(paid)))
        posted: dict[str, int] = dict(rows.tuples().all())
        entries, total = connection.execute(
            text("SELECT count(*), coalesce(sum(minor), 0) FROM entry")
        ).one()
        off = connection.scalar(
            text(
                "SELECT count(*) FROM account LEFT JOIN (SELECT account_id, sum(minor) AS s, "
                "count(*) AS n FROM entry GROUP BY account_id) AS e ON e.account_id = id "
                "WHERE debits - credits <> coalesce(s, 0) OR seq <> coalesce(n, 0)"
            )
        )
    engine.dispose()
    assert posted == paid, f"{posted} of {paid} payments are in the books"
    assert total == 0, f"entries do not balance: {total}"
    assert off == 0, f"{off} accounts are not the sum of their entries"
    payments = sum(paid.values())
    return f"books: {payments:,} payments answered and kept, {entries:,} entries sum to 0"


def _wallet(number: int) -> dict[str, object]:
    pending = {"debits_pending": 0, "credits_pending": 0}
    totals = {"debits": 0, "credits": 0, "seq": 0, **pending}
    kind = {"code": WALLET.number, "side": WALLET.side.value, "currency": "KES"}
    bounds = {"floor": 0, "cap": None}
    return {"id": ID_FIRST + number, "public_ref": msisdn(number)} | kind | bounds | totals


def _person(number: int, *, kid: str, salt: bytes, tag: bytes) -> dict[str, object]:
    row = {"id": ID_FIRST + number, "wallet_id": ID_FIRST + number, "wrong_tries": 0}
    who = {"msisdn": msisdn(number), "name": "Amina Wafula", "language": "en"}
    known = {"tier": "standard", "active": True}
    return row | who | known | {"pin_kid": kid, "pin_salt": salt, "pin_tag": tag}


def _paid_in(wallet_id: int) -> Work:
    legs = (Leg(house_id(TRUST_BANK, "KES"), opening_minor), Leg(wallet_id, -opening_minor))

    def decide(_book: Book) -> Decision:
        return Decision("ok", {}, Posting("opening", legs))

    key = f"opening:customer {wallet_id}"
    content = sha256(key.encode()).hexdigest()
    return Work(key, content, 0, (), tuple(leg.account_id for leg in legs), decide)


def _payment(session: str, payer: int) -> list[str]:
    payee = (payer + count // 2) % count
    typed = ("1", f"0{msisdn(payee)[4:]}", amount, _pin(payer))
    texts = ("*".join(typed[:hop]) for hop in range(len(HOPS)))
    return [
        urlencode(
            {
                "sessionId": f"ATUid_{session}",
                "phoneNumber": msisdn(payer),
                "networkCode": "63902",
                "serviceCode": "*384#",
                "text": heard,
            }
        )
        for heard in texts
    ]


def msisdn(number: int) -> Msisdn:
    return Msisdn(f"+254711{100_000 + number}")


def _pin(number: int) -> str:
    return f"{1_000 + number}"
