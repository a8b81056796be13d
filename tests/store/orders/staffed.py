"""Books in which staff can order something: people, an agent's store, and the house's accounts,
with money that was paid in by a journal, so that the checker finds all of it in order."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import count

from sqlalchemy import Engine, insert, select

from tests.store.conftest import MARKET, SetClock, started
from tests.store.people import AMINA, JUMA
from ussd_gateway.domain.accounts import (
    AGENT_FLOAT,
    BILLER,
    COMMISSION,
    COMMISSION_PAID,
    DUE_FROM_TRUST,
    DUE_TO_OPERATING,
    EXCISE,
    PAYMENT_FEES,
    TRANSFER_FEES,
    TRUST_BANK,
    WALLET,
    Code,
    house_id,
)
from ussd_gateway.domain.book import Book, Decision, Message, Spent, Work
from ussd_gateway.domain.journal import Leg, Posting
from ussd_gateway.domain.money import Money
from ussd_gateway.domain.msisdn import Msisdn
from ussd_gateway.services.orders.decide_reversal import let_go
from ussd_gateway.services.orders.desk import By, Desk
from ussd_gateway.services.orders.hold_money import HoldsOverdue
from ussd_gateway.services.orders.reverse import ReverseService
from ussd_gateway.services.orders.set_status import StatusService
from ussd_gateway.services.orders.sweep_dues import SweepService
from ussd_gateway.services.orders.taking_back import KINDS
from ussd_gateway.store.database import reading, writing
from ussd_gateway.store.house import open_house
from ussd_gateway.store.inquiry import SqlRecords
from ussd_gateway.store.ledger.writer import Writer
from ussd_gateway.store.numbers import AccountNumbers
from ussd_gateway.store.schema import account, business, subscriber
from ussd_gateway.store.verify import Finding, verify

STORE, WATER = Msisdn("+254722000001"), Msisdn("+254733000001")
AMINAS, JUMAS, FLOAT, EARNED, BILLS = 1, 2, 3, 4, 5
KES_1000 = 1_000_00
FEE, TAX = 7_00, 91

_keys = count()


@dataclass(frozen=True, slots=True)
class Office:
    """What is paid is paid by `writer`; `at` is where staff order."""

    engine: Engine
    writer: Writer
    at: Desk

    @property
    def reversals(self) -> ReverseService:
        return ReverseService(self.at)

    @property
    def sweeps(self) -> SweepService:
        return SweepService(self.at)

    @property
    def statuses(self) -> StatusService:
        return StatusService(self.at)

    @property
    def overdue(self) -> HoldsOverdue:
        return HoldsOverdue(self.at, dict.fromkeys(KINDS, let_go))

    def sends(self, minor: int = 500_00) -> str:
        """Amina sends Juma so much, for the fee; the receipt."""
        legs = (
            Leg(AMINAS, minor + FEE),
            Leg(JUMAS, -minor),
            Leg(house(DUE_TO_OPERATING), -FEE),
            Leg(house(DUE_FROM_TRUST), FEE),
            Leg(house(TRANSFER_FEES), TAX - FEE),
            Leg(house(EXCISE), -TAX),
        )
        told = (Message(AMINA, "sent", "en", {}), Message(JUMA, "received", "sw", {}))
        spent = Spent(AMINAS, minor)
        return self.does("send_money", legs, minor, messages=told, spent=spent)

    def withdraws(self, minor: int = 100_00, *, earned: int = 10_00) -> str:
        """Amina takes cash out at Wanjiru's, who earns a commission; the receipt."""
        legs = (
            Leg(AMINAS, minor + FEE),
            Leg(FLOAT, -minor),
            Leg(house(DUE_TO_OPERATING), -FEE),
            Leg(house(DUE_FROM_TRUST), FEE),
            Leg(house(TRANSFER_FEES), -FEE),
            Leg(house(COMMISSION_PAID), earned),
            Leg(EARNED, -earned),
        )
        told = (Message(AMINA, "withdrawn", "en", {}), Message(STORE, "paid_out", "en", {}))
        spent = Spent(AMINAS, minor)
        return self.does("withdraw", legs, minor, messages=told, spent=spent)

    def pays_a_bill(self, minor: int = 500_00, *, kept: int = 5_00) -> str:
        """Amina pays Maji Water, who pays a part of the fee; the receipt."""
        legs = (
            Leg(AMINAS, minor + FEE),
            Leg(BILLS, kept - minor),
            Leg(house(DUE_TO_OPERATING), -FEE - kept),
            Leg(house(DUE_FROM_TRUST), FEE + kept),
            Leg(house(PAYMENT_FEES), -FEE - kept),
        )
        told = (
            Message(AMINA, "bill_paid", "en", {}),
            Message(WATER, "bill_received", "en", {}),
        )
        spent = Spent(AMINAS, minor)
        return self.does("pay_bill", legs, minor, messages=told, spent=spent)

    def does(
        self,
        kind: str,
        legs: tuple[Leg, ...],
        minor: int,
        *,
        currency: str = "KES",
        messages: tuple[Message, ...] = (),
        spent: Spent | None = None,
    ) -> str:
        values = {"amount": Money(minor, currency)}
        decision = Decision("ok", values, Posting(kind, legs), messages, spent=spent)
        key = f"k{next(_keys)}"

        def decide(_book: Book) -> Decision:
            return decision

        ids = tuple(leg.account_id for leg in legs)
        outcome = self.writer.run(Work(key, key, 1_000, (), ids, decide), within_s=10)
        return str(outcome.values.get("receipt", outcome.name))

    def balance(self, account_id: int) -> int:
        own = (account.c.debits - account.c.credits) * account.c.side
        with reading(self.engine) as connection:
            found = connection.execute(select(own).where(account.c.id == account_id))
            return int(found.scalar_one())

    def pending(self, account_id: int) -> tuple[int, int]:
        found = select(account.c.debits_pending, account.c.credits_pending)
        with reading(self.engine) as connection:
            debits, credited = connection.execute(found.where(account.c.id == account_id)).one()
        return debits, credited


