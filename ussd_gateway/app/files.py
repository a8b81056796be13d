"""The market, and the operators' files that services work by: tariffs, limits, what is sold."""

from collections.abc import Mapping
from datetime import date
from itertools import chain
from pathlib import Path
from typing import TypeVar
from zoneinfo import ZoneInfo

from ussd_gateway.domain.limits import Limits
from ussd_gateway.domain.market import Market
from ussd_gateway.domain.tariff import PriceBook, price_book
from ussd_gateway.files.faults import Fault
from ussd_gateway.ports import Clock
from ussd_gateway.services.terms.catalogue import Item, read_catalogue
from ussd_gateway.services.terms.limits import beyond_tariffs, read_limits
from ussd_gateway.services.terms.tariffs import FOLDER, read_price_book, read_tariffs
from ussd_gateway.settings import Settings

_Found = TypeVar("_Found")


class Faulty(Exception):
    """Operators' files cannot be used as they are. `faults` are lines for a person."""

    def __init__(self, faults: tuple[str, ...]) -> None:
        super().__init__("\n".join(faults))
        self.faults = faults


def market(_settings: Settings) -> Market:
    """The example market: Kenya."""
    return Market("KE", "KES", ZoneInfo("Africa/Nairobi"))


def today(settings: Settings, clock: Clock) -> date:
    """The market's business date."""
    return market(settings).business_date(int(clock.now().timestamp() * 1000))


def read(path: Path) -> bytes:
    """Raises Faulty."""
    try:
        return path.read_bytes()
    except OSError as error:
        raise Faulty(
            (f"{path}: {error.strerror}: start where menus/ is, or set MENUS_DIR",)
        ) from None


def prices(settings: Settings, clock: Clock) -> PriceBook:
    """All tariffs; each service has one that is in force today. Raises Faulty."""
    return _right(*find_prices(settings, clock))


def limits(settings: Settings) -> Limits:
    """By tier. Raises Faulty."""
    return _right(*find_limits(settings))


def catalogue(settings: Settings) -> Mapping[str, Item]:
    """By code. Raises Faulty."""
    return _right(*find_catalogue(settings))


def find_prices(settings: Settings, clock: Clock) -> tuple[PriceBook | None, list[Fault]]:
    """What is in the files, and what is wrong there."""
    texts: dict[str, str] = {}
    unread: list[Fault] = []
    for path in sorted((settings.menus_dir / "tariffs").glob("*.csv")):
        file = f"{FOLDER}/{path.name}"
        text = text_of(path, file)
        if isinstance(text, Fault):
            unread.append(text)
        else:
            texts[file] = text
    if unread:
        return None, unread
    on = today(settings, clock)
    return read_price_book(texts, currency=market(settings).currency, today=on)


def prices_at(settings: Settings, path: Path) -> PriceBook:
    """Of a folder of tariff files; or of one file, beside the services of our own folder that
    it says nothing of. Whether they are in force by now does not matter. Raises Faulty."""
    currency = market(settings).currency
    if path.is_dir():
        texts = {str(each): _decoded(each) for each in sorted(path.glob("*.csv"))}
        return _right(
            *read_price_book(texts, currency=currency, today=date.max, folder=str(path))
        )

    found, faults = read_tariffs(_decoded(path), str(path), currency)
    changed = _right(found, faults).values()
    ours = prices_at(settings, settings.menus_dir / "tariffs").tariffs
    kept = (ours[service] for service in ours.keys() - {each.service for each in changed})
    return price_book([*changed, *chain.from_iterable(kept)])


def find_limits(settings: Settings) -> tuple[Limits, list[Fault]]:
    file = "menus/limits.yaml"
    text = text_of(settings.menus_dir / "limits.yaml", file)
    if isinstance(text, Fault):
        return {}, [text]
    return read_limits(text, file, market(settings).currency)


def find_unpriced(settings: Settings, clock: Clock) -> list[Fault]:
    """What limits allow and tariffs refuse. Only of files that have no fault of their own."""
    file = "menus/limits.yaml"
    text = _decoded(settings.menus_dir / "limits.yaml")
    on = today(settings, clock)
    currency = market(settings).currency
    return [*beyond_tariffs(text, file, currency, prices(settings, clock), on)]


def find_catalogue(settings: Settings) -> tuple[Mapping[str, Item], list[Fault]]:
    file = "menus/content.csv"
    text = text_of(settings.menus_dir / "content.csv", file)
    if isinstance(text, Fault):
        return {}, [text]
    return read_catalogue(text, file, market(settings).currency)


def text_of(path: Path, file: str) -> str | Fault:
    """`file` is the name that a fault carries. Spreadsheets put a mark before UTF-8."""
    try:
        return path.read_bytes().decode("utf-8-sig")
    except OSError as error:
        advice = "start where menus/ is, or set MENUS_DIR"
        return Fault("E00", file, 1, error.strerror or "not to be read", advice)
    except UnicodeDecodeError:
        return Fault("E00", file, 1, "not UTF-8", "save it as UTF-8")


def _decoded(path: Path) -> str:
    """Raises Faulty."""
    text = text_of(path, str(path))
    if isinstance(text, Fault):
        raise Faulty((str(text),))
    return text


def _right(found: _Found | None, faults: list[Fault]) -> _Found:
    """A warning keeps nothing from being used."""
    errors = tuple(str(fault) for fault in faults if not fault.warns)
    if errors:
        raise Faulty(errors)
    assert found is not None, "what is not there has a fault"
    return found
