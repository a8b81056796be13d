"""How a version that somebody has written becomes live: another one looks at it first.

    file --propose (a maker)--> lint, tests, what differs: frozen --approve (a checker)--> live

An approval holds for what was looked at: where the pack has moved since, the reports compare it
with what is no longer live, and it is proposed again.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TypeVar

import msgspec

from ussd_gateway.app.files import Faulty
from ussd_gateway.app.moving import check_rollout
from ussd_gateway.app.publishing import (
    Moved,
    NotPossible,
    differing,
    load_all,
    moved_to,
    overtaken,
    read_packs,
)
from ussd_gateway.app.staffing import check_role
from ussd_gateway.files.faults import Fault
from ussd_gateway.settings import Settings
from ussd_gateway.store.menus.proposals import Proposal, Proposed, SqlProposals
from ussd_gateway.store.menus.rollout import Rollout
from ussd_gateway.store.menus.versions import IsRetired, Move, Overtaken, SqlVersions
from ussd_gateway.store.staff import Member, Role
from ussd_gateway.ussd.lint.against import against
from ussd_gateway.ussd.versions import Changes, changes, digest_of

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Trial:
    """Tests that were played, and what of them said something else, for a person to read."""

    played: tuple[str, ...]
    differing: tuple[str, ...]


# Plays the tests in menus/ on the packs in menus/.
Try = Callable[[], Trial]


@dataclass(frozen=True, slots=True)
class Review:
    """A proposal with its reports. `overtaken`: the pack has moved since."""

    number: int
    at_ms: int
    pack: str
    digest: str
    against: str | None
    author: str
    note: str | None
    changes: Changes
    lint: tuple[Fault, ...]
    tests: Trial
    approver: str | None
    overtaken: bool


READS_OTHERWISE = (
    "Nothing is proposed. If that is what should be said: `ussd-gateway menu test --update`, "
    "and look at what it has changed."
)


def propose(
    settings: Settings,
    versions: SqlVersions,
    proposals: SqlProposals,
    names: Sequence[str] = (),
    *,
    by: Member,
    note: str | None,
    trial: Try,
) -> list[Review]:
    """The files that differ from what is live; of all packs, or of these. All of them load,
    and pass the tests. Raises Faulty, and NotPossible."""
    check_role(by, Role.MAKER, "publish")
    live = versions.live()
    files = differing(read_packs(settings, names), live)
    _check_new(files, live, versions, proposals)
    loaded = load_all(settings, {f"menus/{pack}.yaml": files[pack] for pack in files})
    if not files:
        return []

    tried = trial()
    if tried.differing:
        raise Faulty((*tried.differing, READS_OTHERWISE))
    if read_packs(settings, tuple(files)) != files:
        raise NotPossible("menus/: somebody wrote while the tests ran; publish again")
    numbers = [
        proposals.propose(
            _proposed(
                versions,
                pack,
                source,
                last=live.get(pack),
                warnings=loaded[f"menus/{pack}.yaml"].warnings,
                tried=tried,
                by=by,
                note=note,
            ),
            source,
        )
        for pack, source in files.items()
    ]
    return [review(versions, proposals, number) for number in numbers]


def approve(
    settings: Settings,
    versions: SqlVersions,
    proposals: SqlProposals,
    number: int,
    *,
    by: Member,
    rollout: Rollout | None = None,
) -> Moved:
    """Makes a proposed version live, for everybody or for some. Raises Faulty where it no
    longer loads, and NotPossible."""
    proposal = _found(proposals, number)
    proposed = proposal.proposed
    if proposal.approver is not None:
        raise NotPossible(f"{number}: {proposal.approver} has approved it already")
    if proposed.author == by.name:
        raise NotPossible(f"{number}: {by.name} has written it: somebody else approves it")
    check_role(by, Role.CHECKER, "approve")
    history = versions.history(proposed.pack)
    if _is_overtaken(proposal, history[0] if history else None):
        raise _no_longer(number, proposed.pack)

    source = versions.source(proposed.pack, proposed.digest)
    assert source is not None, f"{proposed.pack} {proposed.digest} was proposed"
    check_rollout(proposed.pack, history, rollout)
    load_all(settings, {f"{proposed.pack}@{proposed.digest}": source})
    try:
        proposals.approve(proposal, approver=by.name, rollout=rollout)
    except Overtaken:
        raise overtaken(proposed.pack) from None
    except IsRetired:
        raise NotPossible(
            f"{number}: {proposed.digest} is retired: its author changes the file, be it a "
            "comment, and publishes that"
        ) from None
    last = history[0] if history else None
    return moved_to(versions, proposed.pack, last, source, rollout)


def review(versions: SqlVersions, proposals: SqlProposals, number: int) -> Review:
    """Raises NotPossible."""
    proposal = _found(proposals, number)
    return _review(proposal, versions.live().get(proposal.proposed.pack))


def reviews(versions: SqlVersions, proposals: SqlProposals) -> list[Review]:
    """All that wait for somebody to approve them, the last first; of those overtaken, or
    retired since, none."""
    live, retired = versions.live(), versions.retired()
    every = [_review(one, live.get(one.proposed.pack)) for one in proposals.open()]
    return [one for one in every if not one.overtaken and (one.pack, one.digest) not in retired]


def _check_new(
    files: dict[str, bytes],
    live: dict[str, Move],
    versions: SqlVersions,
    proposals: SqlProposals,
) -> None:
    waiting = {
        (one.proposed.pack, one.proposed.digest): one.number
        for one in proposals.open()
        if not _is_overtaken(one, live.get(one.proposed.pack))
    }
    retired = versions.retired()
    for pack, source in files.items():
        version = (pack, digest_of(source))
        if version in retired:
            raise NotPossible(
                f"{pack}: {version[1]} is retired: change the file, be it a comment, and "
                "publish that"
            )
        if version in waiting:
            number = waiting[version]
            raise NotPossible(
                f"{pack}: {version[1]} is proposed already: a checker runs "
                f"`ussd-gateway menu approve {number}`"
            )


def _proposed(
    versions: SqlVersions,
    pack: str,
    source: bytes,
    *,
    last: Move | None,
    warnings: tuple[Fault, ...],
    tried: Trial,
    by: Member,
    note: str | None,
) -> Proposed:
    published = _published(versions, pack)
    told = [
        fault
        for before in published
        for fault in against(source, file=f"menus/{pack}.yaml", published=before)
    ]
    lint = sorted({*warnings, *told}, key=lambda fault: (fault.line, fault.code, fault.found))
    return Proposed(
        pack=pack,
        digest=digest_of(source),
        after=last.seq if last else 0,
        against=last.digest if last else None,
        author=by.name,
        note=note,
        changes=_packed(changes(published[0] if published else b"", source)),
        lint=_packed(lint),
        tests=_packed(tried),
    )


def against_live(settings: Settings, versions: SqlVersions) -> tuple[Fault, ...]:
    """W26 and W33 of the files as they are now, against what people know."""
    found: list[Fault] = []
    for pack, source in read_packs(settings, ()).items():
        for before in _published(versions, pack):
            found += against(source, file=f"menus/{pack}.yaml", published=before)
    return tuple(dict.fromkeys(found))


def _published(versions: SqlVersions, pack: str) -> list[bytes]:
    """What people know: the newest version first, to the one that is for everybody."""
    digests: list[str] = []
    for move in versions.history(pack):
        digests.append(move.digest)
        if move.rollout is None:
            break
    sources = [versions.source(pack, digest) for digest in dict.fromkeys(digests)]
    return [source for source in sources if source is not None]


def _found(proposals: SqlProposals, number: int) -> Proposal:
    proposal = proposals.find(number)
    if proposal is None:
        raise NotPossible(f"{number}: no such proposal; see `ussd-gateway menu proposals`")
    return proposal


def _is_overtaken(proposal: Proposal, last: Move | None) -> bool:
    return proposal.proposed.after != (last.seq if last else 0)


def _no_longer(number: int, pack: str) -> NotPossible:
    return NotPossible(
        f"{number}: overtaken: {pack} has moved since it was proposed (`ussd-gateway menu "
        f"versions {pack}`): its author runs `ussd-gateway menu publish {pack}` again"
    )


def _review(proposal: Proposal, last: Move | None) -> Review:
    one = proposal.proposed
    return Review(
        number=proposal.number,
        at_ms=proposal.at_ms,
        pack=one.pack,
        digest=one.digest,
        against=one.against,
        author=one.author,
        note=one.note,
        changes=_unpacked(one.changes, Changes),
        lint=_unpacked(one.lint, tuple[Fault, ...]),
        tests=_unpacked(one.tests, Trial),
        approver=proposal.approver,
        overtaken=proposal.approver is None and _is_overtaken(proposal, last),
    )


def _packed(report: object) -> str:
    return msgspec.json.encode(report).decode()


def _unpacked(text: str, kind: type[T]) -> T:
    return msgspec.json.decode(text, type=kind)
