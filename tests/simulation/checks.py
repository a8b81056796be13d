"""What must hold of the simulated town's books: a little after each batch, all in the end.

It reads the tables with statements of its own.
"""

import sqlite3
from collections import Counter
from collections.abc import Collection, Mapping

from tests.simulation.carrier import Order
from tests.simulation.errands import CUSTOMERS, MSISDNS, STORE, TILL, Errand, moved
from tests.simulation.messages import chain
from ussd_gateway.domain.book import Outcome
from ussd_gateway.ports import CONFLICT, TIMEOUT, UNKNOWN, Standing
from ussd_gateway.store.codec import encode_outcome
from ussd_gateway.store.database import connect
from ussd_gateway.store.verify import verify
from ussd_gateway.store.verify.ring import RING

_OPEN = "state IN ('due', 'asked')"
# With what is held out of each, and for it: by the holds themselves.
_ACCOUNTS = """
WITH open AS (SELECT source_id, target_id, minor FROM hold WHERE state = 'pending')
SELECT code, debits - credits, floor, cap, side, debits_pending, credits_pending,
    (SELECT COALESCE(SUM(minor), 0) FROM open WHERE source_id = account.id),
    (SELECT COALESCE(SUM(minor), 0) FROM open WHERE target_id = account.id)
FROM account
"""
# Their accounts are known to the last cent: wallets, a till, and an agent's float.
_KNOWN = (*(str(MSISDNS[name]) for name in CUSTOMERS), TILL, STORE)


class Checks:
    def __init__(self, url: str) -> None:
        self._url = url
        self._books = sqlite3.connect(url.removeprefix("sqlite:///"), isolation_level=None)
        self._asked: Counter[str] = Counter()
        self._acknowledged: dict[str, Outcome] = {}
        self._opening = self.balances()
        self._journals = self._count("journal")
        self._keys = 0

    def close(self) -> None:
        self._books.close()

    # --- as things happen -----------------------------------------------------------------

    def asked(self, key: str) -> None:
        self._asked[key] += 1

    def answered(self, key: str, outcome: Outcome, *, other: bool) -> None:
        """An outcome on its way to whoever asked. `other`: for something else than before."""
        if outcome.name == TIMEOUT:
            stored = self.is_stored(key)
            assert not stored or self._asked[key] > 1, f"{key}: nothing moved, and it did"
            return
        if outcome.name == UNKNOWN:
            return
        if other or outcome.name == CONFLICT:
            # A purchase that was settled may be reported otherwise; that is refused so.
            assert outcome.name == CONFLICT, f"{key}: {outcome} for something else"
            return
        first = self._acknowledged.setdefault(key, outcome)
        assert outcome == first, f"{key}: {outcome}, and {first} before"
        self._is_kept(key, outcome)

    def now(self) -> str:
        """Of the accounts, after a batch; in words."""
        total = ringed = 0
        for row in self._books.execute(_ACCOUNTS):
            code, minor, floor, cap, side, going, coming, *held = row
            total += minor
            ringed += minor if code in RING else 0
            balance = minor * side
            assert [going, coming] == held, f"{going} and {coming} are pending, {held} held"
            assert floor is None or balance - going >= floor, f"{balance} is under {floor}"
            assert cap is None or balance + coming <= cap, f"{balance} is over {cap}"
        assert total == 0, f"debits and credits differ by {total}"
        assert ringed == 0, f"e-money and the trust bank differ by {ringed}"
        keys = self._count("idempotency")
        assert keys >= self._keys, "a key is gone"
        self._keys = keys
        return f"{keys} keys, {self._count('journal')} journals"

    # --- in the end -----------------------------------------------------------------------

    def all(self, errands: Collection[Errand], orders: Mapping[str, Order]) -> None:
        for key, outcome in self._acknowledged.items():
            self._is_kept(key, outcome)
        self._add_up(errands, orders)
        engine = connect(self._url)
        wrong = [each for each in verify(engine) if not each.ok]
        engine.dispose()
        assert not wrong, wrong
        _, broken = chain(self._books)
        assert not broken, "\n".join(broken)

    def _add_up(self, errands: Collection[Errand], orders: Mapping[str, Order]) -> None:
        """Every yes moved its money once, and nothing else did."""
        expected = Counter(self._opening)
        journals = self._journals
        for errand in errands:
            happened = self._name(errand.key) == "ok"
            if errand.answer is not None:
                yes = errand.answer.outcome in ("ok", "carrier_refused")
                assert yes == happened, f"{errand}: the books say {self._name(errand.key)}"
            if not happened:
                continue
            moves = moved(errand.action, errand.person, errand.args)
            expected.update(moves)
            journals += bool(moves)
            if errand.action == "airtime":
                journals += 1
                order = orders.get(errand.key)
                delivered = order is not None and order.truth is Standing.DONE
                settled = self._name(f"{errand.key}:settled")
                told = "delivered" if delivered else "carrier_refused"
                assert settled == told, f"{errand}: {order} was settled as {settled}"
                if not delivered:
                    expected.subtract(moves)
        found = self.balances()
        assert found == {ref: expected[ref] for ref in _KNOWN}, f"{found}, not {expected}"
        assert self._count("journal") == journals, f"there should be {journals} journals"

    def balances(self) -> dict[str, int]:
        rows = self._books.execute("SELECT public_ref, (debits - credits) * side FROM account")
        every = dict(rows.fetchall())
        return {ref: every[ref] for ref in _KNOWN}

    # --- purchases ------------------------------------------------------------------------

    def due_ms(self) -> int | None:
        """When the next one is to be looked after; None where none is open."""
        row = self._books.execute(f"SELECT MIN(next_at_ms) FROM purchase WHERE {_OPEN}")
        found: int | None = row.fetchone()[0]
        return found

    def one_is_due(self, now_ms: int) -> None:
        """And no more, by a millisecond: each that is due gets a thread of its own, and threads
        have no seed."""
        due = self._books.execute(
            f"SELECT key FROM purchase WHERE {_OPEN} AND next_at_ms <= ? "
            "ORDER BY next_at_ms, key",
            (now_ms,),
        ).fetchall()
        for later, (key,) in enumerate(due[1:], 1):
            self._books.execute(
                "UPDATE purchase SET next_at_ms = ? WHERE key = ?", (now_ms + later, key)
            )

    # --- keys -----------------------------------------------------------------------------

    def is_stored(self, key: str) -> bool:
        return self._outcome(key) is not None

    def _is_kept(self, key: str, outcome: Outcome) -> None:
        stored = self._outcome(key)
        assert stored is not None, f"{key} was acknowledged, and is gone"
        told = encode_outcome(outcome.name, outcome.values)
        assert stored == told, f"{key}: {told} was told, and {stored} is kept"

    def _name(self, key: str) -> str | None:
        stored = self._outcome(key)
        return stored and stored.split('"')[1]

    def _outcome(self, key: str) -> str | None:
        row = self._books.execute("SELECT outcome FROM idempotency WHERE key = ?", (key,))
        found = row.fetchone()
        return None if found is None else found[0]

    def _count(self, table: str) -> int:
        found: int = self._books.execute(f"SELECT count(*) FROM {table}").fetchone()[0]
        return found
