"""What the summary says of an event loop that did not turn."""

from __future__ import annotations

import pytest

from unlost.batch._blocked import Blocked
from unlost.report._blocked import blocked_line

PARSE, LOAD = "jobs.py:12 in parse", "jobs.py:30 in load"
ADVICE = "(await asyncio.to_thread(...) lets the others go on)"


@pytest.mark.parametrize(
    ("blocked", "seconds", "lines"),
    [
        (None, 10.0, []),
        (Blocked(), 10.0, []),
        (Blocked(0.4, ((PARSE, 0.4),)), 10.0, []),
        (Blocked(4.2, ((PARSE, 4.0),)), None, []),
        (
            Blocked(4.2, ((PARSE, 4.0), (LOAD, 0.2))),
            10.0,
            [f"event loop blocked 4.2s of 10s, most of it at {PARSE} {ADVICE}"],
        ),
        (
            Blocked(4.2, ((PARSE, 2.0), (LOAD, 1.9))),
            3600.0,
            [f"event loop blocked 4.2s of 1h00m, longest at {PARSE} {ADVICE}"],
        ),
        (Blocked(0.6), 10.0, ["event loop blocked 0.6s of 10s"]),
        (Blocked(2.0, (("\x1b[2J", 2.0),)), 9.0, [rf"event loop blocked 2.0s of 9.0s, most of it at \x1b[2J {ADVICE}"]),
    ],
)
def test_it_is_said_where_it_was_a_second_or_a_twentieth_of_the_run(
    blocked: Blocked | None, seconds: float | None, lines: list[str]
) -> None:
    assert list(blocked_line(blocked, seconds)) == lines
