"""Money for a number that nobody has registered: it waits in 2410 under a code.

    send -> open -> cashed     at any agent, by whoever has the phone and the code
                 -> returned   to the wallet that it came from, when its time is over

It ends once. The code itself is kept nowhere: its tag is, like a PIN's. A wrong code is counted
on the voucher, and after `TRIES_MAX` of them nobody cashes it any more: it goes back.
"""

from dataclasses import dataclass
from enum import Enum

from ussd_gateway.domain.money import Money
from ussd_gateway.domain.msisdn import Msisdn

CODE_DIGITS = 8
SALT_OCTETS = 16
TRIES_MAX = 3
OPEN_MS = 7 * 24 * 3_600_000


class VoucherState(Enum):
    OPEN = "open"
    CASHED = "cashed"
    RETURNED = "returned"


@dataclass(frozen=True, slots=True)
class Voucher:
    """Its wallet and subscriber are the sender's; `msisdn` is the number that the money is
    for. `wrong_tries` counts codes that were not its own."""

    id: int
    subscriber_id: int
    wallet_id: int
    msisdn: Msisdn
    currency: str
    minor: int
    kid: str
    salt: bytes
    tag: bytes
    wrong_tries: int
    state: VoucherState
    sent_at_ms: int
    expires_at_ms: int

    def __post_init__(self) -> None:
        assert self.minor > 0, "a voucher is worth something"

    @property
    def amount(self) -> Money:
        return Money(self.minor, self.currency)

    @property
    def barred(self) -> bool:
        return self.wrong_tries >= TRIES_MAX

    def overdue(self, now_ms: int) -> bool:
        """Whether its time is over, whether or not anybody has given it back yet."""
        return now_ms >= self.expires_at_ms


def code_of(octets: bytes) -> str:
    """A code out of chance: all of them are as likely, as far as anybody can tell."""
    return f"{int.from_bytes(octets, 'big') % 10**CODE_DIGITS:0{CODE_DIGITS}}"
