"""What `make chaos` takes away has to be there: a mutant that no longer fits shows nothing."""

from pathlib import Path

import pytest

from tests.chaos.mutants.taken_away import MUTANTS, Mutant

HOUSE = Path(__file__).parents[2]


@pytest.mark.parametrize("mutant", MUTANTS, ids=lambda one: one.name)
def test_each_mutant_fits_the_code(mutant: Mutant) -> None:
    assert (HOUSE / mutant.file).read_text("utf-8").count(mutant.old) == 1
