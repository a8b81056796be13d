"""The market, and the operators' files that services work by: tariffs, limits, what is sold."""

from collections.abc import Mapping
from pathlib import Path
from typing import TypeVar
from zoneinfo import ZoneInfo

from ussd_gateway.domain.limits import Limits
from ussd_gateway.domain.market import Market
from ussd_gateway.domain.tariff import Tariff
from ussd_gateway.files.faults import Fault
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
ADD = "add its bands"

_Found = TypeVar("_Found")


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


def tariffs(settings: Settings) -> Mapping[str, Tariff]:
    """By service. Raises Faulty."""
    return _right(*find_tariffs(settings))


def limits(settings: Settings) -> Limits:
    """By tier. Raises Faulty."""
    return _right(*find_limits(settings))


def catalogue(settings: Settings) -> Mapping[str, Item]:
    """By code. Raises Faulty."""
    return _right(*find_catalogue(settings))


def find_tariffs(settings: Settings) -> tuple[Mapping[str, Tariff], list[Fault]]:
    """What is in the files, and what is wrong there."""
    found: dict[str, Tariff] = {}
    faults: list[Fault] = []
    for path in sorted((settings.menus_dir / "tariffs").glob("*.csv")):
        file = f"menus/tariffs/{path.name}"
        text = text_of(path, file)
        some, wrong = ({}, [text]) if isinstance(text, Fault) else read_tariffs(text, file)
        faults += wrong
        faults += [
            Fault("E43", file, 1, f"{service} has a tariff in another file too", "keep one")
            for service in sorted(found.keys() & some.keys())
        ]
        found |= some
    folder = "menus/tariffs"
    missing = [service for service in PRICED if service not in found]
    if missing and not faults:
        faults = [Fault("E43", folder, 1, f"no tariff for {each}", ADD) for each in missing]
    for service in FREE:
        if not faults and any(band.fee for band in found[service].bands):
            free = f"{service} is free"
            faults.append(Fault("E43", folder, 1, free, "each fee of it must be 0.00"))
    return found, faults


def find_limits(settings: Settings) -> tuple[Limits, list[Fault]]:
    file = "menus/limits.yaml"
    text = text_of(settings.menus_dir / "limits.yaml", file)
    if isinstance(text, Fault):
        return {}, [text]
    return read_limits(text, file, market(settings).currency)


def find_catalogue(settings: Settings) -> tuple[Mapping[str, Item], list[Fault]]:
    file = "menus/content.csv"
    text = text_of(settings.menus_dir / "content.csv", file)
    if isinstance(text, Fault):
        return {}, [text]
    return read_catalogue(text, file, market(settings).currency)


def text_of(path: Path, file: str) -> str | Fault:
    """`file` is the name that a fault carries."""
    try:
        return path.read_bytes().decode()
    except OSError as error:
        advice = "start where menus/ is, or set MENUS_DIR"
        return Fault("E00", file, 1, error.strerror or "not to be read", advice)
    except UnicodeDecodeError:
        return Fault("E00", file, 1, "not UTF-8", "save it as UTF-8")


def _right(found: _Found, faults: list[Fault]) -> _Found:
    if faults:
        raise Faulty(tuple(map(str, faults)))
    return found
