"""A carrier that succeeds, fails or falls silent, and knows for itself what it did."""

from dataclasses import dataclass
from random import Random

from tests.simulation.disk import Died
from ussd_gateway.domain.book import Purchase
from ussd_gateway.ports import Standing, StatusReport, Supplied

_kill = 0.004


@dataclass(slots=True)
class Order:
    """`told`: what it says of it now. `truth`: what it comes to in the end."""

    purchase: Purchase
    supplier_id: str
    truth: Standing  # DONE or REFUSED
    told: Standing


class SimulatedCarrier:
    """`ports.Carrier`. While `honest` it answers whatever it is asked, at once."""

    def __init__(self, random: Random) -> None:
        self.orders: dict[str, Order] = {}
        self.honest = False
        self._random = random

    def ask(self, purchase: Purchase, *, within_s: float) -> Supplied:
        assert within_s > 0, "a carrier has some time"
        assert purchase.key not in self.orders, f"asked for {purchase.key} a second time"
        drawn = self._random.random()
        if not self.honest:
            if drawn < _kill:
                raise Died("before the carrier heard of it")
            if drawn < 0.1:
                return Supplied(Standing.UNKNOWN, None, "no connection")
        truth = self._random.choice((Standing.DONE, Standing.DONE, Standing.REFUSED))
        order = Order(purchase, f"order-{len(self.orders) + 1}", truth, truth)
        self.orders[purchase.key] = order
        if self.honest:
            return self._says(order)
        if drawn > 1 - _kill:
            raise Died("after the carrier heard of it")
        if drawn < 0.25:
            return Supplied(Standing.UNKNOWN, None, "no answer")
        if drawn < 0.4:
            order.told = Standing.PENDING
        return self._says(order)

    def find(self, purchase: Purchase, *, within_s: float) -> Supplied:
        assert within_s > 0, "a carrier has some time"
        if not self.honest and self._random.random() < 0.3:
            return Supplied(Standing.UNKNOWN, None, "no answer")
        order = self.orders.get(purchase.key)
        if order is None:
            return Supplied(Standing.ABSENT, None, "never heard of it")
        if self.honest or self._random.random() < 0.5:
            order.told = order.truth
        return self._says(order)

    def report(self) -> StatusReport | None:
        """What it says by itself of an order, whether it said so before or not."""
        if not self.orders:
            return None
        order = self._random.choice(list(self.orders.values()))
        order.told = order.truth
        bought = order.purchase
        return StatusReport(
            order.supplier_id, order.truth, bought.msisdn, bought.amount, "reported"
        )

    def _says(self, order: Order) -> Supplied:
        return Supplied(order.told, order.supplier_id, order.told.value)
