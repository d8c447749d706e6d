"""Near the recursion limit, where there is no room left for what the watching itself calls."""
# ruff: noqa: SIM105  (what is watched is written as people write it)

from __future__ import annotations

import sys
from collections.abc import Callable

import pytest

from unlost.observe.watch import Verdict, start

pytestmark = pytest.mark.skipif(sys.version_info < (3, 12), reason="sys.monitoring is 3.12's")

_held = 0


def with_finally() -> None:
    global _held
    _held += 1
    try:
        with_finally()
    finally:
        _held -= 1


def with_handler() -> None:
    global _held
    _held += 1
    try:
        with_handler()
    except Exception:
        pass
    _held -= 1


def too_deep(function: Callable[[], None]) -> None:
    try:
        function()
    except RecursionError:
        pass


@pytest.mark.parametrize("function", [with_finally, with_handler])
def test_only_the_frame_at_the_very_limit_loses_its_handler(function: Callable[[], None]) -> None:
    global _held
    _held = 0
    watch = start()

    too_deep(function)
    watch.stop()

    assert _held <= 1  # no callback can be called from there: the interpreter raises in its place
    assert set(watch.collector.faults) <= {"RecursionError: the program had no room left for a call"}


def test_a_handler_that_could_not_be_read_there_is_read_the_next_time() -> None:
    def swallow() -> None:
        try:
            int("no number")
        except Exception:
            pass

    def at_each_depth() -> None:
        try:
            at_each_depth()
        finally:
            swallow()

    watch = start()
    too_deep(at_each_depth)
    before = watch.collector.counts[Verdict.SWALLOWED]
    swallow()
    watch.stop()

    assert watch.collector.faults  # it was there
    assert watch.collector.counts[Verdict.SWALLOWED] == before + 1
