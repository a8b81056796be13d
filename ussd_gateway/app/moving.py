"""What is done to versions that were live: roll back, roll out to more, retire; and to actions:
stop and start."""

from collections.abc import Sequence

from ussd_gateway.app.files import market
from ussd_gateway.app.publishing import (
    Moved,
    NotPossible,
    load_all,
    moved_to,
    out_of_use,
    overtaken,
)
from ussd_gateway.app.staffing import check_role
from ussd_gateway.app.wiring import pack_files, published, routes, unbound_actions
from ussd_gateway.files.fields import nearest
from ussd_gateway.settings import Settings
from ussd_gateway.store.menus.rollout import Numbers, Rollout, Share, Through, numbers_max
from ussd_gateway.store.menus.stops import SqlStops
from ussd_gateway.store.menus.versions import IsRetired, Move, Overtaken, SqlVersions, Why
from ussd_gateway.store.staff import Member, Role
from ussd_gateway.ussd.typed import msisdn_parser

# Moves in a row that are for some people only: each of them is looked at for every new session.
rollouts_max = 20


def roll_back(
    settings: Settings,
    versions: SqlVersions,
    pack: str,
    *,
    to: str | None,
    author: str,
    note: str | None = None,
) -> Moved:
    """To the version whose digest begins with `to`, or to the one before; for everybody, as it
    was before: what was for some only, another one makes everybody's. Raises Faulty where it
    no longer loads, and NotPossible."""
    history = _history(versions, pack)
    retired = _retired(versions, pack)
    digest = _before(history, retired) if to is None else _named(history, to)
    if all(move.rollout for move in history if move.digest == digest):
        raise NotPossible(
            f"{pack}: {digest} was never live for everybody: that is for a checker to decide, "
            "by `menu rollout` while it is the last, or when it is published again"
        )
    if (digest, None) == (history[0].digest, history[0].rollout):
        raise NotPossible(f"{pack}: {digest} is live already")
    if digest in retired:
        raise out_of_use(pack, digest)
    source = versions.source(pack, digest)
    assert source is not None, f"{pack} {digest} was published"
    load_all(settings, {f"{pack}@{digest}": source})
    try:
        versions.roll_back(pack, digest, after=history[0].seq, author=author, note=note)
    except Overtaken:
        raise overtaken(pack) from None
    except IsRetired:
        raise out_of_use(pack, digest) from None
    return moved_to(versions, pack, history[0], source)


def roll_out(
    settings: Settings,
    versions: SqlVersions,
    pack: str,
    rollout: Rollout | None,
    *,
    by: Member,
    note: str | None = None,
) -> Moved:
    """Makes the newest version live for others than now; None: for everybody. Raises Faulty
    where it no longer loads, and NotPossible."""
    check_role(by, Role.CHECKER, "roll out")
    history = _history(versions, pack)
    last = history[0]
    if last.rollout is None:
        raise NotPossible(
            f"{pack}: {last.digest} is live for everybody; `ussd-gateway menu rollback {pack}` "
            "goes back"
        )
    check_rollout(pack, history, rollout)
    source = versions.source(pack, last.digest)
    assert source is not None, f"{pack} {last.digest} was published"
    load_all(settings, {f"{pack}@{last.digest}": source})
    try:
        versions.roll_out(pack, last.digest, rollout, after=last.seq, author=by.name, note=note)
    except Overtaken:
        raise overtaken(pack) from None
    except IsRetired:
        raise out_of_use(pack, last.digest) from None
    return moved_to(versions, pack, last, source, rollout)


def retire(
    settings: Settings,
    versions: SqlVersions,
    pack: str,
    prefix: str,
    *,
    by: Member,
    note: str | None = None,
) -> str:
    """From now on no session goes on in this version; its digest. Raises NotPossible."""
    check_role(by, Role.CHECKER, "retire")
    history = _history(versions, pack)
    digest = _named(history, prefix)
    if (pack, digest) in versions.retired():
        raise NotPossible(f"{pack}: {digest} is retired already")
    standing = published(settings, versions, unbound_actions(settings)).standing(pack)
    if any(one.move.digest == digest for one in standing):
        raise NotPossible(f"{pack}: sessions begin in {digest} now: move the pack first")
    try:
        versions.retire(pack, digest, after=history[0].seq, author=by.name, note=note)
    except Overtaken:
        raise overtaken(pack) from None
    return digest


