"""
``pytest --unlost``: a test fails for each error that is lost or swallowed during it.

This is the entry point, which each pytest session of the environment loads: nothing of ``unlost`` is imported unless it
is asked for. What watches then is in the modules beside it.
"""

from __future__ import annotations

import argparse
import os
from collections.abc import Sequence
from itertools import pairwise
from typing import Any

import pytest

_NAME = "unlost-watch"
_MODES = ("fail", "report", "off")
_IS_OFF = pytest.StashKey[bool]()


class _Asked(argparse.Action):
    """
    ``--unlost``, alone or with ``=`` and a mode, but never with the next argument, which is a path.

    Each of the four is an option of its own: argparse knows values that may be left out only where they take the next.
    """

    def __init__(self, option_strings: Sequence[str], dest: str, **others: Any) -> None:  # Any: argparse's own
        super().__init__(option_strings, dest, **{**others, "nargs": 0})

    def __call__(
        self, _parser: object, namespace: argparse.Namespace, _values: object, option_string: str | None = None
    ) -> None:
        setattr(namespace, self.dest, (option_string or "").partition("=")[2] or "fail")


def pytest_addoption(parser: pytest.Parser, pluginmanager: pytest.PytestPluginManager) -> None:
    _check_mode(pluginmanager)
    group = parser.getgroup("unlost", "what became of each exception")
    group.addoption(
        "--unlost",
        *(f"--unlost={mode}" for mode in _MODES),
        action=_Asked,
        dest="unlost",
        help="fail each test that loses or swallows an error (`--unlost` is `--unlost=fail`); `report` only tells",
    )
    group.addoption("--unlost-baseline", metavar="FILE", help="forgive what is in this file")
    group.addoption("--unlost-update-baseline", action="store_true", help="write what is found into it; fail nothing")
    group.addoption("--unlost-report", metavar="FILE", help="write what is found as one HTML file")
    parser.addini("unlost", "fail, report or off", default="off")


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", "unlost_forgive(reason, what=''): losses with this key or text are meant")
    mode = config.getoption("--unlost") or config.getini("unlost")
    if mode not in _MODES:
        raise pytest.UsageError(f"unlost = {mode}: expected fail, report or off")
    _check_paths(config)
    if config.getoption("--unlost-update-baseline") and not config.getoption("--unlost-baseline"):
        raise pytest.UsageError("--unlost-update-baseline needs --unlost-baseline FILE")
    if mode == "off":
        _check_alone(config)
        return
    from _unlost_pytest._plugin import Plugin, is_off

    config.stash[_IS_OFF] = is_off()
    if not is_off():
        config.pluginmanager.register(Plugin(config, mode), _NAME)


def pytest_report_header(config: pytest.Config) -> list[str]:
    is_off = config.stash.get(_IS_OFF, False)
    return ["unlost: nothing is watched: the environment turns it off (UNLOST)"] if is_off else []


def _check_mode(manager: pytest.PytestPluginManager) -> None:
    """Refuse ``--unlost=repot`` before argparse says that it ignores an argument; an ini file leaves it to that."""
    config = manager.get_plugin("pytestconfig")
    typed = config.invocation_params.args if config is not None else ()
    given = [*os.environ.get("PYTEST_ADDOPTS", "").split(), *map(str, typed)]
    for option, equals, value in (one.partition("=") for one in given):
        if option == "--unlost" and equals and value not in _MODES:
            raise pytest.UsageError(f"--unlost={value}: expected fail, report or off")


def _check_alone(config: pytest.Config) -> None:
    """Refuse what says something only where tests are watched, unless it was turned off in as many words."""
    for option in ("--unlost-report", "--unlost-baseline"):
        if config.getoption(option) and config.getoption("--unlost") != "off":
            raise pytest.UsageError(f"{option} FILE needs --unlost, or --unlost=report to fail nothing")


def _check_paths(config: pytest.Config) -> None:
    """Refuse ``--unlost report``, which pytest would take for a path."""
    given = config.invocation_params.args
    for option, value in pairwise(given):
        if option == "--unlost" and value in _MODES and not (config.invocation_params.dir / value).exists():
            raise pytest.UsageError(f"{value!r} would be a path, and there is none: write --unlost={value}")
