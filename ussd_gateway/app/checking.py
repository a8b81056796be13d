"""Every file that operators edit, held to every rule: all faults of all files.

Packs are held against the actions, which work by tariffs, limits and what is on offer; so these
come first, and where one of them is faulty the packs are not looked at.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path

from ussd_gateway.aggregators.table import Table, load_table
from ussd_gateway.app.chance import clock
from ussd_gateway.app.files import (
    find_catalogue,
    find_limits,
    find_prices,
    find_unpriced,
    market,
    text_of,
)
from ussd_gateway.app.services import TEMPLATES
from ussd_gateway.app.wiring import MONEY_MAX, pack_files, unbound_actions
from ussd_gateway.domain.money import Money
from ussd_gateway.files import strict_yaml
from ussd_gateway.files.faults import Fault, Faults
from ussd_gateway.files.strict_yaml import Branch
from ussd_gateway.ports import Action, Route
from ussd_gateway.services.terms import catalogue
from ussd_gateway.services.terms.catalogue import read_catalogue
from ussd_gateway.services.terms.limits import read_limits
from ussd_gateway.services.terms.tariffs import read_tariffs
from ussd_gateway.settings import Settings
from ussd_gateway.sms.plan import load_plan
from ussd_gateway.ussd.messages import load_messages
from ussd_gateway.ussd.reading.loader import load_pack

# Beside the packs and what services work by.
_OTHERS = ("providers.yaml", "routes.yaml", "sms.yaml")


def check(settings: Settings) -> tuple[Fault, ...]:
    """Of the whole folder of menus, in the order of its files."""
    folder = settings.menus_dir
    found = _worked_by(settings)
    faulty = _faulty(found)
    files = {f"menus/{path.name}": path for path in pack_files(settings).values()}
    others = {f"menus/{name}": folder / name for name in _OTHERS}
    reader = _Reader(settings, {} if faulty else unbound_actions(settings))
    for file, path in (others if faulty else {**files, **others}).items():
        found += reader.faults(path, file)
        if file in files:
            found += _misnamed(path, file)
    return tuple(sorted(found, key=lambda fault: (fault.file, fault.line)))


def check_files(settings: Settings, files: Sequence[Path]) -> tuple[Fault, ...]:
    """Of these files alone, whatever they are called: what each is shows at its top. Packs
    are held against what is in the folder of menus."""
    worked_by = _worked_by(settings)
    reader = _Reader(settings, {} if _faulty(worked_by) else unbound_actions(settings))
    found = worked_by + [fault for path in files for fault in reader.faults(path, str(path))]
    return tuple(dict.fromkeys(found))


class _Reader:
    """Reads any of the files, for its faults."""

    def __init__(self, settings: Settings, actions: Mapping[str, Action]) -> None:
        self._actions = actions
        self._currency = market(settings).currency
        self._money_max = Money(MONEY_MAX, self._currency)
        self._packs = pack_files(settings).keys()
        self._routes = _routes(settings)

    def faults(self, path: Path, file: str) -> Sequence[Fault]:
        text = text_of(path, file)
        if isinstance(text, Fault):
            return [text]
        return self._kind(path, text)(text, file)

    def _kind(self, path: Path, text: str) -> Callable[[str, str], Sequence[Fault]]:
        if path.suffix == ".csv":
            offered = text.startswith(f"{catalogue.COLUMNS[0]},")
            return self._catalogue if offered else self._tariffs
        root = strict_yaml.read(text.encode(), Faults(""))
        keys = {key.text for key, _ in root.pairs} if isinstance(root, Branch) else set()
        of_top = {
            "messages": self._messages,
            "service_codes": self._table,
            "tiers": self._limits,
            "providers": self._plan,
        }
        return next((read for key, read in of_top.items() if key in keys), self._pack)

    def _pack(self, text: str, file: str) -> Sequence[Fault]:
        found = load_pack(
            text.encode(),
            file=file,
            actions=self._actions,
            money_max=self._money_max,
            routes=self._routes,
        )
        return found if isinstance(found, list) else found.warnings

    def _messages(self, text: str, file: str) -> Sequence[Fault]:
        found = load_messages(
            text.encode(), file=file, templates=TEMPLATES, money_max=self._money_max
        )
        return found if isinstance(found, list) else found.warnings

    def _table(self, text: str, file: str) -> Sequence[Fault]:
        found = load_table(text.encode(), file=file, packs=self._packs)
        return found if isinstance(found, list) else ()

    def _plan(self, text: str, file: str) -> Sequence[Fault]:
        found = load_plan(text.encode(), file=file)
        return found if isinstance(found, list) else ()

    def _limits(self, text: str, file: str) -> Sequence[Fault]:
        return read_limits(text, file, self._currency)[1]

    def _tariffs(self, text: str, file: str) -> Sequence[Fault]:
        return read_tariffs(text, file, self._currency)[1]

    def _catalogue(self, text: str, file: str) -> Sequence[Fault]:
        return read_catalogue(text, file, self._currency)[1]


def _worked_by(settings: Settings) -> list[Fault]:
    found = [
        *find_prices(settings, clock(settings))[1],
        *find_limits(settings)[1],
        *find_catalogue(settings)[1],
    ]
    return found if _faulty(found) else found + find_unpriced(settings, clock(settings))


def _faulty(found: Sequence[Fault]) -> bool:
    return any(not fault.warns for fault in found)


def _routes(settings: Settings) -> tuple[Route, ...]:
    """No routes where their file is faulty, which is told of by itself."""
    text = text_of(settings.menus_dir / "routes.yaml", "")
    if isinstance(text, Fault):
        return ()
    table = load_table(text.encode(), file="", packs=None)
    return (
        tuple(wire.route for wire in table.wires.values()) if isinstance(table, Table) else ()
    )


def _misnamed(path: Path, file: str) -> Iterator[Fault]:
    """A pack is published, and looked for, by the name of its file."""
    root = strict_yaml.read(path.read_bytes(), Faults(""))
    for key, value in root.pairs if isinstance(root, Branch) else ():
        name = value.text if isinstance(value, strict_yaml.Leaf) else path.stem
        if key.text == "pack" and name != path.stem:
            advice = f"it is known by its file: write {path.stem}"
            yield Fault("E01", file, key.line, f"pack: {name}", advice)
