"""The balance, for a PIN. It moves nothing, but a wrong PIN is counted, so it is a command."""

from hashlib import sha256

from ussd_gateway.domain.book import Book, Decision, Work
from ussd_gateway.domain.market import Market
from ussd_gateway.domain.refusals import Reason, Refused
from ussd_gateway.ports import (
    TIMEOUT,
    UNKNOWN,
    Action,
    Answer,
    Call,
    Clock,
    Effect,
    Ledger,
    PinVerifier,
    Reads,
    VarType,
)
from ussd_gateway.services.pins import Proof, count, judged, prove, refuse, refuse_pin


def decide(proof: Proof, at: str, book: Book) -> Decision:
    person, tried = judged(proof, book)
    if not person.active:
        return refuse(Refused(Reason.ACCOUNT_BLOCKED))
    if tried.refused is not None:
        return refuse_pin(person, tried)

    balance = book.accounts[person.wallet_id].balance
    return Decision("ok", {"balance": balance, "at": at}, pin=count(person, tried))


class BalanceService:
    """What a menu calls `balance`."""

    def __init__(
        self,
        reads: Reads,
        ledger: Ledger,
        verifier: PinVerifier,
        clock: Clock,
        *,
        market: Market,
    ) -> None:
        self._reads = reads
        self._ledger = ledger
        self._verifier = verifier
        self._clock = clock
        self._market = market

    def tell(self, call: Call) -> Answer:
        assert call.secret is not None
        msisdn = call.origin.msisdn
        person = self._reads.subscribers(msisdn).get(msisdn)
        if person is None:
            return Answer(Reason.NOT_REGISTERED.value, {})

        proof = prove(person, call.secret, self._verifier)
        now_ms = int(self._clock.now().timestamp() * 1000)
        at = self._market.written(now_ms)
        outcome = self._ledger.run(
            Work(
                key=call.key,
                content=sha256(f"balance {msisdn}".encode()).hexdigest(),
                event_at_ms=now_ms,
                subscriber_ids=(person.id,),
                account_ids=(person.wallet_id,),
                decide=lambda book: decide(proof, at, book),
                route=call.origin.route,
                session_id=call.origin.session_id,
                msisdn=msisdn,
            ),
            within_s=call.within_s,
        )
        return Answer(outcome.name, outcome.values)

    def actions(self) -> tuple[Action]:
        reasons = (
            Reason.NOT_REGISTERED,
            Reason.ACCOUNT_BLOCKED,
            Reason.PIN_LOCKED,
            Reason.WRONG_PIN,
        )
        balance = Action(
            "balance",
            Effect.CHANGE,
            takes={},
            gives={
                "balance": VarType("money"),
                "at": VarType("text", 16),
                "tries_left": VarType("count"),
            },
            outcomes=frozenset({"ok", TIMEOUT, UNKNOWN} | {r.value for r in reasons}),
            takes_secret=True,
            run=self.tell,
        )
        return (balance,)
