"""Test sessions in processes of their own."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable, Mapping
from importlib.metadata import entry_points
from pathlib import Path

import pytest

Tested = Callable[..., "subprocess.CompletedProcess[str]"]

_NOTHING: Mapping[str, str] = {}
_INI = """
[pytest]
asyncio_mode = auto
asyncio_default_fixture_loop_scope = function
addopts = --strict-markers -ra
"""
# an editable install that is older than the entry point does not have it
_PLUGIN = (
    [] if any(one.value == "_unlost_pytest" for one in entry_points(group="pytest11")) else ["-p", "_unlost_pytest"]
)


@pytest.fixture
def tested(tmp_path: Path) -> Tested:
    """Run pytest on a file of tests."""
    (tmp_path / "pytest.ini").write_text(_INI, encoding="utf-8")

    def run(
        source: str, *arguments: str, ini: str = "", environment: Mapping[str, str] = _NOTHING
    ) -> subprocess.CompletedProcess[str]:
        (tmp_path / "test_it.py").write_text(source, encoding="utf-8")
        if ini:
            (tmp_path / "pytest.ini").write_text(_INI + ini, encoding="utf-8")
        return subprocess.run(
            [
                sys.executable,
                "-W",
                "error",
                "-X",
                "dev",
                "-m",
                "pytest",
                *_PLUGIN,
                "-p",
                "no:hypothesispytest",  # a quarter of the time that such a session takes is for importing it
                "-p",
                "no:cacheprovider",
                *arguments,
            ],
            cwd=tmp_path,
            env={name: value for name, value in os.environ.items() if not name.startswith(("PYTEST", "UNLOST", "CI"))}
            | {"PYTHONMALLOC": "pymalloc"}  # what the development mode would take is slow, and finds errors of C alone
            | dict(environment),
            capture_output=True,
            text=True,
            timeout=100,
        )

    return run
