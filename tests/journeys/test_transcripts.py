"""Every conversation in fixtures/transcripts reads as it is written, on both databases.

`UPDATE=1 pytest tests/journeys` rewrites those that do not. Read what has changed.
"""

import os
from pathlib import Path

import pytest

from ussd_gateway.cli.world import GatewayWorld
from ussd_gateway.simulators.transcripts import Transcript, parse, play

ROOT = Path(__file__).parents[2]
TRANSCRIPTS = sorted((ROOT / "fixtures" / "transcripts").rglob("*.txt"))


def read(path: Path) -> Transcript:
    found = parse(path.read_text("utf-8"), file=str(path.relative_to(ROOT)))
    assert isinstance(found, Transcript), "\n".join(found)
    return found


@pytest.mark.parametrize(
    "path", TRANSCRIPTS, ids=lambda path: f"{path.parent.name}-{path.stem}"
)
def test_a_transcript_reads_as_it_is_written(path: Path, world: GatewayWorld) -> None:
    played = play(read(path), world)

    if played.differences and os.environ.get("UPDATE") == "1":
        path.write_text(played.text, "utf-8")
    elif played.differences:
        pytest.fail("\n\n".join(map(str, played.differences)), pytrace=False)
