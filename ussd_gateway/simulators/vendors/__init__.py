"""Aggregators, as they behave towards us: what each posts, what it takes for an answer, and how
it tells that a session is over.

Each is written by what its vendor says of itself, and not by our table of routes: it is a check
of it. An answer that a vendor does not describe ends the session, as it would out there.
"""

from collections.abc import Mapping

from ussd_gateway.simulators.vendors.africastalking import AfricasTalking
from ussd_gateway.simulators.vendors.arkesel import Arkesel
from ussd_gateway.simulators.vendors.beem import Beem
from ussd_gateway.simulators.vendors.hubtel import Hubtel
from ussd_gateway.simulators.vendors.infobip import Infobip
from ussd_gateway.simulators.vendors.moolre import Moolre
from ussd_gateway.simulators.vendors.nalo import Nalo
from ussd_gateway.simulators.vendors.vendor import Vendor
from ussd_gateway.simulators.vendors.wigal import Wigal

__all__ = ["AFRICAS_TALKING", "VENDORS", "Vendor"]

AFRICAS_TALKING = "africastalking"

# By the name of its route.
VENDORS: Mapping[str, Vendor] = {
    AFRICAS_TALKING: AfricasTalking(),
    "hubtel": Hubtel(),
    "nalo": Nalo(),
    "arkesel": Arkesel(),
    "wigal": Wigal(),
    "beem": Beem(),
    "moolre": Moolre(),
    "infobip": Infobip(),
}
