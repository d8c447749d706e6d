from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from unlost.observe.install._reader import closed, is_forsaken, this_process

pytestmark = pytest.mark.skipif(os.name != "posix", reason="nothing tells there whether a process runs")


def folder_of(tmp_path: Path, process: str) -> str:
    folder = tmp_path / f"unlost-{process}-0123"
    folder.mkdir()
    return str(folder)


def over() -> str:
    """Return the name of a process that is over."""
    return subprocess.run(
        [sys.executable, "-c", f"from {this_process.__module__} import *; print(this_process())"],
        capture_output=True,
        text=True,
        check=True,
    ).stdout.strip()


def test_a_folder_whose_process_runs_is_not_forsaken(tmp_path: Path) -> None:
    assert not is_forsaken(folder_of(tmp_path, this_process()))


def test_a_folder_whose_process_is_over_is_forsaken_as_long_as_it_is_there(tmp_path: Path) -> None:
    folder = folder_of(tmp_path, over())

    assert is_forsaken(folder)
    os.rename(folder, closed(folder))
    assert is_forsaken(folder)
    os.rmdir(closed(folder))
    assert not is_forsaken(folder)


@pytest.mark.skipif(not os.path.exists("/proc/self/stat"), reason="when a process began is told on Linux")
def test_another_process_with_the_same_number_is_not_the_one_that_reads(tmp_path: Path) -> None:
    assert is_forsaken(folder_of(tmp_path, f"{os.getpid()}.1"))
