"""Money that Amina has sent to Grace by mistake: asked back, answered, and looked into."""

from collections.abc import Sequence

from tests.world import AMINA, GRACE, JUMA, Line, rows
from ussd_gateway.app import wiring
from ussd_gateway.cli.stage.world import GatewayWorld
from ussd_gateway.services.orders.desk import By, Desk
from ussd_gateway.settings import Settings
from ussd_gateway.store.verify import verify

SEND = ("1", "0711000003", "500")
BACK = ("3", "5")
GIVE, KEEP = "1", "2"
PINS = {AMINA: "4826", JUMA: "7391", GRACE: "5937"}
WRONG = "wrong number"
DECIDED = {
    "en": "END Nothing was done: it was decided already, or its time is over. "
    "An SMS says what became of it.",
    "sw": "END Hakuna kilichofanyika: iliamuliwa tayari, au muda wake umekwisha. "
    "SMS inasema matokeo.",
    "fr": "END Rien n'est fait : c'était déjà décidé, ou le délai est passé. "
    "Un SMS dit ce qu'il en est.",
}


def sends(world: GatewayWorld, session: str = "sends") -> str:
    """Amina, KES 500.00 to Grace; the receipt."""
    said = Line(world, session).walks(*SEND, PINS[AMINA])
    return said.removeprefix("END ").partition(" ")[0]


def asks(world: GatewayWorld, receipt: str, session: str = "asks") -> str:
    return Line(world, session).walks(*BACK, receipt, PINS[AMINA])


def answers(world: GatewayWorld, answer: str, session: str = "answers") -> str:
    return Line(world, session, GRACE).walks(*BACK, answer, PINS[GRACE])


def desk(world: GatewayWorld, settings: Settings) -> Desk:
    return wiring.desk(settings, world.gateway.engine, world.gateway.writer, world.clock)


def by(name: str, key: str) -> By:
    return By(name, WRONG, f"desk:{key}")


def holds(world: GatewayWorld) -> Sequence[tuple[str, str, int]]:
    return [
        (kind, state, minor)
        for kind, state, minor in rows(
            world, "SELECT kind, state, minor FROM hold ORDER BY placed_at_ms, id"
        )
    ]


def told(world: GatewayWorld, template: str) -> list[str]:
    owed = "SELECT msisdn FROM outbox WHERE template = :template ORDER BY id"
    return [msisdn for (msisdn,) in rows(world, owed, template=template)]


def in_order(world: GatewayWorld) -> bool:
    return all(finding.ok for finding in verify(world.gateway.engine))
