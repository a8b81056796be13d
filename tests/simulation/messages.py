"""The balance chain, as a person reads it who lays all SMS of a number side by side: each
balance is the one before, plus what came, or less what went and its fee.

    5,000.00 | Sent 500.00, fee 7.00, balance 4,493.00 | Received 20.00, balance 4,513.00

A number may hold several accounts, a wallet and a till: each has a chain of its own. Only what
the SMS say is added up; the entry beside each tells whose it is, and which comes next.
"""

import json
import sqlite3
from collections.abc import Iterator
from dataclasses import dataclass

_TOLD = """
SELECT entry.account_id, entry.account_seq, entry.minor * account.side,
       entry.balance_after, outbox.template, outbox.params
FROM outbox
JOIN idempotency ON idempotency.key = outbox.key
JOIN entry ON entry.journal_id = idempotency.journal_id
JOIN account ON account.id = entry.account_id
LEFT JOIN subscriber ON subscriber.wallet_id = account.id
LEFT JOIN business ON business.account_id = account.id
WHERE coalesce(subscriber.msisdn, business.msisdn) = outbox.msisdn
ORDER BY entry.account_id, entry.account_seq
"""


@dataclass(frozen=True, slots=True)
class _Link:
    account_id: int
    seq: int
    came: int  # by the entry: less than nothing where it went
    left: int  # by the entry, too
    template: str
    amount: int
    fee: int
    balance: int | None  # None: this one tells of none

    @property
    def told(self) -> int:
        return self.amount if self.came > 0 else -self.amount - self.fee


def chain(books: sqlite3.Connection) -> tuple[int, list[str]]:
    """How many messages are links of a chain, and where it breaks."""
    links = list(_links(books))
    broken = []
    for before, link in zip((None, *links), links, strict=False):
        if link.told != link.came:
            broken.append(f"{link}: it tells of {link.told}")
        if link.balance is not None and link.balance != link.left:
            broken.append(f"{link}: {link.left} were left")
        if before is None or before.account_id != link.account_id:
            continue
        if before.seq + 1 != link.seq:
            broken.append(f"{link}: something before it was told by no SMS")
        if before.balance is not None and link.balance != before.balance + link.told:
            broken.append(f"{link}: {before.balance} stood in the one before")
    return len(links), broken


def _links(books: sqlite3.Connection) -> Iterator[_Link]:
    for account_id, seq, came, left, template, params in books.execute(_TOLD):
        said = json.loads(params)
        balance = said.get("balance")
        yield _Link(
            account_id,
            seq,
            came,
            left,
            template,
            said["amount"]["minor"],
            said.get("fee", {}).get("minor", 0),
            balance and balance["minor"],
        )
