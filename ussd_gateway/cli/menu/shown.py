"""What staff are shown of versions: those that are live and were, what is proposed, and what
differs."""

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated

import typer

from ussd_gateway.cli.desk import Desk, desk

if TYPE_CHECKING:
    from ussd_gateway.app import Moved, Review
    from ussd_gateway.settings import Settings
    from ussd_gateway.store.menus.versions import Move
    from ussd_gateway.ussd.versions import Changes

_MARK_WIDTH = len("retired")


def versions(
    pack: Annotated[str | None, typer.Argument(help="Without it: all of them.")] = None,
) -> None:
    """Show what is live and what was, who answers for it, and which actions are disabled."""
    from ussd_gateway import app

    with desk() as here:
        names = sorted(here.versions.live())
        if pack is not None and pack not in names:
            known = ", ".join(names) or "none"
            raise app.NotPossible(f"{pack}: never published; packs that were: {known}")
        for name in names if pack is None else [pack]:
            for line in _history(here, name):
                typer.echo(line)
        for stop in here.stops.stopped() if pack is None else ():
            typer.echo(
                f"disabled: {stop.action}  {_at(stop.at_ms)}  {stop.author}  "
                f"{stop.note or ''}".rstrip()
            )
        differing = app.unpublished(here.settings, here.versions)
    for name in differing:
        if pack in (None, name):
            typer.echo(_not_live(name))


def proposals(
    number: Annotated[int | None, typer.Argument(help="Without it: all that wait.")] = None,
) -> None:
    """Show what waits for a checker, or one proposal with all its reports."""
    from ussd_gateway import app

    with desk() as here:
        if number is not None:
            tell_review(app.review(here.versions, here.proposals, number))
            return
        waiting = app.reviews(here.versions, here.proposals)
    for one in waiting:
        typer.echo(
            f"{one.number:>4}  {one.pack:<10} {one.digest}  {_at(one.at_ms)}  "
            f"{one.author}  {one.note or ''}".rstrip()
        )
    if not waiting:
        typer.echo("Nothing waits for approval.")


def tell(moved: "list[Moved]") -> None:
    """What has become live, and what is new in it."""
    for each in moved:
        before = f"in the place of {each.before}" if each.before else "the first of its pack"
        whom = f" for {each.rollout}" if each.rollout else ""
        if each.before == each.digest:
            typer.echo(f"{each.pack}: {each.digest} is live{whom or ' for everybody'}")
            continue
        where = f"; all others have {each.before}" if each.rollout else f", {before}"
        typer.echo(f"{each.pack}: {each.digest} is live{whom}{where}")
        if each.before is not None:
            _tell_changes(each.changes)


def tell_review(review: "Review") -> None:
    """A proposal, with all that whoever approves it has to know."""
    against = f"against {review.against}" if review.against else "the first of its pack"
    typer.echo(f"{review.pack}: {review.digest} is proposal {review.number}, {against}")
    typer.echo(f"  by {review.author}, {_at(review.at_ms)}  {review.note or ''}".rstrip())
    if review.against is not None:
        _tell_changes(review.changes)
    typer.echo(f"  lint: no errors, warnings: {len(review.lint)}")
    for fault in review.lint:
        typer.echo(f"    {fault}")
    played = len(review.tests.played)
    typer.echo(f"  tests: {played} played, all as written" if played else "  tests: none there")
    if review.approver is not None:
        typer.echo(f"  approved by {review.approver}")
    elif review.overtaken:
        typer.echo("  overtaken: the pack has moved since; its author publishes it again")
    else:
        typer.echo(f"  a checker makes it live: `ussd-gateway menu approve {review.number}`")


def told_changes(changes: "Changes") -> list[str]:
    """From one version to the next, a line for each."""
    lines = [*_names_changed(changes), *_within_changed(changes)]
    return lines or ["no more than comments and layout changed"]


def edited(settings: "Settings") -> list[str]:
    """A line for each file that no phone shows, as nobody has published it as it is now."""
    from ussd_gateway.app import unpublished

    with desk(settings) as here:
        return [_not_live(pack) for pack in unpublished(settings, here.versions)]


def _history(here: Desk, pack: str) -> Iterator[str]:
    from ussd_gateway import app
    from ussd_gateway.store.menus.versions import Why

    live = app.published(here.settings, here.versions, app.unbound_actions(here.settings))
    standing = {one.move.seq: one for one in live.standing(pack)}
    retired = {digest for name, digest in here.versions.retired() if name == pack}
    history = here.versions.history(pack)
    yield pack
    width = max(len(_who(move)) for move in history)
    for move in history:
        mark = "retired" if move.digest in retired else ""
        if move.seq in standing:
            mark = "live" if move.rollout is None else "some"
            mark = mark if standing[move.seq].program else "broken"
        partly = move.rollout is not None or move.why is Why.ROLLOUT
        whom = f"for {move.rollout or 'everybody'}  " if partly else ""
        yield (
            f"  {mark:<{_MARK_WIDTH}} {move.digest}  {move.why.value:<8}  {_at(move.at_ms)}  "
            f"{_who(move):<{width}}  {whom}{move.note or ''}"
        ).rstrip()
    for digest, faults in live.why_not(pack).items():
        yield f"  {digest} does not load here, and the one before it goes on:"
        yield from (f"    {fault}" for fault in faults)


def _who(move: "Move") -> str:
    return f"{move.author}, {move.approver}" if move.approver else move.author


def _at(at_ms: int) -> str:
    return f"{datetime.fromtimestamp(at_ms // 1000, UTC):%Y-%m-%d %H:%M:%S} UTC"


def _tell_changes(changes: "Changes") -> None:
    for line in told_changes(changes):
        typer.echo(f"  {line}")


def _names_changed(changes: "Changes") -> Iterator[str]:
    lists = (
        ("states added", changes.added),
        ("states removed", changes.removed),
        ("states changed", changes.changed),
        ("changed beside", changes.beside),
    )
    for what, names in lists:
        if names:
            yield f"{what}: {', '.join(names)}"


def _within_changed(changes: "Changes") -> Iterator[str]:
    for moved in changes.moved:
        yield f"{moved.state}: {moved.go} is under {moved.after} now, was under {moved.before}"
    for option in changes.options_added:
        yield f"{option.state}: {option.key} leads to {option.go} now"
    for option in changes.options_removed:
        yield f"{option.state}: {option.key} no longer leads to {option.go}"
    for text in changes.texts:
        yield f"{text.place} ({text.language}): {_quoted(text.before)} -> {_quoted(text.after)}"
    for var in changes.vars:
        yield f"var {var.name}: {var.before} -> {var.after}"


def _quoted(text: str) -> str:
    return f'"{text.strip()}"'.replace("\n", " / ") if text else "nothing"


def _not_live(pack: str) -> str:
    return (
        f"menus/{pack}.yaml is not what was published last: `ussd-gateway menu publish {pack}` "
        "proposes it"
    )
