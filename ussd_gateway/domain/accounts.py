"""The chart of accounts: what each code is, which side it grows on, and whether it is inside
the trust ring.

The ring: customers' e-money is matched, shilling for shilling, by money in the trust bank.

    1010 + 1020  =  201x .. 205x + 2410 .. 2430  +  2440
    trust bank      e-money that people hold        fees earned, not yet swept out

A fee leaves the ring: 2440 (inside) is credited with it and its mirror 1320 (outside) debited,
until a sweep moves the cash from the trust bank to the operating bank.

What is bought on a phone bill (1120, 2120) never enters the ring: no posting has a leg of those
accounts beside one of e-money.
"""

from dataclasses import dataclass
from enum import Enum


class Side(Enum):
    """The side an account grows on. Entries are signed: a debit is positive, a credit
    negative."""

    DEBIT = 1
    CREDIT = -1


@dataclass(frozen=True, slots=True)
class Code:
    number: int
    name: str
    side: Side


TRUST_BANK = Code(1010, "trust bank", Side.DEBIT)
BANK_IN_TRANSIT = Code(1020, "bank in transit", Side.DEBIT)
PHONE_BILLS = Code(1120, "phone bills", Side.DEBIT)
AIRTIME_STOCK = Code(1210, "airtime stock", Side.DEBIT)
DUE_FROM_TRUST = Code(1320, "due from trust", Side.DEBIT)
WALLET = Code(2010, "customer wallet", Side.CREDIT)
AGENT_FLOAT = Code(2020, "agent float", Side.CREDIT)
SUPER_AGENT_FLOAT = Code(2021, "super-agent float", Side.CREDIT)
TILL = Code(2030, "merchant till", Side.CREDIT)
BILLER = Code(2040, "biller", Side.CREDIT)
CONTENT_MERCHANT = Code(2120, "content merchant", Side.CREDIT)
COMMISSION = Code(2210, "agent commission", Side.CREDIT)
EXCISE = Code(2310, "excise duty", Side.CREDIT)
AIRTIME_ON_ORDER = Code(2421, "airtime on order", Side.CREDIT)
DUE_TO_OPERATING = Code(2440, "due to operating", Side.CREDIT)
EQUITY = Code(3010, "equity", Side.CREDIT)
TRANSFER_FEES = Code(4010, "transfer fees", Side.CREDIT)
WITHDRAWAL_FEES = Code(4020, "withdrawal fees", Side.CREDIT)
PAYMENT_FEES = Code(4030, "payment fees", Side.CREDIT)
COMMISSION_PAID = Code(5010, "commission expense", Side.DEBIT)

# Of these the house has one account for each currency; of all others, each holder has one.
HOUSE = (
    TRUST_BANK,
    BANK_IN_TRANSIT,
    PHONE_BILLS,
    AIRTIME_STOCK,
    DUE_FROM_TRUST,
    EXCISE,
    AIRTIME_ON_ORDER,
    DUE_TO_OPERATING,
    EQUITY,
    TRANSFER_FEES,
    WITHDRAWAL_FEES,
    PAYMENT_FEES,
    COMMISSION_PAID,
)
HELD = (WALLET, AGENT_FLOAT, SUPER_AGENT_FLOAT, TILL, BILLER, CONTENT_MERCHANT, COMMISSION)

# ISO 4217 numbers, which tell the house's own accounts of several currencies apart.
_ISO_NUMBERS = {"KES": 404, "UGX": 800, "TZS": 834, "RWF": 646, "XOF": 952}
# Everybody else's accounts have lower ids.
HOUSE_ID_MIN = 1_000_000_000_000

CHART = {code.number: code for code in (*HOUSE, *HELD)}


def house_id(code: Code, currency: str) -> int:
    """The id of the house's one account of a code and currency: KES 2440 is 1000004042440.

    Higher than any customer's, so that these hot accounts are locked last.
    """
    return HOUSE_ID_MIN + _ISO_NUMBERS[currency] * 10_000 + code.number


def house_ref(code: Code, currency: str) -> str:
    """Its public reference: `KES-2440`."""
    return f"{currency}-{code.number}"
