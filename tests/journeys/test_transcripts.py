"""Every conversation in fixtures/transcripts reads as it is written, on both databases.

`UPDATE=1 pytest tests/journeys` rewrites those that do not. Read what has changed.
"""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml

from tests.journeys.golden import GOLDEN, ROOT, read
from ussd_gateway.cli.stage.world import GatewayWorld
from ussd_gateway.domain.refusals import Reason
from ussd_gateway.simulators.transcripts import Verb, play
from ussd_gateway.store.verify import verify
from ussd_gateway.store.verify.usage import RULE as USED

PHONES = frozenset({Verb.DIALS, Verb.ENTERS, Verb.TEXTS, Verb.REPEATS, Verb.HANGS_UP})


# Where somebody changes something meanwhile, or staff bar an account.
_HERE = (
    *("test_refusals", "test_barred"),
    *("missent", "test_money_back", "test_money_back_decided"),
)


def name(path: Path) -> str:
    return f"{path.parent.name}-{path.stem}"


@pytest.mark.parametrize("path", GOLDEN, ids=name)
def test_a_transcript_reads_as_it_is_written(path: Path, world: GatewayWorld) -> None:
    played = play(read(path), world)

    if played.differences and os.environ.get("UPDATE") == "1":
        path.write_text(played.text, "utf-8")
    elif played.differences:
        pytest.fail("\n\n".join(map(str, played.differences)), pytrace=False)
    wrong = [finding.name for finding in verify(world.gateway.engine) if not finding.ok]
    # What somebody is said to have spent before was never paid, and the books tell.
    before = any(step.verb is Verb.SPENT for step in read(path).steps)
    assert wrong == ([USED] if before else [])


@pytest.mark.parametrize("path", GOLDEN, ids=name)
def test_a_transcript_tells_the_whole_truth(path: Path) -> None:
    """After the last that a phone does: every SMS, the ledger, and where a PIN was typed."""
    steps = read(path).steps
    last = max(at for at, step in enumerate(steps) if step.verb in PHONES)
    told = [step.verb for step in steps[last + 1 :]]
    types_a_pin = any("PIN>" in step.what for step in steps[: last + 1])

    whole = [Verb.SMS, Verb.LEDGER, *([Verb.NEVER_STORED] * types_a_pin)]
    assert told[-len(whole) :] == whole


def test_every_refusal_is_shown_in_every_language() -> None:
    here = (Path(__file__).with_name(f"{name}.py") for name in _HERE)
    files = (*GOLDEN, *here)
    shown = "".join(path.read_text("utf-8") for path in files)
    texts = [text for pack in ("customer", "agent") for text in _refusals(pack)]
    for reason in Reason:
        said = [text for outcome, text in texts if outcome == reason.value]
        for language in ("en", "sw", "fr"):
            sentences = {text[language].split(".")[0].split("{")[0] for text in said}
            assert any(sentence in shown for sentence in sentences), (
                f"no journey shows {reason.value} in {language}: {sentences}"
            )


def _refusals(name: str) -> Iterator[tuple[str, dict[str, str]]]:
    """Each outcome of a pack that is told at once, and its text."""
    path = ROOT / "menus" / f"{name}.yaml"
    states = yaml.load(path.read_text("utf-8"), yaml.CBaseLoader)["states"]
    for state in states.values():
        [inner] = state.values()
        outcomes = inner.get("outcomes", {}) if isinstance(inner, dict) else {}
        for outcome, target in outcomes.items():
            if isinstance(target, dict):
                yield outcome, target["again"]
            elif kind := states[target].get("end") or states[target].get("secret"):
                yield outcome, kind["text"]
