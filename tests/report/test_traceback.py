"""A traceback on a terminal: colours, narrow ones, and where the task came from."""

from __future__ import annotations

import re

import pytest

from support.views import raised
from unlost.errors import attach_attempts
from unlost.observe import Line, record, render
from unlost.observe.watch import Origin, Site
from unlost.report._text import width
from unlost.report.traceback import Look, for_terminal, trace_of, wants_colour


def printed(error: BaseException, cells: int | None = None, *, colours: bool = False) -> list[str]:
    return list(for_terminal(trace_of(record(error)), Look(cells, colours)))


def tree() -> BaseException:
    first = raised(ValueError("the first of two long messages " * 3), function="one")
    attach_attempts(first, (raised(ConnectionError("refused " * 10)),))
    second = raised(ExceptionGroup("inner", [KeyError("a"), TypeError("the other long message " * 4)]))
    return raised(ExceptionGroup("outer", [first, second]))


def test_without_a_terminal_it_is_what_is_written_everywhere_else() -> None:
    assert "\n".join(printed(tree())) == render(record(tree()))


@pytest.mark.parametrize("cells", [40, 60, 80])
def test_no_line_is_wider_than_the_terminal(cells: int) -> None:
    lines = printed(tree(), cells)

    assert max(map(width, lines)) <= cells
    assert " ".join("".join(re.sub("[│├└─]", " ", line) for line in lines).split()).count("first of two long") == 3


def test_what_goes_on_in_the_next_line_stands_below_its_branch() -> None:
    line = Line("error", "ValueError: one two three four five six", "  ├─ ")

    assert list(for_terminal([line], Look(34))) == ["  ├─ ValueError: one two three", "  │      four five six"]


def test_a_path_is_not_broken() -> None:
    path = "/home/somebody/" + "folder/" * 20 + "jobs.py"
    lines = printed(raised(ValueError(), file=path), 60)

    assert any(f'"{path}",' in line for line in lines)


def test_a_terminal_too_narrow_for_a_deep_tree_breaks_the_lines_itself() -> None:
    assert printed(tree(), 10) == printed(tree())


def test_colours_change_nothing_but_colours() -> None:
    coloured = printed(tree(), 80, colours=True)

    assert "\x1b[1;31mKeyError: 'a'\x1b[0m" in "\n".join(coloured)
    assert [re.sub("\x1b\\[[0-9;]*m", "", line) for line in coloured] == printed(tree(), 80)


def test_what_an_error_says_colours_nothing() -> None:
    assert "\x1b" not in "\n".join(printed(ValueError("\x1b[31mred")))


@pytest.mark.parametrize(
    ("environ", "is_terminal", "expected"),
    [
        ({}, True, True),
        ({}, False, False),
        ({"NO_COLOR": "1"}, True, False),
        ({"NO_COLOR": ""}, True, True),
        ({"FORCE_COLOR": "1"}, False, True),
        ({"FORCE_COLOR": ""}, False, False),
        ({"NO_COLOR": "1", "FORCE_COLOR": "1"}, True, False),
        ({"TERM": "dumb"}, True, False),
        ({"TERM": "dumb", "FORCE_COLOR": "1"}, True, True),
    ],
)
def test_colours_are_written_by_the_rules_of_pythons_own(
    environ: dict[str, str], is_terminal: bool, expected: bool
) -> None:
    assert wants_colour(environ, is_terminal=is_terminal) is expected


def test_the_tasks_that_led_to_an_error_are_told_the_nearest_first() -> None:
    spawned = (Site("app.py", 9, "load_all", app=True), Site("lib.py", 3, "serve\x1b", app=False))

    lines = list(trace_of(record(ValueError("no")), Origin("page\u202e 7", spawned), "lost: nobody ever took it"))

    assert [str(line) for line in lines][1:] == [
        "  [permanent]",
        "lost: nobody ever took it",
        "In task 'page\\u202e 7', which was started",
        "  at app.py:9 in load_all",
        "  by a task started at lib.py:3 in serve\\x1b",
    ]


def test_where_a_call_was_submitted_that_led_to_an_error_is_told() -> None:
    lines = list(trace_of(None, Origin("", (Site("app.py", 9, "load_all", app=True),))))

    assert [str(line) for line in lines] == ["In a call that was submitted", "  at app.py:9 in load_all"]


def test_a_task_whose_start_is_not_known_has_its_name() -> None:
    assert [str(line) for line in trace_of(None, Origin("Task-7"))] == ["In task 'Task-7'"]
