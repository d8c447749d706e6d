"""Programs that call ``install`` themselves, each in a process of its own."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

Ran = Callable[..., str]


@pytest.fixture
def ran(tmp_path: Path) -> Ran:
    """Run a program; return what it printed on standard error."""

    def run(source: str, **environment: str) -> str:
        (tmp_path / "app.py").write_text(source, encoding="utf-8")
        done = subprocess.run(
            [sys.executable, "-X", "dev", "app.py"],
            cwd=tmp_path,
            env={**os.environ, **environment},
            capture_output=True,
            text=True,
            timeout=60,
        )
        assert done.returncode == 0, done.stderr
        return done.stderr

    return run
