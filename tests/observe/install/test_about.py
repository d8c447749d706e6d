"""What is said of a finding: what to write instead is no more of the same."""

from __future__ import annotations

from unlost.observe.install._about import advice_on
from unlost.observe.watch import ErrorType, Finding, Verdict


def absorbed_by(who: str) -> Finding:
    return Finding(Verdict.ABSORBED, ErrorType("builtins", "ValueError"), "x", (), by=who)


def test_what_a_task_group_absorbed_is_answered_with_another_group_than_asyncios() -> None:
    assert advice_on(absorbed_by("gather")).startswith("unlost.gather(...) or asyncio.TaskGroup")
    assert advice_on(absorbed_by("TaskGroup")).startswith("unlost.TaskGroup()")
