"""What operators do with versions of menus: publish the files, roll back, see what differs."""

from collections.abc import Sequence
from dataclasses import dataclass

from ussd_gateway.app.files import Faulty
from ussd_gateway.app.live_packs import LivePacks
from ussd_gateway.app.wiring import pack_files, pack_loader, unbound_actions
from ussd_gateway.files.faults import Fault
from ussd_gateway.settings import Settings
from ussd_gateway.store.versions import Move, Overtaken, SqlVersions, Why
from ussd_gateway.ussd.versions import Changes, changes, digest_of


class NotPossible(Exception):
    """What was asked for cannot be done. The text says why, and what can."""


@dataclass(frozen=True, slots=True)
class Moved:
    """A pack whose live version is another now. `before`: None where it is the first."""

    pack: str
    digest: str
    before: str | None
    changes: Changes


def publish(
    settings: Settings,
    versions: SqlVersions,
    names: Sequence[str] = (),
    *,
    author: str,
    note: str | None = None,
) -> list[Moved]:
    """Makes the files live that differ from what is; of all packs, or of these. All of them
    are loaded first. Raises Faulty, and NotPossible."""
    sources = _loading(settings, _sources(settings, names))
    live = versions.live()
    moved = []
    for pack, source in sources.items():
        digest, last = digest_of(source), live.get(pack)
        if last is not None and last.digest == digest:
            continue
        try:
            versions.publish(
                pack,
                digest,
                source,
                after=last.seq if last else 0,
                author=author,
                note=note,
            )
        except Overtaken:
            raise _overtaken(pack) from None
        moved.append(_moved(versions, pack, last, source))
    return moved


def publish_missing(settings: Settings, versions: SqlVersions, *, author: str) -> list[Moved]:
    """Publishes the packs of which no version is live, or none that this program can load.
    Raises Faulty."""
    packs = LivePacks(versions, pack_loader(settings, unbound_actions(settings)))
    packs.look()
    missing = [name for name in pack_files(settings) if name not in packs.names]
    return publish(settings, versions, missing, author=author) if missing else []


def roll_back(
    settings: Settings,
    versions: SqlVersions,
    pack: str,
    *,
    to: str | None,
    author: str,
    note: str | None = None,
) -> Moved:
    """To the version whose digest begins with `to`, or to the one before. Raises Faulty where
    it no longer loads, and NotPossible."""
    history = versions.history(pack)
    if not history:
        known = ", ".join(sorted(versions.live())) or "none"
        raise NotPossible(f"{pack}: never published; packs that were: {known}")
    digest = _before(history) if to is None else _named(history, to)
    source = versions.source(pack, digest)
    assert source is not None, f"{pack} {digest} was published"
    _loading(settings, {f"{pack}@{digest}": source})
    try:
        versions.roll_back(pack, digest, after=history[0].seq, author=author, note=note)
    except Overtaken:
        raise _overtaken(pack) from None
    return _moved(versions, pack, history[0], source)


def unpublished(settings: Settings, versions: SqlVersions) -> list[str]:
    """The packs whose files are not what is live. Raises BooksLost."""
    live = versions.live()
    return [
        pack
        for pack, path in pack_files(settings).items()
        if pack not in live or live[pack].digest != digest_of(path.read_bytes())
    ]


def _sources(settings: Settings, names: Sequence[str]) -> dict[str, bytes]:
    files = pack_files(settings)
    strange = [name for name in names if name not in files]
    if strange or not files:
        known = ", ".join(files) or "none"
        packs = ", ".join(strange) or "no pack at all"
        raise NotPossible(f"{settings.menus_dir}: {packs}: not there; packs that are: {known}")
    return {name: files[name].read_bytes() for name in names or files}


def _loading(settings: Settings, sources: dict[str, bytes]) -> dict[str, bytes]:
    """The same, if all of them load. Raises Faulty."""
    load = pack_loader(settings, unbound_actions(settings))
    faults: list[Fault] = []
    for name, source in sources.items():
        found = load(source, name if "@" in name else f"menus/{name}.yaml")
        faults += found if isinstance(found, list) else []
    if faults:
        raise Faulty(tuple(map(str, faults)))
    return sources


def _before(history: Sequence[Move]) -> str:
    """What was live before. Rolled back twice, it goes back two: what a rollback left is not
    come back to."""
    path: list[str] = []
    for move in reversed(history):
        if move.why is Why.ROLLBACK and move.digest in path:
            del path[len(path) - path[::-1].index(move.digest) :]
        else:
            path.append(move.digest)
    if len(path) < 2:
        raise NotPossible(
            f"{history[0].pack}: {path[-1]} is live, and there is none before it; "
            "name another with --to"
        )
    return path[-2]


def _named(history: Sequence[Move], prefix: str) -> str:
    pack, live = history[0].pack, history[0].digest
    found = sorted({move.digest for move in history if move.digest.startswith(prefix)})
    match found:
        case [digest] if digest == live:
            raise NotPossible(f"{pack}: {digest} is live already")
        case [digest]:
            return digest
        case []:
            raise NotPossible(
                f"{pack}: no version begins with {prefix}; see `menu versions {pack}`"
            )
        case _:
            raise NotPossible(f"{pack}: several begin with {prefix}: {', '.join(found)}")


def _moved(versions: SqlVersions, pack: str, last: Move | None, source: bytes) -> Moved:
    before = versions.source(pack, last.digest) if last else None
    return Moved(
        pack,
        digest_of(source),
        last.digest if last else None,
        changes(before or b"", source),
    )


def _overtaken(pack: str) -> NotPossible:
    return NotPossible(
        f"{pack}: somebody else moved it at this moment; see `menu versions {pack}`"
    )