def rollout_for(
    settings: Settings, *, percent: int | None, numbers: Sequence[str], names: Sequence[str]
) -> Rollout | None:
    """One of the three, as a person gives it: a share of all numbers, these phones, or these
    routes; of none of them: everybody. Raises NotPossible."""
    match percent, numbers, names:
        case None, [], []:
            return None
        case int(percent), [], []:
            return Share(percent)
        case None, [_, *_], []:
            return Numbers(_msisdns(settings, numbers))
        case None, [], [_, *_]:
            return Through(_routes(settings, names))
        case _:
            raise NotPossible("a share, numbers or routes: give one of them")


def check_rollout(pack: str, history: Sequence[Move], rollout: Rollout | None) -> None:
    """Raises NotPossible."""
    if rollout is None:
        return
    if not history:
        raise NotPossible(f"{pack}: its first version is for everybody: nobody has another")
    if all(move.rollout for move in history[:rollouts_max]) and len(history) >= rollouts_max:
        raise NotPossible(
            f"{pack}: {rollouts_max} times in a row for some people only; "
            "make one live for everybody, or roll back"
        )


def stop_action(
    settings: Settings, stops: SqlStops, action: str, *, author: str, note: str | None = None
) -> None:
    """From now on no menu asks for it; `send_money` stops `send_money.quote` too. Raises
    NotPossible."""
    known = tuple(unbound_actions(settings))
    if not any(name == action or name.startswith(f"{action}.") for name in known):
        raise NotPossible(f"{action}: no such action; {nearest(action, known)}")
    if action in _stopped(stops):
        raise NotPossible(f"{action}: it is disabled already")
    stops.stop(action, author=author, note=note)


def start_action(stops: SqlStops, action: str, *, author: str, note: str | None = None) -> None:
    """Ends a stop of the same name. Raises NotPossible."""
    stopped = _stopped(stops)
    if action not in stopped:
        known = ", ".join(stopped) or "none"
        raise NotPossible(f"{action}: it is not disabled; actions that are: {known}")
    stops.start(action, author=author, note=note)


def _stopped(stops: SqlStops) -> list[str]:
    return [stop.action for stop in stops.stopped()]


def _history(versions: SqlVersions, pack: str) -> list[Move]:
    history = versions.history(pack)
    if not history:
        known = ", ".join(sorted(versions.live())) or "none"
        raise NotPossible(f"{pack}: never published; packs that were: {known}")
    return history


def way_back(versions: SqlVersions, pack: str) -> str | None:
    """What a rollback would make live; None where there is nothing."""
    try:
        return _before(_history(versions, pack), _retired(versions, pack))
    except NotPossible:
        return None


def _retired(versions: SqlVersions, pack: str) -> set[str]:
    return {digest for name, digest in versions.retired() if name == pack}


def _before(history: Sequence[Move], retired: set[str]) -> str:
    """What was live for everybody before. Rolled back twice, it goes back two: what a rollback
    left is not come back to."""
    path: list[str] = []
    for move in reversed(history):
        if move.rollout is not None:
            continue
        if move.why is Why.ROLLBACK and move.digest in path:
            del path[len(path) - path[::-1].index(move.digest) :]
        elif path[-1:] != [move.digest]:
            path.append(move.digest)
    last = history[0]
    before = path if last.rollout else path[:-1]
    found = [digest for digest in before if digest not in retired]
    if not found:
        raise NotPossible(
            f"{last.pack}: {last.digest} is live, and no version before it is left: they are "
            "retired, or were never for everybody"
        )
    return found[-1]


def _named(history: Sequence[Move], prefix: str) -> str:
    pack = history[0].pack
    found = sorted({move.digest for move in history if move.digest.startswith(prefix)})
    match found:
        case [digest]:
            return digest
        case []:
            raise NotPossible(
                f"{pack}: no version begins with {prefix}; see `menu versions {pack}`"
            )
        case _:
            raise NotPossible(f"{pack}: several begin with {prefix}: {', '.join(found)}")


def _msisdns(settings: Settings, numbers: Sequence[str]) -> frozenset[str]:
    parse = msisdn_parser(market(settings).country)
    parsed = {number: parse(number) for number in numbers}
    strange = [number for number, found in parsed.items() if found is None]
    if strange:
        raise NotPossible(f"not a phone number: {', '.join(strange)}")
    if len(parsed) > numbers_max:
        raise NotPossible(f"{len(parsed)} numbers: give at most {numbers_max}, or a share")
    return frozenset(map(str, parsed.values()))


def _routes(settings: Settings, names: Sequence[str]) -> frozenset[str]:
    known = routes(settings, pack_files(settings)).by_name
    strange = [name for name in names if name not in known]
    if strange:
        raise NotPossible(
            f"no such route: {', '.join(strange)}; routes that are: {', '.join(known)}"
        )
    return frozenset(names)
