"""
A plugin of pytest that writes down how each test ended and what was found in it.

To the file that ``UNLOST_NOTED`` names, as JSON: ``tests`` by name, with the outcome of each of its phases; ``found``
and ``late`` with the texts. ``public_suites.py`` loads it by name into the suites that it runs.
"""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

_tests: dict[str, list[str]] = {}
_messages: dict[str, str] = {}
_found: dict[str, list[str]] = {}


def pytest_runtest_logreport(report: pytest.TestReport) -> None:
    if report.when == "call" or report.outcome != "passed":
        _tests.setdefault(report.nodeid, []).append(f"{report.when} {report.outcome}")
    if report.outcome == "failed":
        _messages[report.nodeid] = str(report.longrepr)[-4000:]
    for title, text in report.sections:
        found = _found.setdefault(report.nodeid, [])
        if title.startswith("Captured unlost ") and text not in found:  # a later phase has those of the earlier ones
            found.append(text)


@pytest.hookimpl(tryfirst=True)
def pytest_unconfigure(config: pytest.Config) -> None:
    if hasattr(config, "workerinput"):
        return
    plugin = config.pluginmanager.getplugin("unlost-watch")  # what came late is known when the session has finished
    late = [f"{test}\n{text}" for test, text in plugin.late()] if plugin is not None else []
    noted = {"tests": _tests, "messages": _messages, "found": _found, "late": late}
    Path(os.environ["UNLOST_NOTED"]).write_text(json.dumps(noted, indent=1), encoding="utf-8")
