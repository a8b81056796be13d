"""A PIN of one's own choice, with real verifiers and tickets, on books in memory."""

from itertools import count
from uuid import UUID

from tests.services.cast import AMINA, book
from tests.services.stand_in import VERIFIER, Args, World, call, with_pin
from ussd_gateway.domain.msisdn import Msisdn
from ussd_gateway.ports import Call, Tickets
from ussd_gateway.services.choose_pin import ChoosePinService
from ussd_gateway.store.pins import HmacTickets

OLD, NEW = "4826", "9153"
STRANGER = Msisdn("+254711000009")


class Counted:
    """`ports.Random` and `ports.Numbers`: one after the other."""

    def __init__(self) -> None:
        self._numbers = count(100)

    def next(self) -> int:
        return next(self._numbers)

    def octets(self, count: int) -> bytes:
        return self.next().to_bytes(count, "big")

    def uuid7(self) -> UUID:
        return UUID(int=self.next())


class Choosing:
    """The service; Amina has a PIN, and whoever else calls is a stranger."""

    def __init__(self) -> None:
        self.world = World(book(with_pin(AMINA, OLD)))
        self.tickets: Tickets = HmacTickets(b"key of tickets")
        counted = Counted()
        self.service = ChoosePinService(
            self.world.teller, self.tickets, counted, counted, kid="k2"
        )
        self._keys = count(1)

    def call(self, pin: str, args: Args | None = None, *, by: Msisdn = AMINA.msisdn) -> Call:
        """Each has a key of its own."""
        return call(args, key=f"k{next(self._keys)}", msisdn=by, pin=pin)

    def proof(self, *, by: Msisdn = AMINA.msisdn, pin: str = OLD) -> str:
        return str(self.service.prove(self.call(pin, by=by)).values["proof"])

    def ticket(self, *, by: Msisdn = AMINA.msisdn, old: str = OLD, pin: str = NEW) -> str:
        """Of somebody who proved the old PIN for it."""
        args: Args = {"proof": self.proof(by=by, pin=old)}
        return str(self.service.choose(self.call(pin, args, by=by)).values["ticket"])

    def first(self, *, by: Msisdn = STRANGER, pin: str = NEW) -> str:
        """The ticket of somebody who is about to register."""
        return str(self.service.first(self.call(pin, by=by)).values["ticket"])

    def changed(
        self, proof: str, ticket: str, *, pin: str = NEW, by: Msisdn = AMINA.msisdn
    ) -> str:
        """The outcome of the last hop."""
        args: Args = {"proof": proof, "ticket": ticket}
        return self.service.change(self.call(pin, args, by=by)).outcome

    def amina_has(self, pin: str) -> bool:
        amina = self.world.ledger.people[AMINA.id]
        stored = (amina.pin_kid, amina.pin_salt, amina.pin_tag)
        asked = call(pin=pin).secret
        assert asked is not None
        tag = VERIFIER.tag(kid=stored[0], subscriber_id=1, salt=stored[1], pin=asked)
        return tag == stored[2]
