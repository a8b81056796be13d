"""Making the operators' files live, as the installation itself: the first of all menus, the
demo's, and those that tests play on. What people publish is proposed and approved instead
(`app.proposing`)."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from ussd_gateway.app.files import Faulty
from ussd_gateway.app.wiring import pack_files, pack_loader, published, unbound_actions
from ussd_gateway.files.faults import Fault
from ussd_gateway.settings import Settings
from ussd_gateway.store.menus.rollout import Rollout
from ussd_gateway.store.menus.versions import IsRetired, Move, Overtaken, SqlVersions
from ussd_gateway.ussd.menu import Program
from ussd_gateway.ussd.versions import Changes, changes, digest_of

INSTALLATION = "installation"


class NotPossible(Exception):
    """What was asked for cannot be done. The text says why, and what can."""


@dataclass(frozen=True, slots=True)
class Moved:
    """A pack whose live version is another now. `before`: None where it is the first;
    `rollout`: whom it is for, None for everybody."""

    pack: str
    digest: str
    before: str | None
    rollout: Rollout | None
    changes: Changes


def publish(
    settings: Settings,
    versions: SqlVersions,
    names: Sequence[str] = (),
    *,
    author: str = INSTALLATION,
) -> list[Moved]:
    """Makes the files live that differ from what is; of all packs, or of these. All of them
    are loaded first. Raises Faulty, and NotPossible."""
    files = read_packs(settings, names)
    load_all(settings, {f"menus/{pack}.yaml": source for pack, source in files.items()})
    live = versions.live()
    moved = []
    for pack, source in differing(files, live).items():
        last = live.get(pack)
        try:
            versions.publish(
                pack, digest_of(source), source, after=last.seq if last else 0, author=author
            )
        except Overtaken:
            raise overtaken(pack) from None
        except IsRetired:
            raise out_of_use(pack, digest_of(source)) from None
        moved.append(moved_to(versions, pack, last, source))
    return moved


def publish_first(settings: Settings, versions: SqlVersions) -> list[Moved]:
    """Publishes every pack where none ever was. Raises Faulty, and NotPossible."""
    return [] if versions.live() else publish(settings, versions)


def publish_missing(settings: Settings, versions: SqlVersions) -> list[Moved]:
    """Publishes the packs of which no version is live, or none that this program can load.
    Raises Faulty."""
    packs = published(settings, versions, unbound_actions(settings))
    missing = [name for name in pack_files(settings) if name not in packs.names]
    return publish(settings, versions, missing) if missing else []


def unpublished(settings: Settings, versions: SqlVersions) -> list[str]:
    """The packs whose files are not what was published last. Raises BooksLost."""
    files = {pack: path.read_bytes() for pack, path in pack_files(settings).items()}
    return list(differing(files, versions.live()))


def differing(files: Mapping[str, bytes], live: Mapping[str, Move]) -> dict[str, bytes]:
    """Those whose octets are not the version of the last move."""
    return {
        pack: source
        for pack, source in files.items()
        if pack not in live or live[pack].digest != digest_of(source)
    }


def read_packs(settings: Settings, names: Sequence[str]) -> dict[str, bytes]:
    """The files of all packs, or of these. Raises NotPossible."""
    files = pack_files(settings)
    strange = [name for name in names if name not in files]
    if strange or not files:
        known = ", ".join(files) or "none"
        packs = ", ".join(strange) or "no pack at all"
        raise NotPossible(f"{settings.menus_dir}: {packs}: not there; packs that are: {known}")
    return {name: files[name].read_bytes() for name in names or files}


def load_all(settings: Settings, sources: Mapping[str, bytes]) -> dict[str, Program]:
    """By the names that faults carry, if all of them load. Raises Faulty."""
    load = pack_loader(settings, unbound_actions(settings))
    faults: list[Fault] = []
    loaded: dict[str, Program] = {}
    for name, source in sources.items():
        found = load(source, name)
        if isinstance(found, list):
            faults += found
        else:
            loaded[name] = found
    if faults:
        raise Faulty(tuple(map(str, faults)))
    return loaded


def moved_to(
    versions: SqlVersions,
    pack: str,
    last: Move | None,
    source: bytes,
    rollout: Rollout | None = None,
) -> Moved:
    """From the move before to this version."""
    before = versions.source(pack, last.digest) if last else None
    return Moved(
        pack,
        digest_of(source),
        last.digest if last else None,
        rollout,
        changes(before or b"", source),
    )


def out_of_use(pack: str, digest: str) -> NotPossible:
    return NotPossible(f"{pack}: {digest} is retired; see `menu versions {pack}`")


def overtaken(pack: str) -> NotPossible:
    return NotPossible(
        f"{pack}: somebody else moved it at this moment; see `menu versions {pack}`"
    )
