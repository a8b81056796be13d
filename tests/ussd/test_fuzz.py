"""Whatever is done to a pack, it is refused with its faults or it is a program that works.

A few hundred of them here; `make chaos` tries ten thousand (part `packs`). The seed of one that
fails is in the message.
"""

from random import Random

import pytest

from tests.ussd.fuzzing import SOURCES, load_s_max, spoilt, tried, walk
from tests.ussd.stand_in import MONEY_MAX
from ussd_gateway.ussd.menu import Program
from ussd_gateway.ussd.reading.loader import load_pack

HUNDREDS = 4


@pytest.mark.parametrize("hundred", range(HUNDREDS))
def test_a_spoilt_pack_gives_faults_or_a_program_that_can_be_walked(hundred: int) -> None:
    for seed in range(100 * hundred, 100 * hundred + 100):
        try:
            found = tried(seed)
        except Exception as error:
            raise AssertionError(f"seed {seed}: {error!r}") from error
        assert found.load_s < load_s_max, f"seed {seed}: {found.load_s:.2f} s"


def test_the_shipped_packs_can_be_walked() -> None:
    for source, actions in SOURCES:
        program = load_pack(source, file="right", actions=actions, money_max=MONEY_MAX)
        assert isinstance(program, Program)
        steps = [walk(program, actions, Random(seed)) for seed in range(50)]
        assert max(steps) > 5, "people get somewhere"


def test_spoiling_is_the_same_for_the_same_seed() -> None:
    for source, _ in SOURCES:
        assert spoilt(source, Random(7)) == spoilt(source, Random(7))
