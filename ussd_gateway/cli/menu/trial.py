"""Plays the operators' own tests, `menus/tests/*.txt`, on the packs as their files are now:
each on a gateway of its own that is thrown away after."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

BY_HAND = "left as it is: it ends otherwise now. Walk it anew by hand, or mend the menu"

if TYPE_CHECKING:
    from ussd_gateway.app import Trial
    from ussd_gateway.cli.stage.playing import Stage
    from ussd_gateway.settings import Settings


def tests_in(place: Path) -> list[Path]:
    """A test, or all that are below a folder."""
    return sorted(place.rglob("*.txt")) if place.is_dir() else [place]


def tried(
    settings: "Settings", tests: Sequence[Path] | None = None, *, update: bool = False
) -> "Trial":
    """All in menus/tests, or these; `update` writes what is said now into those that differ.
    Raises Faulty where a pack does not load."""
    from ussd_gateway.app import Trial
    from ussd_gateway.cli.stage.playing import staged

    folder = settings.menus_dir / "tests"
    if tests is None:
        tests = tests_in(folder) if folder.exists() else ()
    if not tests:
        return Trial((), ())

    names = {test: _name(settings, test) for test in tests}
    with staged(settings.menus_dir) as stage:
        differing = [
            line
            for test in tests
            for line in _differing(stage, test, names[test], update=update)
        ]
    return Trial(tuple(names.values()), tuple(differing))


def _name(settings: "Settings", test: Path) -> str:
    if test.is_relative_to(settings.menus_dir):
        return f"menus/{test.relative_to(settings.menus_dir)}"
    return str(test)


def _differing(stage: "Stage", test: Path, name: str, *, update: bool) -> list[str]:
    from ussd_gateway.simulators.transcripts import parse

    transcript = parse(test.read_text("utf-8"), file=name)
    if isinstance(transcript, list):
        return transcript
    played = stage.play(transcript)
    differing = [str(difference) for difference in played.differences]
    if differing and update:
        before = test.read_text("utf-8")
        if _is_hollow(before, played.text):
            return [*differing, f"{name}: {BY_HAND}"]
        test.write_text(played.text, "utf-8")
    return differing


def _is_hollow(before: str, after: str) -> bool:
    """Whether it no longer comes to what it came to: keys lead elsewhere, not words differ."""
    return any(
        (after.count(sign) > before.count(sign)) is more
        and after.count(sign) != before.count(sign)
        for sign, more in (("(no session is open)", True), ("| END", False), ("| to ", False))
    )
