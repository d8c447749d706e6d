"""A log says when a run paused, why, and when it went on."""

from __future__ import annotations

from unlost.cli._pauses import Pauses

REST = "api.example.com answered 429"


def _said(pauses: Pauses, *looks: tuple[float, str | None]) -> list[tuple[float, str]]:
    lines = [(now, pauses.look(pause, None, now)) for now, pause in looks]
    return [(now, line) for now, line in lines if line is not None]


def test_a_pause_is_said_once_when_it_has_lasted_and_once_when_it_is_over() -> None:
    said = _said(Pauses(), (0, None), (10, REST), (11, REST), (12, REST), (300, REST), (310, None), (311, None))

    assert said == [(11, f"paused: {REST}"), (310, "going on after 5m00s")]


def test_a_short_one_is_not_said() -> None:
    assert _said(Pauses(), (0, REST), (0.9, None)) == []


def test_it_says_when_the_run_goes_on() -> None:
    pauses = Pauses()
    pauses.look(REST, 60.0, 0.0)

    assert pauses.look(REST, 60.0, 1.0) == f"paused: {REST} (next try in 59s)"


def test_another_reason_is_said_as_well() -> None:
    said = _said(Pauses(), (0, REST), (1, REST), (12, "the network is gone"), (13, "the network is gone"))

    assert said == [(1, f"paused: {REST}"), (12, "paused: the network is gone")]


def test_many_in_a_row_do_not_fill_the_log() -> None:
    looks = [(float(second), REST if second % 3 else None) for second in range(300)]

    said = _said(Pauses(), *looks)

    assert 2 <= len(said) <= 60


def test_a_long_one_soon_after_another_is_said_as_well() -> None:
    said = _said(Pauses(), (0, REST), (1, REST), (2, None), (3, REST), (5, REST), (11, REST), (12, REST), (13, None))

    assert [line for _, line in said] == [
        f"paused: {REST}",
        "going on after 2.0s",
        f"paused: {REST}",
        "going on after 10s",
    ]


def test_what_would_drive_a_terminal_is_escaped() -> None:
    assert _said(Pauses(), (0, "\x1b[2J"), (1, "\x1b[2J")) == [(1, "paused: \\x1b[2J")]
