"""The scenarios of the loss matrix, for this library: nothing that is raised in them is lost."""

import sys
from pathlib import Path

import pytest

sys.path.append(str(Path(__file__).parents[2] / "benchmarks"))

from _loss_run import BrokenCell, cells_of, measure  # each cell is a process of its own
from _loss_scenarios import SCENARIOS

OURS = cells_of("unlost").by_scenario


@pytest.mark.stock
@pytest.mark.parametrize("scenario", [name for name in OURS if SCENARIOS[name].runs_here()])
def test_nothing_is_lost(scenario: str) -> None:
    count = measure("unlost", scenario)

    assert count.lost == ()
    assert count.late == ()


@pytest.mark.stock
def test_the_matrix_sees_what_is_lost() -> None:
    count = measure("asyncio", "gathered")

    assert count.raised == 2
    assert len(count.lost) == 1


@pytest.mark.stock
def test_the_matrix_sees_what_is_reported_late() -> None:
    count = measure("asyncio", "background_held")

    assert count.lost == ()
    assert len(count.late) == 1


@pytest.mark.stock
def test_a_cell_that_raises_nothing_is_no_proof() -> None:
    with pytest.raises(BrokenCell, match="raised nothing"):
        measure("broken", "same_tick")


def test_the_matrix_has_at_least_thirty_scenarios_for_this_library() -> None:
    assert len(OURS) >= 30
    assert set(OURS) <= set(SCENARIOS)
