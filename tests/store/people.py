"""People put straight into a database, and commands that write what stands beside money."""

import threading
from collections.abc import Callable
from queue import SimpleQueue

from sqlalchemy import Engine, insert

from tests.store.conftest import wallet
from ussd_gateway.domain.book import (
    Book,
    Change,
    Decision,
    Message,
    Outcome,
    PinCount,
    Purchase,
    Registered,
    Spent,
    Subscriber,
    Work,
)
from ussd_gateway.domain.journal import Posting
from ussd_gateway.domain.money import Money
from ussd_gateway.domain.msisdn import Msisdn
from ussd_gateway.store.database import writing
from ussd_gateway.store.ledger.writer import Writer
from ussd_gateway.store.schema import account, subscriber

AMINA, JUMA = Msisdn("+254711000001"), Msisdn("+254711000002")
OTIENO = Msisdn("+254711000009")


def enrol(engine: Engine) -> None:
    """Amina, with KES 10.00, and Juma, with nothing. Their ids are 1 and 2."""
    names = ("Amina Wafula", AMINA), ("Juma Otieno", JUMA)
    with writing(engine) as connection:
        connection.execute(insert(account), [wallet(1, 1_000), wallet(2, 0)])
        connection.execute(
            insert(subscriber),
            [
                {
                    "id": number,
                    "msisdn": msisdn,
                    "name": name,
                    "language": "en",
                    "tier": "standard",
                    "active": True,
                    "wallet_id": number,
                    "pin_kid": "k1",
                    "pin_salt": b"salt",
                    "pin_tag": b"old",
                    "wrong_tries": 0,
                }
                for number, (name, msisdn) in enumerate(names, 1)
            ],
        )


def newcomer(number: int, msisdn: Msisdn = OTIENO) -> Registered:
    person = Subscriber(
        id=number,
        msisdn=msisdn,
        name="Otieno Ouma",
        language="sw",
        tier="minimum",
        active=True,
        wallet_id=number,
        pin_kid="k1",
        pin_salt=b"salt",
        pin_tag=b"tag",
        wrong_tries=0,
    )
    return Registered(person, "KES", 50_000_00, "12345678", "2026-11")


def bought(
    key: str = "buy-1",
    minor: int = 5_000,
    *,
    kind: str = "airtime",
    by: int = 1,
    asked_at_ms: int = 0,
) -> Purchase:
    msisdn = {1: AMINA, 2: JUMA}[by]
    return Purchase(key, kind, by, msisdn, Money(minor, "KES"), "", "", asked_at_ms)


def doing(
    key: str,
    *changes: Change,
    posting: Posting | None = None,
    messages: tuple[Message, ...] = (),
    pin: Callable[[Subscriber], PinCount | None] = lambda _: None,
    outcome: str = "ok",
    spent: Spent | None = None,
) -> Work:
    """A command of Amina's that writes just this. `pin` sees her row as it is then."""

    def decide(book: Book) -> Decision:
        counted = pin(book.subscribers[1])
        return Decision(outcome, {}, posting, messages, counted, changes, spent)

    return Work(
        key=key,
        content=key,
        event_at_ms=1_000,
        subscriber_ids=(1,),
        account_ids=(1, 2),
        decide=decide,
    )


def in_one_batch(writer: Writer, *works: Work) -> list[Outcome]:
    """Their outcomes. The writer is held back until all of them are queued."""
    reached, go_on = threading.Event(), threading.Event()

    def wait(_book: Book) -> Decision:
        reached.set()
        assert go_on.wait(10)
        return Decision("ok", {})

    outcomes: dict[str, Outcome] = {}
    answered: SimpleQueue[str] = SimpleQueue()

    def queue(work: Work) -> None:
        def keep(outcome: Outcome) -> None:
            outcomes[work.key] = outcome
            answered.put(work.key)

        assert writer.submit(work, keep)

    queue(Work("gate", "gate", 1_000, (), (), wait))
    assert reached.wait(5)
    for work in works:
        queue(work)
    go_on.set()
    for _ in range(len(works) + 1):
        answered.get(timeout=10)
    return [outcomes[work.key] for work in works]
