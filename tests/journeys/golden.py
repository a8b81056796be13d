"""The conversations of fixtures/transcripts."""

from pathlib import Path

from ussd_gateway.simulators.transcripts import Transcript, parse

ROOT = Path(__file__).parents[2]
GOLDEN = sorted((ROOT / "fixtures" / "transcripts").rglob("*.txt"))


def read(path: Path) -> Transcript:
    found = parse(path.read_text("utf-8"), file=str(path.relative_to(ROOT)))
    assert isinstance(found, Transcript), "\n".join(found)
    return found
