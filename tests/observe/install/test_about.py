"""What is said of a finding: what to write instead is no more of the same."""

from __future__ import annotations

from unlost.observe.install import is_bad, key_of
from unlost.observe.install._about import advice_on, lines_about
from unlost.observe.watch import ErrorType, Finding, Origin, Site, Verdict


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
