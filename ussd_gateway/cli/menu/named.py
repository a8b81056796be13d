"""Packs as operators name them: `customer` (the file in menus/), `menus/mine.yaml`, or
`customer@3f2a` (a version in the database, by how its name begins)."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ussd_gateway.cli.desk import Desk
    from ussd_gateway.ports import Action, Route
    from ussd_gateway.settings import Settings
    from ussd_gateway.ussd.menu import Program

_AT = "@"
LIVE = "live"


@dataclass(frozen=True, slots=True)
class Named:
    """`name` is what is told of it; `path` is empty for a version of the database."""

    name: str
    source: bytes
    program: "Program"
    path: Path | None


def named(settings: "Settings", name: str) -> Named:
    """Raises Faulty where it does not load, and NotPossible."""
    if _AT in name:
        from ussd_gateway.cli.desk import desk

        with desk(settings) as here:
            return published(here, name)
    path = _path(settings, name)
    return _loaded(settings, _told(settings, path), path.read_bytes(), path)


def published(here: "Desk", name: str) -> Named:
    """A version of the database; PACK@live is what everybody gets."""
    from ussd_gateway.app import NotPossible

    pack, _, prefix = name.partition(_AT)
    history = here.versions.history(pack)
    proposed = [one.proposed for one in here.proposals.open() if one.proposed.pack == pack]
    known = dict.fromkeys(move.digest for move in history)
    known |= dict.fromkeys(one.digest for one in proposed)
    if prefix == LIVE and history:
        fit = [history[0].digest]
    else:
        fit = [digest for digest in known if digest.startswith(prefix)]
    match fit:
        case [digest]:
            source = here.versions.source(pack, digest)
            assert source is not None, f"{pack} {digest} was published or proposed"
            return _loaded(here.settings, f"{pack}{_AT}{digest}", source, None)
        case []:
            raise NotPossible(f"{name}: no such version; see `menu versions {pack}`")
        case _:
            raise NotPossible(f"{name}: several begin so: {', '.join(fit)}")


def bound(settings: "Settings") -> "Mapping[str, Action]":
    """The actions, to look at and not to run."""
    from ussd_gateway.app import unbound_actions

    return unbound_actions(settings)


def served(settings: "Settings") -> "Mapping[str, Route]":
    """The routes, by name. Raises Faulty."""
    from ussd_gateway.app import routes
    from ussd_gateway.app.wiring import pack_files

    return routes(settings, pack_files(settings)).by_name


def _path(settings: "Settings", name: str) -> Path:
    from ussd_gateway.app import NotPossible
    from ussd_gateway.app.wiring import pack_files

    files = pack_files(settings)
    path = files.get(name, Path(name))
    if not path.is_file():
        known = ", ".join(files) or "none"
        raise NotPossible(f"{name}: no such file or pack; packs in menus/: {known}")
    return path


def _told(settings: "Settings", path: Path) -> str:
    inside = path.resolve().is_relative_to(settings.menus_dir.resolve())
    return f"menus/{path.name}" if inside else str(path)


def _loaded(settings: "Settings", name: str, source: bytes, path: Path | None) -> Named:
    from ussd_gateway.app.publishing import load_all

    return Named(name, source, load_all(settings, {name: source})[name], path)
