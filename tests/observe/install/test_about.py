"""What is said of a finding: what to write instead is no more of the same."""

from __future__ import annotations

import re

import pytest

from unlost.observe.install import is_bad, key_of, places_beside, texts_beside
from unlost.observe.install._about import advice_on, lines_about
from unlost.observe.watch import LEAKED, ErrorType, Finding, Notice, Origin, Site, Verdict

_LABEL = re.compile(r"  ([a-z]+ at|[a-z]+) +")


def absorbed_by(who: str) -> Finding:
    return Finding(Verdict.ABSORBED, ErrorType("builtins", "ValueError"), "x", (), by=who)


def test_what_a_task_group_absorbed_is_answered_with_another_group_than_asyncios() -> None:
    assert advice_on(absorbed_by("gather")).startswith("unlost.gather(...) or asyncio.TaskGroup")
    assert advice_on(absorbed_by("TaskGroup")).startswith("unlost.TaskGroup()")


def submitted_in(function: str) -> Finding:
    library = Site("/lib/site-packages/far.py", 3, "get", app=False)
    origin = Origin("", (Site("app.py", 9, function, app=True),))
    return Finding(Verdict.LOST, ErrorType("", "ValueError"), "x", (library,), by="a concurrent future", origin=origin)


def test_a_call_of_an_executor_is_told_with_where_it_was_submitted() -> None:
    said = [" ".join(line.split()) for line in lines_about(submitted_in("load"))]

    assert "lost at app.py:9 in load (it was submitted there)" in said
    assert "submitted at app.py:9 in load" in said
    assert not any(line.startswith("task ") for line in said)


def test_what_a_library_raised_in_a_call_is_the_business_of_who_submitted_it() -> None:
    assert is_bad(submitted_in("load"))
    assert key_of(submitted_in("load")) != key_of(submitted_in("save"))


def test_a_built_in_that_an_executor_called_was_raised_at_no_place_of_use() -> None:
    executors = Site("/lib/thread.py", 58, "_WorkItem.run", app=False, module="concurrent.futures.thread")
    origin = Origin("", (Site("app.py", 9, "load", app=True),))
    found = Finding(Verdict.LOST, ErrorType("", "ValueError"), "x", (executors,), by="an executor", origin=origin)

    said = "\n".join(lines_about(found))

    assert "raised at" not in said
    assert "submitted at  app.py:9 in load" in said


def test_a_task_that_outlives_its_test_is_told_with_what_to_write_instead() -> None:
    assert advice_on(Notice(LEAKED, "it still ran")).startswith("await it before the test ends")


@pytest.mark.parametrize("verdict", Verdict)
def test_what_is_said_stands_in_one_column(verdict: Verdict) -> None:
    sites = [Site("app.py", line, "work", app=True) for line in (3, 4)]
    found = [Finding(verdict, ErrorType("", "ValueError"), f"{site.line}", (site,), site) for site in sites]

    said = [*list(lines_about(found[0]))[1:], *places_beside(found), *texts_beside(found)]

    assert len({len(_LABEL.sub("", line)) - len(line) for line in said}) == 1


OWN, MAIN = Site("app.py", 9, "work", app=True), Site("app.py", 2, "main", app=True)
THEIRS, OTHERS = Site("plugin.py", 5, "inner", app=False), Site("group.py", 7, "start_soon", app=False)


@pytest.mark.parametrize(
    ("spawned", "said"),
    [
        ((OWN, THEIRS), ["task 'T', started at app.py:9 in work"]),
        ((OWN, THEIRS, MAIN), ["task 'T', started at app.py:9 in work", "by a task started at app.py:2 in main"]),
        ((OTHERS, OWN, THEIRS), ["task 'T', started by a task started at app.py:9 in work"]),
        (
            (OTHERS, THEIRS),
            ["task 'T', started at group.py:7 in start_soon", "by a task started at plugin.py:5 in inner"],
        ),
        ((), ["task 'T'"]),
    ],
)
def test_of_the_places_where_tasks_were_started_ones_own_are_told_if_there_are_some(
    spawned: tuple[Site, ...], said: list[str]
) -> None:
    found = Finding(Verdict.LOST, ErrorType("", "ValueError"), "x", (), origin=Origin("T", spawned))

    lines = [" ".join(line.split()) for line in lines_about(found)]

    assert [line for line in lines if line.startswith(("task '", "by a task"))] == said
