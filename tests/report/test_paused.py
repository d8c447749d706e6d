"""What is said of a run that was held, or stopped by itself."""

from __future__ import annotations

import pytest

from support.views import view_of
from unlost.batch import Paused
from unlost.report import summary_as_text


@pytest.mark.parametrize(
    ("paused", "said"),
    [
        (
            Paused(rests=1, refused=1, seconds=2.0),
            "held for 2.0s: 1 rest that a server asked for; 1 call came back later, which is no attempt",
        ),
        (
            Paused(rests=3, outages=2, refused=1234, seconds=95.0),
            (
                "held for 1m35s: 3 rests that a server asked for and 2 outages; "
                "1,234 calls came back later, which is no attempt"
            ),
        ),
    ],
)
def test_what_held_a_run_is_said(paused: Paused, said: str) -> None:
    assert said in summary_as_text(view_of(paused=paused))


def test_a_run_that_nothing_held_says_nothing_of_it() -> None:
    assert "held" not in summary_as_text(view_of())


def test_why_a_run_stopped_by_itself_is_shown_later() -> None:
    assert "stopped by itself: the budget is spent" in summary_as_text(view_of(why="the budget is spent"))
    assert "stopped by itself" not in summary_as_text(view_of(why="the budget is spent", how="halted"))
