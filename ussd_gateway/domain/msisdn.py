"""Msisdn: a phone number in E.164 (`+254711000001`), the name by which a subscriber is known.

Typed numbers become one at the door (`ussd`, `aggregators`); from there on it is never parsed
again. A screen shows the local form, which the sender must be able to check; receipts, logs and
the console show the masked one.
"""

import re
from typing import NewType

Msisdn = NewType("Msisdn", str)

# Calling codes of the markets served; each of these writes a local number with a leading 0.
CALLING_CODES = {"KE": "254", "UG": "256", "TZ": "255", "RW": "250", "GH": "233"}

_E164 = re.compile(r"\+[1-9][0-9]{7,14}")


def is_e164(text: str) -> bool:
    return _E164.fullmatch(text) is not None


def local(msisdn: Msisdn) -> str:
    """`0711000001` for a number of a market we serve, else the whole number."""
    for code in CALLING_CODES.values():
        if msisdn.startswith(code, 1):
            return "0" + msisdn[1 + len(code) :]
    return msisdn


def masked(msisdn: Msisdn) -> str:
    """`0711***001`: enough for its owner to know it, too little for a stranger."""
    number = local(msisdn)
    return f"{number[:4]}***{number[-3:]}"
