"""What the names in a handler stand for, and when that is read."""

from __future__ import annotations

import sys
from collections.abc import Callable

import pytest

from unlost.observe.watch import Verdict, start

pytestmark = pytest.mark.skipif(sys.version_info < (3, 12), reason="handlers are seen from 3.12 on")


def blind() -> None:
    """Look at nothing."""


def asks() -> object:
    return sys.exc_info()[1]


note: Callable[[], object] = blind


def handle_by_a_global_name() -> None:
    try:
        raise ValueError("x")
    except Exception:
        note()


def handle_by_a_variable(passed: Callable[[], object]) -> None:
    try:
        raise ValueError("x")
    except Exception:
        passed()


def test_what_a_global_name_stands_for_is_read_when_the_handler_is_first_reached(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    watch = start()
    handle_by_a_global_name()
    monkeypatch.setitem(globals(), "note", asks)
    handle_by_a_global_name()
    watch.stop()

    assert watch.collector.counts == {Verdict.SWALLOWED: 2}


def test_what_a_variable_stands_for_is_read_each_time() -> None:
    watch = start()
    for passed in (blind, asks, asks, blind):
        handle_by_a_variable(passed)
    watch.stop()

    assert watch.collector.counts == {Verdict.SWALLOWED: 2}
