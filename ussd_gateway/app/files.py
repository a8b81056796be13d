"""The market, and the operators' files that services work by: tariffs, limits, what is sold."""

from collections.abc import Mapping
from pathlib import Path
from zoneinfo import ZoneInfo

from ussd_gateway.domain.limits import Limits
from ussd_gateway.domain.market import Market
from ussd_gateway.domain.tariff import Tariff
from ussd_gateway.services.catalogue import Item, read_catalogue
from ussd_gateway.services.limits import read_limits
from ussd_gateway.services.tariffs import read_tariffs
from ussd_gateway.settings import Settings

# What services charge and pay by: each needs bands in one of the tariff files.
PRICED = (
    "send",
    "withdraw",
    "withdraw.commission",
    "deposit",
    "deposit.commission",
    "pay_bill",
    "pay_bill.business",
    "buy_goods",
    "airtime",
)
# Of these nobody pays a fee: cash that comes in is worth itself, and what is on order has no
# place for a fee, which would be kept though nothing was delivered.
FREE = ("deposit", "airtime")


class Faulty(Exception):
    """Operators' files cannot be used as they are. `faults` are lines for a person."""

    def __init__(self, faults: tuple[str, ...]) -> None:
        super().__init__("\n".join(faults))
        self.faults = faults


def market(_settings: Settings) -> Market:
    """The example market: Kenya."""
    return Market("KE", "KES", ZoneInfo("Africa/Nairobi"))


def read(path: Path) -> bytes:
    """Raises Faulty."""
    try:
        return path.read_bytes()
    except OSError as error:
        raise Faulty(
            (f"{path}: {error.strerror}: start where menus/ is, or set MENUS_DIR",)
        ) from None


def read_text(path: Path) -> str:
    """Raises Faulty."""
    try:
        return read(path).decode()
    except UnicodeDecodeError:
        raise Faulty((f"menus/{path.name}: not UTF-8: save it as UTF-8",)) from None


def tariffs(settings: Settings) -> Mapping[str, Tariff]:
    """By service. Raises Faulty."""
    found: dict[str, Tariff] = {}
    faults: list[str] = []
    for path in sorted((settings.menus_dir / "tariffs").glob("*.csv")):
        file = f"menus/tariffs/{path.name}"
        some, wrong = read_tariffs(read_text(path), file)
        faults += map(str, wrong)
        faults += [
            f"{file}: {service} has a tariff in another file too: keep one"
            for service in sorted(found.keys() & some.keys())
        ]
        found |= some
    missing = [service for service in PRICED if service not in found]
    if missing and not faults:
        faults = [f"menus/tariffs: no tariff for {each}: add its bands" for each in missing]
    for service in FREE:
        if not faults and any(band.fee for band in found[service].bands):
            faults.append(f"menus/tariffs: {service} is free: each fee of it must be 0.00")
    if faults:
        raise Faulty(tuple(faults))
    return found


def limits(settings: Settings, currency: str) -> Limits:
    """By tier. Raises Faulty."""
    found, wrong = read_limits(
        read_text(settings.menus_dir / "limits.yaml"), "menus/limits.yaml", currency
    )
    if wrong:
        raise Faulty(tuple(map(str, wrong)))
    return found


def catalogue(settings: Settings) -> Mapping[str, Item]:
    """By code. Raises Faulty."""
    found, wrong = read_catalogue(
        read_text(settings.menus_dir / "content.csv"),
        "menus/content.csv",
        market(settings).currency,
    )
    if wrong:
        raise Faulty(tuple(map(str, wrong)))
    return found
