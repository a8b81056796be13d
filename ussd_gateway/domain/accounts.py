"""The chart of accounts: what each code is, which side it grows on, and whether it is inside
the trust ring.

The ring: customers' e-money is matched, shilling for shilling, by money in the trust bank.

    1010 + 1020  =  201x .. 205x + 2410 .. 2430  +  2440
    trust bank      e-money that people hold        fees earned, not yet swept out

A fee leaves the ring: 2440 (inside) is credited with it and its mirror 1320 (outside) debited,
until a sweep moves the cash from the trust bank to the operating bank.

What is charged to phones (1120, 2110, 2120, 2130) never enters the ring: no posting has a leg
of those accounts beside one of e-money.
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


# 1xxx assets
TRUST_BANK = Code(1010, "trust bank", Side.DEBIT)
BANK_IN_TRANSIT = Code(1020, "bank in transit", Side.DEBIT)
AGENT_RECEIVABLE = Code(1110, "agent receivable", Side.DEBIT)
PHONE_BILLS = Code(1120, "phone bills", Side.DEBIT)
AIRTIME_ADVANCE = Code(1130, "airtime advance", Side.DEBIT)
CLAWBACK = Code(1140, "reversal clawback", Side.DEBIT)
AIRTIME_STOCK = Code(1210, "airtime stock", Side.DEBIT)
OPERATING_BANK = Code(1310, "operating bank", Side.DEBIT)
DUE_FROM_TRUST = Code(1320, "due from trust", Side.DEBIT)
# 2xxx liabilities
WALLET = Code(2010, "customer wallet", Side.CREDIT)
AGENT_FLOAT = Code(2020, "agent float", Side.CREDIT)
SUPER_AGENT_FLOAT = Code(2021, "super-agent float", Side.CREDIT)
TILL = Code(2030, "merchant till", Side.CREDIT)
BILLER = Code(2040, "biller", Side.CREDIT)
DISBURSER = Code(2050, "bulk disburser", Side.CREDIT)
PREPAID_AIRTIME = Code(2110, "prepaid airtime", Side.CREDIT)
CONTENT_MERCHANT = Code(2120, "content merchant", Side.CREDIT)
CARRIER = Code(2130, "carrier payable", Side.CREDIT)
COMMISSION = Code(2210, "agent commission", Side.CREDIT)
EXCISE = Code(2310, "excise duty", Side.CREDIT)
VAT = Code(2320, "VAT", Side.CREDIT)
WITHHOLDING_TAX = Code(2330, "withholding tax", Side.CREDIT)
UNCLAIMED = Code(2410, "unclaimed", Side.CREDIT)
SUSPENSE = Code(2420, "suspense", Side.CREDIT)
AIRTIME_ON_ORDER = Code(2421, "airtime on order", Side.CREDIT)
DORMANT = Code(2430, "dormant", Side.CREDIT)
DUE_TO_OPERATING = Code(2440, "due to operating", Side.CREDIT)
# 3xxx equity
EQUITY = Code(3010, "equity", Side.CREDIT)
FX_POSITION = Code(3020, "FX position", Side.CREDIT)
# 4xxx what is earned
TRANSFER_FEES = Code(4010, "transfer fees", Side.CREDIT)
WITHDRAWAL_FEES = Code(4020, "withdrawal fees", Side.CREDIT)
PAYMENT_FEES = Code(4030, "payment fees", Side.CREDIT)
AIRTIME_MARGIN = Code(4110, "airtime margin", Side.CREDIT)
FX_MARGIN = Code(4120, "FX margin", Side.CREDIT)
# 5xxx what it costs
COMMISSION_PAID = Code(5010, "commission expense", Side.DEBIT)
CARRIER_SHARE = Code(5020, "carrier share", Side.DEBIT)
BAD_DEBT = Code(5030, "bad debt", Side.DEBIT)
ROUNDING = Code(5040, "rounding", Side.DEBIT)
FRAUD_LOSS = Code(5050, "fraud loss", Side.DEBIT)
# 9xxx clearing: comes back to zero
BANK_CLEARING = Code(9010, "bank clearing", Side.CREDIT)
CARRIER_CLEARING = Code(9020, "carrier clearing", Side.CREDIT)

# Of these the house has one account for each currency; of all others, each holder has one.
HOUSE = (
    TRUST_BANK,
    BANK_IN_TRANSIT,
    PHONE_BILLS,
    AIRTIME_ADVANCE,
    CLAWBACK,
    AIRTIME_STOCK,
    OPERATING_BANK,
    DUE_FROM_TRUST,
    EXCISE,
    VAT,
    WITHHOLDING_TAX,
    UNCLAIMED,
    SUSPENSE,
    AIRTIME_ON_ORDER,
    DORMANT,
    DUE_TO_OPERATING,
    EQUITY,
    FX_POSITION,
    TRANSFER_FEES,
    WITHDRAWAL_FEES,
    PAYMENT_FEES,
    AIRTIME_MARGIN,
    FX_MARGIN,
    COMMISSION_PAID,
    CARRIER_SHARE,
    BAD_DEBT,
    ROUNDING,
    FRAUD_LOSS,
    BANK_CLEARING,
    CARRIER_CLEARING,
)
HELD = (
    AGENT_RECEIVABLE,
    WALLET,
    AGENT_FLOAT,
    SUPER_AGENT_FLOAT,
    TILL,
    BILLER,
    DISBURSER,
    PREPAID_AIRTIME,
    CONTENT_MERCHANT,
    CARRIER,
    COMMISSION,
)

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
