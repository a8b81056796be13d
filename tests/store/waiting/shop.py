"""The demo cast, served by two processes at once, with the real services and writer."""

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import timedelta
from itertools import count

from sqlalchemy import Engine, select

from tests.store.conftest import SetClock
from ussd_gateway.app.services import Services
from ussd_gateway.domain.money import Money
from ussd_gateway.domain.msisdn import Msisdn
from ussd_gateway.ports import Answer, Call, Origin, Secret, SessionId, Value
from ussd_gateway.services.orders.desk import By
from ussd_gateway.services.orders.reverse import ReverseService
from ussd_gateway.services.orders.set_status import StatusService
from ussd_gateway.services.vouchers.give_back_voucher import VouchersOverdue
from ussd_gateway.store.database import reading
from ussd_gateway.store.schema import account, outbox, voucher
from ussd_gateway.store.verify import verify

AMINA, GRACE, WANJIRU = (
    Msisdn("+254711000001"),
    Msisdn("+254711000003"),
    Msisdn("+254722000001"),
)
NOBODY = Msisdn("+254711000009")
PINS = {AMINA: "4826", WANJIRU: "6174"}
WEEK = timedelta(days=7)
UNKNOWN, BARRED, EXPIRED = "unknown_voucher", "voucher_barred", "voucher_expired"


@dataclass(slots=True)
class Shop:
    """The demo cast, and two processes that serve them."""

    engine: Engine
    clock: SetClock
    processes: list[Services]
    overdue: VouchersOverdue
    reversals: ReverseService
    statuses: StatusService
    keys: Iterator[int] = field(default_factory=count)

    def asks(
        self,
        action: str,
        who: Msisdn,
        args: dict[str, Value],
        *,
        secret: str | None = None,
        key: str | None = None,
        by: int = 0,
    ) -> Answer:
        key = key or f"test:{action}:{next(self.keys)}"
        origin = Origin("africastalking", SessionId(key), who)
        call = Call(key, origin, args, Secret(secret or PINS[who]), within_s=5.0)
        return self.processes[by].actions[action].run(call)

    def sends(
        self,
        shillings: int = 500,
        *,
        to: Msisdn = NOBODY,
        fee: int = 60,
        key: str | None = None,
        pin: str | None = None,
    ) -> Answer:
        args: dict[str, Value] = {"to": to, "amount": kes(shillings), "fee": kes(fee)}
        return self.asks("voucher.send", AMINA, args, key=key, secret=pin)

    def finds(self, code: str, *, to: Msisdn = NOBODY) -> Answer:
        return self.asks("voucher.find", WANJIRU, {"number": to}, secret=code)

    def cashes(self, ticket: Value, *, key: str | None = None, by: int = 0) -> Answer:
        return self.asks("voucher.cash", WANJIRU, {"ticket": ticket}, key=key, by=by)

    def by(self, name: str = "njeri") -> By:
        return By(name, "asked", f"desk:{next(self.keys)}")

    @property
    def codes(self) -> list[str]:
        found = select(outbox.c.params).where(outbox.c.template == "voucher_code")
        with reading(self.engine) as connection:
            params = connection.execute(found.order_by(outbox.c.id)).scalars()
            return [json.loads(each)["code"] for each in params]

    @property
    def told(self) -> list[tuple[str, str]]:
        found = select(outbox.c.msisdn, outbox.c.template).order_by(outbox.c.id)
        with reading(self.engine) as connection:
            return [(row.msisdn, row.template) for row in connection.execute(found)]

    def balance(self, ref: str) -> int:
        with reading(self.engine) as connection:
            row = connection.execute(select(account).where(account.c.public_ref == ref)).one()
        return int((row.debits - row.credits) * row.side)

    def used(self) -> int:
        found = select(account.c.used_day).where(account.c.public_ref == AMINA)
        with reading(self.engine) as connection:
            return int(connection.execute(found).scalar_one())

    def vouchers(self) -> list[tuple[str, int]]:
        found = select(voucher.c.state, voucher.c.wrong_tries).order_by(voucher.c.id)
        with reading(self.engine) as connection:
            return [(row.state, row.wrong_tries) for row in connection.execute(found)]

    def wrong(self) -> list[str]:
        return [one.name for one in verify(self.engine) if not one.ok]


def kes(shillings: int) -> Money:
    return Money(shillings * 100, "KES")
