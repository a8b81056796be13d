"""Every conversation in fixtures/transcripts reads as it is written, on both databases.

`UPDATE=1 pytest tests/journeys` rewrites those that do not. Read what has changed.
"""

import os
from pathlib import Path

import pytest
import yaml

from tests.journeys.golden import GOLDEN, ROOT, read
from ussd_gateway.cli.world import GatewayWorld
from ussd_gateway.domain.refusals import Reason
from ussd_gateway.simulators.transcripts import Verb, play
from ussd_gateway.store.verify import verify

PHONES = frozenset({Verb.DIALS, Verb.ENTERS, Verb.REPEATS, Verb.HANGS_UP})


def name(path: Path) -> str:
    return f"{path.parent.name}-{path.stem}"


@pytest.mark.parametrize("path", GOLDEN, ids=name)
def test_a_transcript_reads_as_it_is_written(path: Path, world: GatewayWorld) -> None:
    played = play(read(path), world)

    if played.differences and os.environ.get("UPDATE") == "1":
        path.write_text(played.text, "utf-8")
    elif played.differences:
        pytest.fail("\n\n".join(map(str, played.differences)), pytrace=False)
    assert [finding for finding in verify(world.gateway.engine) if not finding.ok] == []


@pytest.mark.parametrize("path", GOLDEN, ids=name)
def test_a_transcript_tells_the_whole_truth(path: Path) -> None:
    """After the last that a phone does: every SMS, the ledger, and where a PIN was typed."""
    steps = read(path).steps
    last = max(at for at, step in enumerate(steps) if step.verb in PHONES)
    told = [step.verb for step in steps[last + 1 :]]
    types_a_pin = any("PIN>" in step.what for step in steps[: last + 1])

    assert told == [Verb.SMS, Verb.LEDGER, *([Verb.NEVER_STORED] * types_a_pin)]


def test_every_refusal_is_shown_in_every_language() -> None:
    """Some need somebody who changes something meanwhile: they are in test_refusals.py."""
    pack = yaml.load((ROOT / "menus" / "customer.yaml").read_text("utf-8"), yaml.CBaseLoader)
    files = (*GOLDEN, Path(__file__).with_name("test_refusals.py"))
    shown = "".join(path.read_text("utf-8") for path in files)
    outcomes = pack["states"]["send_pin"]["secret"]["outcomes"]
    for reason in Reason:
        target = outcomes[reason.value]
        text = target["again"] if "again" in target else pack["states"][target]["end"]["text"]
        for language in pack["languages"]:
            sentence = text[language].split(".")[0]
            assert sentence in shown, (
                f"no journey shows {reason.value} in {language}: {sentence}"
            )