def wrong(engine: Engine) -> list[Finding]:
    """What the checker finds; but of rule 12: what is paid here is paid by no tariff."""
    return [found for found in verify(engine) if not found.ok and found.number != 12]


def by(name: str = "njeri", why: str = "wrong number") -> By:
    return By(name, why, f"desk:{next(_keys)}")


def house(code: Code, currency: str = "KES") -> int:
    return house_id(code, currency)


@contextmanager
def staffed(engine: Engine, clock: SetClock) -> Iterator[Office]:
    """Amina and Wanjiru's float have KES 1,000.00 each, Juma nothing."""
    open_house(engine, "KES")
    with writing(engine) as connection:
        connection.execute(
            insert(account),
            [
                opened(AMINAS, AMINA, WALLET, cap=5_000_00),
                opened(JUMAS, JUMA, WALLET, cap=5_000_00),
                opened(FLOAT, "100200", AGENT_FLOAT),
                opened(EARNED, "100200-2210", COMMISSION),
                opened(BILLS, "600600", BILLER),
            ],
        )
        connection.execute(insert(subscriber), [_person(1, AMINA, "Amina Wafula", "en")])
        connection.execute(insert(subscriber), [_person(2, JUMA, "Juma Otieno", "sw")])
        connection.execute(
            insert(business).values(
                number="100200",
                trade="store",
                name="Jirani Agencies",
                msisdn=STORE,
                language="en",
                account_id=FLOAT,
                commission_id=EARNED,
                account_digits=0,
            )
        )
        connection.execute(
            insert(business).values(
                number="600600",
                trade="biller",
                name="Maji Water",
                msisdn=WATER,
                language="en",
                account_id=BILLS,
                account_digits=8,
            )
        )
    with started(engine, clock) as writer:
        desk = Desk(SqlRecords(engine), writer, AccountNumbers(engine), clock, MARKET)
        office = Office(engine, writer, desk)
        for paid in (AMINAS, FLOAT):
            legs = (Leg(house(TRUST_BANK), KES_1000), Leg(paid, -KES_1000))
            office.does("opening", legs, KES_1000)
        yield office


def opened(
    number: int, ref: str, code: Code, currency: str = "KES", *, cap: int | None = None
) -> dict[str, object]:
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
        "floor": 0,
        "cap": cap,
        "seq": 0,
    }


def _person(number: int, msisdn: str, name: str, language: str) -> dict[str, object]:
    return {
        "id": number,
        "msisdn": msisdn,
        "name": name,
        "language": language,
        "tier": "standard",
        "active": True,
        "wallet_id": number,
        "pin_kid": "k1",
        "pin_salt": b"salt",
        "pin_tag": b"tag",
        "wrong_tries": 0,
    }


def kes(minor: int) -> Money:
    return Money(minor, "KES")
