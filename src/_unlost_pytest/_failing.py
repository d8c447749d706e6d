"""
A test in which something was found fails, whatever it does itself.

``xfail`` and ``skip`` are about what a test does: a test that is known to fail, or that cannot run here. pytest takes
whatever is raised in it for that, and so would show what is lost in silence as expected. It is expected only where the
mark says so: ``xfail(raises=pytest.fail.Exception)``.
"""

from __future__ import annotations

from typing import Any

import pytest
from _pytest.skipping import xfailed_key  # which of several marks holds is said nowhere else

from _unlost_pytest._marks import NAME

PREFIX = "unlost: "

_FORGIVE = f"@pytest.mark.{NAME}('why', 'part of the text, or the key')"
_EXPECT = "xfail(raises=pytest.fail.Exception)"
_EXAMPLE = pytest.fail.Exception("unlost: lost", pytrace=False)


class Failing:
    """What tests have to fail for, until their reports tell it."""

    def __init__(self) -> None:
        self._texts: dict[tuple[str, str], str] = {}

    def add(self, test: str, when: str, text: str) -> None:
        """Note what was found in a phase of a test."""
        self._texts[test, when] = text

    def settle(self, item: pytest.Item, call: pytest.CallInfo[None], report: pytest.TestReport) -> None:
        """Let a phase fail in which something was found; where it does so for another reason, tell it beside that."""
        text = self._texts.pop((item.nodeid, call.when), "")
        if not text or _is_expected(item, report):
            return
        if not report.failed:
            _fail(item, report, f"{text}\n\n{_besides(report)}")
        elif call.excinfo is None or getattr(call.excinfo.value, "msg", "") != text:
            report.sections.append((f"Captured unlost {call.when}", text))

    def left(self) -> list[tuple[str, str]]:
        """Return, once, what no report tells: the session was interrupted; each with its test."""
        left = [(test, text.removeprefix(PREFIX)) for (test, _), text in self._texts.items()]
        self._texts.clear()
        return left


def expects(item: pytest.Item, raised: BaseException | None) -> bool:
    """
    Say whether an ``xfail`` of the test is met by what is lost in it: that outranks what forgives or fails nothing.

    Args:
        raised: What the test itself raised; one that is skipped expects nothing.
    """
    if item.config.option.runxfail or isinstance(raised, pytest.skip.Exception):
        return False
    return _holds_for_lost(item)


def _fail(item: pytest.Item, report: pytest.TestReport, text: str) -> None:
    report.outcome = "failed"
    if hasattr(report, "wasxfail"):
        del report.wasxfail
    with pytest.raises(pytest.fail.Exception) as failed:  # makes what pytest shows of a failure
        pytest.fail(text, pytrace=False)
    report.longrepr = item.repr_failure(failed)


def _is_expected(item: pytest.Item, report: pytest.TestReport) -> bool:
    if getattr(report, "wasxfail", None) is None:
        return False
    return _holds_for_lost(item)


def _holds_for_lost(item: pytest.Item) -> bool:
    holding = item.stash.get(xfailed_key, None)
    return holding is not None and _covers(holding.raises)


def _covers(raises: Any) -> bool:  # Any: what stands in a mark
    if isinstance(raises, type | tuple):
        return isinstance(_EXAMPLE, raises)
    return raises is not None and bool(raises.matches(_EXAMPLE))  # RaisesExc and the like


def _besides(report: pytest.TestReport) -> str:
    reason = getattr(report, "wasxfail", None)
    if reason is not None:
        return (
            f"xfail{_because(reason)} is for what the test itself raises. For what is lost: {_FORGIVE},\nor {_EXPECT}"
        )
    reason = report.longrepr[2] if isinstance(report.longrepr, tuple) else ""
    return f"skip{_because(reason.removeprefix('Skipped: '))} is for the test itself. For what is lost: {_FORGIVE}"


def _because(reason: str) -> str:
    return f" ({reason})" if reason else ""
